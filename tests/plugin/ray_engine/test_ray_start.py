"""How Ray is started: its folder, and what its workers may import. Ray itself is not started."""

from __future__ import annotations

import os
import socket
import stat
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from stemdock import WorkerNeeds
from stemdock_ray.opening import open_actors

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="needs ray: pip install 'stemdock[ray]'"),
    pytest.mark.skipif(sys.platform == "win32", reason="has no modes of folders"),
]


class FakeRay:
    """Takes down where it was started."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in (
            "RAY_USAGE_STATS_ENABLED",
            "RAY_ENABLE_UV_RUN_RUNTIME_ENV",
            "RAY_AUTH_MODE",
            "RAY_AUTH_TOKEN",
        ):
            monkeypatch.setenv(name, "1")
        import ray  # noqa: PLC0415  only if it is there

        monkeypatch.setattr(ray, "init", self._init)
        monkeypatch.setattr(ray, "shutdown", lambda: None)
        monkeypatch.setattr(ray, "cluster_resources", dict)

    def _init(self, address: str, *, _temp_dir: str | None = None, **_: Any) -> None:
        self.address = address
        self.started_in = Path.cwd()
        self.content = list(self.started_in.iterdir())
        self.mode = stat.S_IMODE(self.started_in.stat().st_mode)
        self.temporary = _temp_dir and Path(_temp_dir)


def test_ray_starts_in_an_empty_folder_that_nobody_else_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = FakeRay(monkeypatch)
    monkeypatch.chdir(tmp_path)
    with open_actors(WorkerNeeds(n_workers=1, n_cores=1)):
        assert Path.cwd() == tmp_path
    # Workers import what is in the folder in which Ray is started.
    assert (started.content, started.mode) == ([], 0o700)
    # Ray opens the folder that it gets to everybody.
    assert started.temporary
    assert started.temporary.parent.resolve() == started.started_in
    # What Ray adds, and the longest path of a socket.
    assert (
        len(str(started.temporary)) + len("/session_2026-11-28_12-00-00_123456_1234567/sockets/plasma_store")
        < 108
    )
    assert not started.started_in.exists()


def test_a_cluster_is_joined_from_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = FakeRay(monkeypatch)
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"127.0.0.1:{head.getsockname()[1]}"
        with open_actors(WorkerNeeds(n_workers=1, n_cores=1, address=address)):
            assert Path.cwd() == tmp_path
    assert (started.address, started.content, started.mode) == (address, [], 0o700)
    assert started.started_in != tmp_path
    assert not started.started_in.exists()


def test_ray_does_not_copy_the_folder_under_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeRay(monkeypatch)
    open_actors(WorkerNeeds(n_workers=1, n_cores=1))
    assert os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] == "0"
