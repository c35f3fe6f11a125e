r"""The pipes of mod-script-pipe on Windows, with a script in the place of Audacity.

Made as its PipeServer.cpp makes them: `\\.\pipe\ToSrvPipe` and `\\.\pipe\FromSrvPipe`, of messages, with
buffers of 1024 bytes. Audacity connects the first, then the second, and after each client makes them free for
the next.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from contextlib import contextmanager, suppress
from ctypes import wintypes
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Answer = Callable[[bytes], tuple[bytes, ...] | None]
    """From a command's line to the pieces of its answer; None ends the server in the middle of it."""

_TO: Final = r"\\.\pipe\ToSrvPipe"
_FROM: Final = r"\\.\pipe\FromSrvPipe"
_DUPLEX: Final = 3
_MESSAGES: Final = 4 | 2 | 8  # written and read as messages, no clients from other machines
_INVALID: Final = -1
_PATIENCE: Final = 60
"""Seconds in which the server ends after its last client."""


@contextmanager
def served(answer: Answer, pause: float = 0.0) -> Iterator[None]:
    """Serves the pipes until the block ends.

    Args:
        answer: What the program does with a command.
        pause: Seconds between a client at the first pipe and listening at the second.
    """
    server = _Server(answer, pause)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.stop(thread)


def _kernel() -> Any:
    if sys.platform == "win32":
        return ctypes.WinDLL("kernel32")
    raise OSError("this system has no named pipes")


class _Server:
    def __init__(self, answer: Answer, pause: float) -> None:
        self._answer = answer
        self._pause = pause
        self._windows = _kernel()
        self._windows.CreateNamedPipeW.restype = wintypes.HANDLE
        self._windows.CreateNamedPipeW.argtypes = [
            wintypes.LPCWSTR, *[wintypes.DWORD] * 6, wintypes.LPVOID,
        ]  # fmt: skip
        self._windows.ConnectNamedPipe.argtypes = [wintypes.HANDLE, wintypes.LPVOID]
        for function in ("FlushFileBuffers", "DisconnectNamedPipe", "CloseHandle"):
            getattr(self._windows, function).argtypes = [wintypes.HANDLE]
        for function in ("ReadFile", "WriteFile"):
            getattr(self._windows, function).argtypes = [
                wintypes.HANDLE, wintypes.LPVOID, wintypes.DWORD,
                ctypes.POINTER(wintypes.DWORD), wintypes.LPVOID,
            ]  # fmt: skip
        self._stopped = False
        self._to, self._from = self._pipe(_TO), self._pipe(_FROM)

    def _pipe(self, name: str) -> int:
        handle = self._windows.CreateNamedPipeW(name, _DUPLEX, _MESSAGES, 255, 1024, 1024, 50, None)
        assert handle not in {None, ctypes.c_void_p(_INVALID).value}, f"{name} cannot be made"
        return int(handle)

    def run(self) -> None:
        while not self._stopped:
            self._windows.ConnectNamedPipe(self._to, None)
            if not self._stopped:
                time.sleep(self._pause)
                self._windows.ConnectNamedPipe(self._from, None)
                self._serve()
            self._windows.DisconnectNamedPipe(self._to)
            self._windows.DisconnectNamedPipe(self._from)
        self._windows.CloseHandle(self._to)
        self._windows.CloseHandle(self._from)

    def _serve(self) -> None:
        """Answers one client, until it closes."""
        while line := self._read():
            pieces = self._answer(line.rstrip(b"\r\n\0"))
            if pieces is None:
                self._stopped = True
                return
            for piece in pieces:
                self._write(piece)

    def _read(self) -> bytes:
        room, length = ctypes.create_string_buffer(1024), wintypes.DWORD()
        self._windows.ReadFile(self._to, room, len(room), ctypes.byref(length), None)
        return room.raw[: length.value]

    def _write(self, piece: bytes) -> None:
        length = wintypes.DWORD()
        self._windows.WriteFile(self._from, piece, len(piece), ctypes.byref(length), None)
        self._windows.FlushFileBuffers(self._from)

    def stop(self, thread: threading.Thread) -> None:
        """Ends the server in its thread, which may be waiting for a client."""
        self._stopped = True
        end = time.monotonic() + _PATIENCE
        while thread.is_alive() and time.monotonic() < end:
            with suppress(OSError), open(_TO, "wb", buffering=0):  # noqa: PTH123  no path of a file
                pass
            thread.join(0.05)
        assert not thread.is_alive(), "the server does not end"
