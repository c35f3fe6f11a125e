"""Two whole runs at once, disturbed: a small part of what `python -m fuzz.crowd` does."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from fuzz.crowd.runs import Crowd

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL"),
]
HAS_STORE = all(map(find_spec, ("s3fs", "moto", "flask_cors")))


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    folder = tmp_path_factory.mktemp("crowd")
    if not HAS_STORE:
        yield Crowd(folder, None)
        return
    from support.s3_server import S3Server  # noqa: PLC0415  needs moto

    with S3Server() as server:
        yield Crowd(folder, server)


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("workers", "disk"),
        ("drivers", "disk"),
        ("poison", "disk"),
        ("drivers", "store"),
        ("overloaded", "store"),
    ],
)
def test_two_runs_at_once_leave_what_one_leaves_whatever_happens(crowd: Crowd, kind: str, place: str) -> None:
    if place == "store" and not HAS_STORE:
        pytest.skip("needs moto: pip install -e '.[remote]' --group store")
    assert crowd.disturb(kind, place, seed=1, n_kills=3).fault == ""


def test_harm_would_be_noticed(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "expected", {"disk": {"1/low.wav": b"other"}})
    assert "another result" in crowd.disturb("slow", "disk", seed=1).fault
