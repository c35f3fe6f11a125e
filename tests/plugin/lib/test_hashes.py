from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from stemdock.lib.hashes import Hashes
from stemdock.lib.paths import Resolver, resolved

if TYPE_CHECKING:
    from pathlib import Path


def test_what_repeats_and_what_is_known() -> None:
    hashes = Hashes()
    assert hashes.repeated() == frozenset()
    assert "a" not in hashes.known()
    keys = [("a", 1), ("b", 2), ("a", 1), "c", "c", "c", "d"]
    for key in keys:
        hashes.note(key)
    assert hashes.repeated() == {hash(("a", 1)), hash("c")}
    known = hashes.known()
    assert all(key in known for key in keys)
    assert not any(key in known for key in ("e", ("a", 2), -1, 2**63 - 1))


def test_a_resolver_follows_the_same_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").touch()
    try:
        (tmp_path / "to a").symlink_to("a")
        (tmp_path / "a/to file").symlink_to("b/file")
        (tmp_path / "loop").symlink_to("loop")
    except OSError:
        pytest.skip("may not make links")
    monkeypatch.chdir(tmp_path)
    resolve = Resolver()
    for text in (
        "a/b/file",
        "to a/b/file",
        "to a/to file",
        "to a",
        "to a/../a",
        "a/b/..",
        ".",
        "none/x",
        "loop",
    ):
        for path in (tmp_path / text, tmp_path.joinpath(text).relative_to(tmp_path)):
            assert resolve(path) == str(resolved(path)) == os.path.realpath(path)
