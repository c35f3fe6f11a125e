"""The program that the extension in Audacity 4 starts: `python -P -m stemdock_audacity.audacity4.program`.

`models` prints the models that the dialog offers. `work FOLDER` has a job done and waits for its result.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

from stemdock import DEFAULT_MODEL, load_plugins
from stemdock_hostkit.client import run
from stemdock_hostkit.job.folder import Job
from stemdock_hostkit.job.states import Fault, JobResult
from stemdock_hostkit.worker.naming import title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock import ModelDownload, ModelEntry, Plugins

MODULE: Final = "stemdock_audacity.audacity4.program"
_LOOK_EVERY: Final = 0.2
"""Seconds between two checks whether Audacity is still there."""
_MEGABYTE: Final = 1e6
_CANCELLED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line says; returns the exit status."""
    verb, *rest = sys.argv[1:] if arguments is None else arguments
    if verb == "models":
        print(json.dumps({"models": offer(load_plugins())}))  # noqa: T201  the answer
        return 0
    return work(Job(Path(rest[0])))


def offer(plugins: Plugins) -> list[dict[str, Any]]:
    """The models of the dialog: first the default one, then the others that are installed, then downloads."""
    installed = sorted(plugins.models(), key=lambda entry: entry.name != DEFAULT_MODEL)
    names = {entry.name for entry in installed}
    missing = [download for download in plugins.downloads() if download.name not in names]
    return [*map(_described, installed), *map(_described_download, missing)]


def work(job: Job) -> int:
    """Has a job done; whatever happens, there is a result.

    Returns:
        The exit status: 0 if the stems are there.
    """
    cancel = Event()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: cancel.set())
    Thread(target=_watch_parent, args=(cancel,), daemon=True).start()
    try:
        # The extension answers in the job folder whether a model may be downloaded.
        status = run(job, cancel=cancel, consent=Event()).status
    except Exception as error:  # noqa: BLE001  the user is told whatever happens
        if not job.is_over:
            job.write_result(JobResult(status="error", error=Fault.of(error)))
        status = "error"
    return {"ok": 0, "cancelled": _CANCELLED}.get(status, 1)


def _watch_parent(cancel: Event) -> None:
    """Cancels when Audacity has gone. On Windows, the library ends this process with Audacity."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
    cancel.set()


def _described(entry: ModelEntry) -> dict[str, Any]:
    return {"name": entry.name, "stems": _stems(entry), "installed": True}


def _described_download(download: ModelDownload) -> dict[str, Any]:
    return {
        "name": download.name,
        "stems": _stems(download),
        "installed": False,
        "size": f"{download.n_bytes / _MEGABYTE:.0f} MB",
        "source": download.source,
    }


def _stems(model: ModelEntry | ModelDownload) -> list[dict[str, str]]:
    return [{"name": stem, "title": title(stem)} for stem in model.stems]


if __name__ == "__main__":
    sys.exit(main())
