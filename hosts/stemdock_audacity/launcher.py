"""The program that Audacity's "external program" export starts, with the selection on standard input.

With mod-script-pipe, it queues the captured audio, starts a courier and returns at once. Without, it
has it separated while Audacity waits: it reads its input at the speed of the separation, so that Audacity's
export dialog shows the progress. Cancel in that dialog ends the input early.

The exit status is 0, because Audacity opens a window for any other; the outcome is in `inbox/reply.txt`.
Only if that file cannot be trusted, the window has to show the error.
"""

from __future__ import annotations

import os
import sys
import time
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from stemdock_audacity.capture.preference import noted_value, restoring_command
from stemdock_audacity.capture.request import read_request
from stemdock_audacity.errors import QueueFolderError
from stemdock_audacity.jobs.job import Phase, add_job
from stemdock_audacity.jobs.queue import default_queue
from stemdock_hostkit import client
from stemdock_hostkit.worker.starting import start_detached

if TYPE_CHECKING:
    from stemdock_audacity.capture.request import Request
    from stemdock_audacity.jobs.queue import JobQueue
    from stemdock_hostkit.job.states import JobProgress

_HEADER_SIZE: Final = 256
"""Largest size of a WAV header, bytes."""
_TRICKLE: Final = 8192
"""Bytes read between two segments."""
_TAKE_LIMIT: Final = 1 << 20
"""Most bytes read at once."""
_TRICKLE_TIME: Final = 0.05
"""Seconds between two such reads."""
_CLEAN_TIME: Final = 300
"""Seconds after which the files of an import are deleted."""


def main() -> None:
    """Serves one request, or removes the files of an import (--clean)."""
    try:
        queue = default_queue()
    except QueueFolderError as error:
        sys.exit(f"{error}. {error.remedy}")  # Audacity shows it in a window
    if sys.argv[1:] == ["--clean"]:
        _clean(queue)
        return
    try:
        restoring = restoring_command(noted_value((queue.inbox / "preference.txt").read_bytes()))
        (queue.inbox / "restore.txt").write_bytes(restoring.encode() + b"\n")
        reply = _serve(queue)
    except Exception as error:  # noqa: BLE001  the plug-in shows every error to the user
        remedy = getattr(error, "remedy", "Run `plugin-cli audacity doctor`.")
        reply = f"message {error}. {remedy}"
    (queue.inbox / "reply.txt").write_text(" ".join(reply.split("\n")) + "\n", "utf-8")


def _serve(queue: JobQueue) -> str:
    from stemdock_audacity.link.pipe import is_served  # noqa: PLC0415

    request = read_request(queue.inbox)
    if not request.tracks:
        _remove_audio(queue)
        return "message The selection contains no audio. Select part of a track and try again."
    if is_served():
        job = add_job(request, queue.inbox, queue.jobs_folder, audacity=os.getppid())
        _remove_audio(queue)
        try:
            client.submit(job.kit)
            start_detached("stemdock_audacity.courier", str(job.folder))
        except BaseException:
            job.kit.remove()
            raise
        return "detached "
    return _separate_now(queue, request)


def _separate_now(queue: JobQueue, request: Request) -> str:
    # Slow to import, and not needed with the pipe.
    from stemdock_audacity.delivery.legacy import write_project  # noqa: PLC0415
    from stemdock_audacity.delivery.stem_tracks import stem_tracks  # noqa: PLC0415

    cancel = Event()
    pacer = _Pacer(request, cancel)
    (queue.inbox / "imported.txt").unlink(missing_ok=True)
    job = add_job(request, queue.inbox, queue.jobs_folder, output_folder=queue.inbox / "stems")
    try:
        job.update(Phase(courier=os.getpid()))
        result = client.run(job.kit, on_progress=pacer.advance, cancel=cancel)
    finally:
        job.kit.remove()
    if result.status == "cancelled":
        _remove_audio(queue)
        return "detached "
    write_project(queue.inbox / "stems.aup", stem_tracks(request, result), request.project_rate)
    start_detached("stemdock_audacity.launcher", "--clean")
    return "import "


class _Pacer:
    """Reads the mixture from standard input at the speed of the separation.

    It also reads a little between two segments, because Audacity updates its dialog and its Cancel
    button only while its output is read.
    """

    def __init__(self, request: Request, cancel: Event) -> None:
        seconds = max(track.length / track.sample_rate for track in request.tracks)
        # Stereo, 32-bit float, at the project's rate; the rest stays until the end.
        self._size = int(seconds * request.project_rate * 8 * 0.9)
        self._taken = 0
        self._share = 0.0
        self._cancel = cancel
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415

            msvcrt.setmode(0, os.O_BINARY)
        Thread(target=self._take, daemon=True).start()

    def advance(self, progress: JobProgress) -> None:
        """Allows the finished share of the input to be read."""
        if progress.state == "separating":
            self._share = progress.fraction

    def _take(self) -> None:
        # Not with sys.stdin: a thread that waits there keeps the process from exiting cleanly.
        while self._taken < self._size:
            wanted = max(_TRICKLE, int(self._size * self._share) - self._taken)
            data = os.read(0, min(wanted, self._size - self._taken, _TAKE_LIMIT))
            self._taken += len(data)
            if not data:
                # Muted tracks arrive as a header without samples: that is no cancellation.
                if self._taken > _HEADER_SIZE:
                    self._cancel.set()
                return
            if len(data) <= _TRICKLE:
                time.sleep(_TRICKLE_TIME)


def _clean(queue: JobQueue) -> None:
    """Deletes the files of a separation without pipe after Audacity has imported them."""
    deadline = time.monotonic() + _CLEAN_TIME
    while time.monotonic() < deadline and not (queue.inbox / "imported.txt").exists():
        time.sleep(0.2)
    _remove_audio(queue)


def _remove_audio(queue: JobQueue) -> None:
    import shutil  # noqa: PLC0415

    for path in queue.inbox.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix in {".wav", ".aup"} or path.name.startswith("track-"):
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
