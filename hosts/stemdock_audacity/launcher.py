"""The program that Audacity's "external program" export starts, with the selection on standard input.

If mod-script-pipe is there, it queues what the plug-in captured, starts the worker and returns at
once. If not, it separates here and now while Audacity waits: it takes the audio off its input at
the pace of the separation, so that Audacity's own export dialog shows the progress, and that
dialog's Cancel ends the input early.

Always ends with status 0, since Audacity puts any other into a window of its own; the outcome is in
`inbox/reply.txt`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from stemdock_audacity.preference import noted_value, restoring_command
from stemdock_audacity.request import read_request
from stemdock_audacity.spool import JobState, default_spool

if TYPE_CHECKING:
    from stemdock_audacity.request import Request
    from stemdock_audacity.spool import Spool

_HEADER_SIZE: Final = 256
"""Bytes of WAV header at most."""
_TRICKLE: Final = 8192
"""Bytes."""
_TAKE_LIMIT: Final = 1 << 20
"""Bytes at a time."""
_TRICKLE_TIME: Final = 0.05
"""Seconds."""
_CLEAN_TIME: Final = 300
"""Seconds that an import may take before its files are deleted."""


def main() -> None:
    """Entry point."""
    spool = default_spool()
    if sys.argv[1:] == ["--clean"]:
        _clean(spool)
        return
    try:
        restoring = restoring_command(noted_value((spool.inbox / "preference.txt").read_bytes()))
        (spool.inbox / "restore.txt").write_bytes(restoring.encode() + b"\n")
        reply = _serve(spool)
    except Exception as error:  # noqa: BLE001  whatever it is, only this way can the person learn of it
        remedy = getattr(error, "remedy", "Run `plugin-cli audacity doctor`.")
        reply = f"message {error}. {remedy}"
    (spool.inbox / "reply.txt").write_text(" ".join(reply.split("\n")) + "\n", "utf-8")


def _serve(spool: Spool) -> str:
    from stemdock_audacity.pipe import is_served  # noqa: PLC0415

    request = read_request(spool.inbox)
    if not request.tracks:
        _remove_audio(spool)
        return "message There is no audio in the selection."
    if is_served():
        spool.add(request, spool.inbox, JobState(state="queued", title=request.title, audacity=os.getppid()))
        _remove_audio(spool)
        start_detached("stemdock_audacity.worker")
        return "detached "
    return _separate_now(spool, request)


def start_detached(module: str, *arguments: str) -> None:
    """Starts a module in a process of its own that outlives this one and Audacity."""
    command = [sys.executable, "-m", module, *arguments]
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        subprocess.Popen(command, creationflags=flags, close_fds=True)  # noqa: S603
        return
    null = subprocess.DEVNULL
    subprocess.Popen(  # noqa: S603
        command, stdin=null, stdout=null, stderr=null, start_new_session=True, cwd="/"
    )


def _separate_now(spool: Spool, request: Request) -> str:
    from stemdock import CancelledError, Separator  # noqa: PLC0415  loaded when needed
    from stemdock_audacity.work import separate_request  # noqa: PLC0415

    cancel = Event()
    pacer = _Pacer(request, cancel)
    (spool.inbox / "imported.txt").unlink(missing_ok=True)
    try:
        separator = Separator(request.model)
        separate_request(separator, request, spool.inbox, on_progress=pacer.advance, cancel=cancel)
    except CancelledError:
        _remove_audio(spool)
        return "detached "
    start_detached("stemdock_audacity.launcher", "--clean")
    return "import "


class _Pacer:
    """Takes the mixture off standard input at the pace of the separation.

    Between two segments a little trickles on, for Audacity draws its dialog and looks at its Cancel
    only while it gets rid of audio.
    """

    def __init__(self, request: Request, cancel: Event) -> None:
        seconds = max(track.length / track.sample_rate for track in request.tracks)
        # Stereo, floating point, at the project's rate; the last of it is left for the end.
        self._size = int(seconds * request.project_rate * 8 * 0.9)
        self._taken = 0
        self._share = 0.0
        self._cancel = cancel
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415

            msvcrt.setmode(0, os.O_BINARY)
        Thread(target=self._take, daemon=True).start()

    def advance(self, share: float) -> None:
        """Lets this share of the input go."""
        self._share = share

    def _take(self) -> None:
        # Not by sys.stdin: a thread that waits in it spoils the end of the process.
        while self._taken < self._size:
            wanted = max(_TRICKLE, int(self._size * self._share) - self._taken)
            data = os.read(0, min(wanted, self._size - self._taken, _TAKE_LIMIT))
            self._taken += len(data)
            if not data:
                # Muted tracks come as a header without samples: then there was nothing to pace.
                if self._taken > _HEADER_SIZE:
                    self._cancel.set()
                return
            if len(data) <= _TRICKLE:
                time.sleep(_TRICKLE_TIME)


def _clean(spool: Spool) -> None:
    """Deletes the files of a synchronous separation once Audacity has copied them."""
    deadline = time.monotonic() + _CLEAN_TIME
    while time.monotonic() < deadline and not (spool.inbox / "imported.txt").exists():
        time.sleep(0.2)
    _remove_audio(spool)


def _remove_audio(spool: Spool) -> None:
    import shutil  # noqa: PLC0415

    for path in spool.inbox.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix in {".wav", ".aup", ".part"} or path.name.startswith("track-"):
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
