"""Starts the worker and other programs of ours, without a window or console."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Final

from stemdock import try_locked

LOCK: Final = "worker.lock"
RUN_MODULE: Final = ("-P", "-m")
"""Python's options to run a module. An editor may work in the folder of somebody else's project, and without
-P Python would load modules from there."""
_MODULE: Final = "stemdock_hostkit.worker"


def background_python() -> str:
    """This Python; on Windows, the one that opens no console window."""
    interpreter = Path(sys.executable)
    windowless = interpreter.with_name("pythonw.exe")
    if sys.platform == "win32" and windowless.exists():
        return str(windowless)
    return str(interpreter)


def start_detached(module: str, *arguments: str) -> None:
    """Starts a module in a new process, which keeps running after this one and after the editor.

    Raises:
        OSError: It cannot be started.
    """
    command = [background_python(), *RUN_MODULE, module, *arguments]
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        process = subprocess.Popen(command, creationflags=flags, close_fds=True)  # noqa: S603
    else:
        null = subprocess.DEVNULL
        process = subprocess.Popen(  # noqa: S603
            command, stdin=null, stdout=null, stderr=null, start_new_session=True, cwd="/"
        )
    # Should this process live longer, the other one must not stay in the list of processes.
    Thread(target=process.wait, daemon=True).start()


def is_worker_running(folder: Path) -> bool:
    """Whether a worker holds the lock in its folder."""
    with try_locked(folder / LOCK) as is_free:
        return not is_free


def ensure_worker(folder: Path) -> None:
    """Starts the worker unless it is running. If two processes start it at once, one of the two ends.

    Raises:
        OSError: It cannot be started.
    """
    if not is_worker_running(folder):
        start_detached(_MODULE)
