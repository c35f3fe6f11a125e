"""The side of the command: hands itself over to the process in the background, if there is one."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from stemdock.cli.warm.meeting import connected, is_supported, socket_path, surroundings

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence
    from pathlib import Path

WARM: Final = "--warm"
_STREAMS: Final = (0, 1, 2)
_START_TIME: Final = 20.0
"""Seconds for a process to start."""
_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")


def ask(arguments: Sequence[str]) -> int | None:
    """Lets the process in the background do a command.

    Args:
        arguments: Of plugin-cli. With `--warm` among them, the process is started if there is none.

    Returns:
        The exit status; None if the command must be done here.
    """
    if not is_supported() or "_PLUGIN_CLI_COMPLETE" in os.environ:
        return None
    try:
        path = socket_path()
        connection = connected(path)
        if connection is None and WARM in arguments:
            connection = _started(path)
        if connection is None:
            return None
    except (OSError, RuntimeError):
        return None
    with connection:
        try:
            process = _hand_over(connection, arguments)
        except (OSError, ValueError):
            return None
        return _follow(connection, process) if process else None


def _started(path: Path) -> socket.socket | None:
    """Starts the process, and connects to it when it is ready."""
    from subprocess import DEVNULL, Popen  # noqa: PLC0415  slow, and needed only here

    # It does not use OpenBLAS, whose threads could not be copied.
    variables = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-m", "stemdock.cli.warm"]
    process = Popen(  # noqa: S603
        command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, env=variables, cwd="/", start_new_session=True
    )
    until = time.monotonic() + _START_TIME
    while time.monotonic() < until:
        connection = connected(path)
        if connection is not None or process.poll() is not None:
            return connection
        time.sleep(0.01)
    return None


def _hand_over(connection: socket.socket, arguments: Sequence[str]) -> int:
    """Sends everything that the command depends on; returns the process that does it, or 0."""
    from socket import send_fds  # noqa: PLC0415  as in `connected`

    ignored = [name for name in _SIGNALS if signal.getsignal(getattr(signal, name)) is signal.SIG_IGN]
    request = {
        "arguments": [word for word in arguments if word != WARM],
        "program": sys.argv[0],
        "surroundings": surroundings(),
        "variables": dict(os.environ),
        "umask": _umask(),
        "ignored": ignored,
    }
    folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        content = json.dumps(request).encode()
        send_fds(connection, [len(content).to_bytes(4, "big")], [*_STREAMS, folder])
        connection.sendall(content)
    finally:
        os.close(folder)
    return int.from_bytes(_received(connection, 4), "big")


def _follow(connection: socket.socket, process: int) -> int:
    """Passes signals on until the process has ended; returns its exit status."""

    def pass_on(number: int, _: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(process, number)

    for name in _SIGNALS:
        if signal.getsignal(number := getattr(signal, name)) is not signal.SIG_IGN:
            signal.signal(number, pass_on)
    with suppress(OSError):
        connection.settimeout(None)
        connection.sendall(b"!")
        if status := _received(connection, 1):
            return status[0]
    os.write(2, b"error: the process in the background ended unexpectedly. Try again without --warm.\n")
    return 1


def _received(connection: socket.socket, size: int) -> bytes:
    """So many bytes; none if the other side is gone before."""
    content = b""
    while len(content) < size:
        part = connection.recv(size - len(content))
        if not part:
            return b""
        content += part
    return content


def _umask() -> int:
    before = os.umask(0o077)
    os.umask(before)
    return before
