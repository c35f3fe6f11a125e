"""The pipe to Audacity, with something else at its other end."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

if sys.platform == "win32":
    pytest.skip("this system has no FIFOs", allow_module_level=True)

from stemdock import HostUnreachableError
from stemdock_audacity.errors import ForeignPipeError, ReplyTooLongError
from stemdock_audacity.link import pipe, transport
from stemdock_audacity.link.pipe import Pipe, connect

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_audacity.link.transport import Transport


class Endless:
    """A pipe at which there is always something to read."""

    def __init__(self, piece: bytes, delay: float = 0.0) -> None:
        self.piece = piece
        self.delay = delay
        self.n_bytes = 0

    def write(self, line: bytes, deadline: float) -> None:
        pass

    def read(self, deadline: float) -> bytes:
        del deadline
        time.sleep(self.delay)
        self.n_bytes += len(self.piece)
        assert self.n_bytes < 1 << 26, "there is no end"
        return self.piece

    def close(self) -> None:
        pass


def test_an_answer_without_an_end_fills_no_memory() -> None:
    link: Transport = Endless(b"A" * 65536)
    with pytest.raises(ReplyTooLongError, match="has no end"):
        Pipe(link).run("GetInfo")
    with pytest.raises(ReplyTooLongError):
        Pipe(link).greet()


def test_an_answer_that_never_stops_arriving_meets_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe, "no_answer_error", lambda: HostUnreachableError("audacity", "late", remedy=""))
    link = Endless(b"A" * (1 << 20), 0.05)  # 64 times are over in the end
    monkeypatch.setattr(pipe, "_MAX_REPLY", 1 << 40)
    with pytest.raises(HostUnreachableError, match="late"):
        Pipe(link).run("GetInfo", seconds=0.2)


@pytest.mark.parametrize("kind", ["link", "file", "folder", "foreign"])
@pytest.mark.parametrize("way", ["to", "from"])
def test_only_an_own_fifo_is_audacity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, way: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    paths = {name: tmp_path / name for name in ("to", "from")}
    monkeypatch.setattr(transport, "TO_AUDACITY", paths["to"])
    monkeypatch.setattr(transport, "FROM_AUDACITY", paths["from"])
    for name, path in paths.items():
        if name != way or kind == "foreign":
            os.mkfifo(path)
        elif kind == "link":
            os.mkfifo(tmp_path / "other")
            path.symlink_to(tmp_path / "other")
        elif kind == "file":
            path.touch()
        else:
            path.mkdir()
    if kind == "foreign":
        if os.geteuid():
            pytest.skip("only root can give files to other users")
        os.chown(paths[way], 65_534, 65_534)
    reader = os.open(paths["to"], os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(ForeignPipeError) as caught, connect():
            pass
        assert caught.value.path == paths[way]
        assert "Remove it" in caught.value.remedy
    finally:
        os.close(reader)
