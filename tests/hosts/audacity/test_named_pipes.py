"""The named pipes to Audacity on Windows, with a server as Audacity's module makes it."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from stemdock import HostUnreachableError
from stemdock_audacity.errors import CommandFailedError
from stemdock_audacity.link import pipe
from stemdock_audacity.link.pipe import connect, is_served
from support.named_pipe_server import served

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="this system has no named pipes")

OK = b"BatchCommand finished: OK\n"
END = b"\n\0"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock of the pipe is in it."""
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))


def answered(line: bytes) -> tuple[bytes, ...]:
    """What Audacity answers: the lines of a command one by one, and how it ended."""
    if line.startswith(b"stemdock-"):  # the greeting
        return (
            b"Your batch command of " + line + b" was not recognized.\n",
            b"BatchCommand finished: Failed!\n",
            END,
        )
    if line.startswith(b"Fail"):
        return (b"no\n", b"BatchCommand finished: Failed!\n", END)
    if line.startswith(b"Long"):
        return (*[b"0123456789abcde\n" * 60] * 500, OK, END)
    return (b"got " + line + b"\n", OK, END)


def test_commands_are_answered() -> None:
    with served(answered), connect() as link:
        assert link.do("Message", Text="héllo") == 'got Message: Text="héllo"'
        with pytest.raises(CommandFailedError, match="no"):
            link.do("Fail")
        assert link.do("Long") == "\n".join(["0123456789abcde"] * 30_000)


@pytest.mark.parametrize("pause", [0.0, 0.2])
def test_one_client_after_the_other(monkeypatch: pytest.MonkeyPatch, pause: float) -> None:
    monkeypatch.setattr(pipe, "find_audacity", lambda: (1,))
    monkeypatch.setattr(pipe, "_RENEWAL_TIME", 60.0)
    with served(answered, pause):
        for number in range(5):
            with connect() as link:
                assert link.do("Message", Text=number) == f"got Message: Text={number}"


def test_without_audacity_there_is_no_pipe() -> None:
    assert not is_served()
    with pytest.raises(HostUnreachableError), connect():
        pass


def test_an_audacity_that_ends_is_reported() -> None:
    def answer(line: bytes) -> tuple[bytes, ...] | None:
        return None if line.startswith(b"Exit") else answered(line)

    with served(answer), pytest.raises(HostUnreachableError), connect() as link:
        link.do("Exit")


def test_an_audacity_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe, "no_answer_error", lambda: HostUnreachableError("audacity", "late", remedy=""))
    hanging = threading.Event()

    def answer(line: bytes) -> tuple[bytes, ...]:
        if line.startswith(b"Hang"):
            assert hanging.wait(120)
            return ()
        return answered(line)

    left = threading.Event()

    def leave() -> None:
        with pytest.raises(HostUnreachableError, match="late"), connect() as link:
            link.do("Hang", seconds=0.2)
        left.set()

    with served(answer):
        client = threading.Thread(target=leave, daemon=True)
        client.start()
        is_left = left.wait(60)
        hanging.set()
        client.join(60)
        assert is_left, "closing waits for an answer that does not come"
