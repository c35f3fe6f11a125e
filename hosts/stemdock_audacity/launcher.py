"""The program that Audacity's "external program" export starts, with the selection on standard input.

It queues the captured audio, starts a courier and returns at once.

The exit status is 0, because Audacity opens a window for any other; the outcome is in `inbox/reply.txt`.
Only if that file cannot be trusted, the window has to show the error.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from stemdock_audacity.capture.preference import noted_value, restoring_command
from stemdock_audacity.capture.request import read_request
from stemdock_audacity.errors import QueueFolderError
from stemdock_audacity.jobs.job import add_job
from stemdock_audacity.jobs.queue import default_queue
from stemdock_hostkit import client
from stemdock_hostkit.window.ability import is_silent
from stemdock_hostkit.worker.starting import background_python, start_detached

if TYPE_CHECKING:
    from stemdock_audacity.jobs.queue import JobQueue

_LOOK = "To see the progress, choose Tools > Stemdock > Stem Status."
_READ_ALL = "import os\nwhile os.read(0, 1 << 20): pass"


def main() -> None:
    """Serves one request."""
    try:
        queue = default_queue()
    except QueueFolderError as error:
        sys.exit(f"{error}. {error.remedy}")  # Audacity shows it in a window
    _leave_input()
    try:
        restoring = restoring_command(noted_value((queue.inbox / "preference.txt").read_bytes()))
        kind = "plain" if restoring.isascii() else "other"
        (queue.inbox / "restore.txt").write_bytes(f"{kind} {restoring}\n".encode())
        reply = _serve(queue)
    except Exception as error:  # noqa: BLE001  the plug-in shows every error to the user
        remedy = getattr(error, "remedy", "Run `plugin-cli audacity doctor`.")
        reply = f"message {error}. {remedy}"
    (queue.inbox / "reply.txt").write_text(" ".join(reply.split("\n")) + "\n", "utf-8")


def _leave_input() -> None:
    """Leaves the rest of standard input to a process that reads it to the end.

    Since 3.4, Audacity reports an export whose program has not read all of it as failed.
    """
    subprocess.Popen(  # noqa: S603
        [background_python(), "-I", "-S", "-c", _READ_ALL],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _serve(queue: JobQueue) -> str:
    request = read_request(queue.inbox)
    if not request.tracks:
        _remove_audio(queue)
        return "message The selection contains no audio. Select part of a track and try again."
    job = add_job(request, queue.inbox, queue.jobs_folder, audacity=os.getppid())
    _remove_audio(queue)
    try:
        client.submit(job.kit)
        start_detached("stemdock_audacity.courier", str(job.folder))
    except BaseException:
        job.kit.remove()
        raise
    if is_silent():
        # Something has to be seen between Apply and the new tracks.
        return f"message {job.title}: separating. The stems arrive as new tracks. {_LOOK}"
    return "detached "


def _remove_audio(queue: JobQueue) -> None:
    for pattern in ("*.wav", "track-*"):
        for path in queue.inbox.glob(pattern):
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
