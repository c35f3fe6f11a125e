"""The process in the background: imports everything, and makes a copy of itself for each command.

Each command has a process of its own, as usual. Only the imports are done, which take longer than a song of
ten seconds. Models are not loaded: their networks have threads, which no copy has, and their weights are
mapped into memory in a few milliseconds.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping  # noqa: TC003  read when a request is
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, NoReturn

from stemdock.cli.warm.meeting import IDLE_TIME, IDLE_VARIABLE, connected, socket_path, surroundings
from stemdock.lib.private_folders import make_private_folder
from stemdock.lib.untrusted_json import parse_json, parse_json_as

if TYPE_CHECKING:
    from collections.abc import Sequence

_MODULES: Final = (
    "stemdock.cli.main", "stemdock.cli.commands.separate", "stemdock.cli.separating", "stemdock.separator",
    "stemdock.engine.spleeter", "stemdock.cli.text_reporter", "stemdock.cli.json_reporter", "filelock",
    "platformdirs", "onnxruntime", "stemdock.audio.ffmpeg.reading", "stemdock.files.package_writing",
    "stemdock.engine.two_pass", "stemdock.batch.song_lists", "stemdock.batch.remote_inputs", "soxr",
    "stemdock.audio.structure.flac_frames", "stemdock.audio.structure.mpeg_frames",
    "stemdock.audio.structure.ogg_pages",
)  # fmt: skip
"""What `separate` imports; that which is missing is imported as usual."""
_MOST_BYTES: Final = 1 << 24
_N_DESCRIPTORS: Final = 4
_PATIENCE: Final = 5.0
"""Seconds for a command to send its request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """A command, with all that it takes from the user's process."""

    arguments: tuple[str, ...]
    program: str
    surroundings: Mapping[str, Any]
    variables: Mapping[str, str]
    umask: int
    ignored: tuple[str, ...]
    """Names of signals."""


def serve() -> None:
    """Serves until no command has come for a while."""
    path = socket_path()
    make_private_folder(path.parent)
    own = parse_json(json.dumps(surroundings()))  # as that of a command arrives
    prepare()
    if (other := connected(path)) is not None:
        other.close()
        return
    with socket.socket(socket.AF_UNIX) as listener:
        # It is that of a process that was killed, or that has just started as well, which then ends unused.
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        listener.listen()
        number = path.lstat().st_ino
        try:
            _loop(listener, own, float(os.environ.get(IDLE_VARIABLE) or IDLE_TIME))
        finally:
            with suppress(OSError):
                if path.lstat().st_ino == number:
                    path.unlink()


def prepare() -> None:
    """Imports what a command needs.

    Raises:
        RuntimeError: A library has started a thread, which copies would lack.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    for name in _MODULES:
        with suppress(ImportError):
            import_module(name)
    from stemdock.dsp.transforms import load_transforms  # noqa: PLC0415  after numpy
    from stemdock.plugins import load_plugins  # noqa: PLC0415

    load_transforms()
    load_plugins().models()
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208  names are enough
        raise RuntimeError("a library has started threads")


def _loop(listener: socket.socket, own: Mapping[str, Any], idle_time: float) -> None:
    last = time.monotonic()
    while (rest := last + idle_time - time.monotonic()) > 0:
        if select.select([listener], [], [], rest)[0]:
            connection, _ = listener.accept()
            with connection, suppress(OSError, ValueError):
                _answer(connection, own, listener)
            last = time.monotonic()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _answer(connection: socket.socket, own: Mapping[str, Any], listener: socket.socket) -> None:
    """Makes a copy for one command, if it has the same surroundings."""
    connection.settimeout(_PATIENCE)
    head, descriptors, _, _ = socket.recv_fds(connection, 4, _N_DESCRIPTORS)
    try:
        size = int.from_bytes(head, "big")
        if size > _MOST_BYTES or len(descriptors) != _N_DESCRIPTORS:
            return
        content = b""
        while len(content) < size and (part := connection.recv(size - len(content))):
            content += part
        request = parse_json_as(_Request, content)
        if request.surroundings != own:
            return
        if not os.fork():
            try:
                listener.close()
                _run(connection, request, descriptors)
            finally:
                os._exit(1)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _run(connection: socket.socket, request: _Request, descriptors: Sequence[int]) -> NoReturn:
    """The copy: becomes the command, does it, and reports its exit status."""
    status = 1
    try:
        os.setpgid(0, 0)
        connection.sendall(os.getpid().to_bytes(4, "big"))
        # If the command does not wait for it any more, it is done elsewhere.
        connection.settimeout(None)
        if connection.recv(1) != b"!":
            os._exit(0)
        _take_over(request, descriptors)
        Thread(target=_end_with, args=(connection,), daemon=True).start()
        from stemdock.cli.main import main  # noqa: PLC0415  imported above

        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  reported as Python does
        sys.excepthook(*sys.exc_info())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the user's process ends as soon as it has the status
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    with suppress(OSError):
        connection.sendall(bytes([status & 0xFF]))
    # Taking everything apart would take as long as a second of song.
    os._exit(status & 0xFF)


def _take_over(request: _Request, descriptors: Sequence[int]) -> None:
    """Takes over the streams, the folder, the variables and so on of the command."""
    *streams, folder = descriptors
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    os.fchdir(folder)
    for descriptor in descriptors:
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request.variables)
    os.umask(request.umask)
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in request.ignored:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    sys.argv = [request.program, *request.arguments]
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        stream = getattr(sys, name)
        setattr(
            sys, name,
            open(  # noqa: SIM115  for as long as the process lives
                number, mode, encoding=stream.encoding, errors=stream.errors, closefd=False,
                buffering=1 if os.isatty(number) or name == "stderr" else -1,
            ),
        )  # fmt: skip


def _end_with(connection: socket.socket) -> None:
    """Stops the command if the user's process is gone."""
    with suppress(OSError):
        if connection.recv(1) == b"":
            # A command in the background of a script ignores SIGINT.
            is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGTERM if is_ignored else signal.SIGINT)
