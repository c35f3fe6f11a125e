"""plugin-cli reaper work."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stemdock import os_errors_as
from stemdock_reaper.errors import JobError
from stemdock_reaper.jobs import require_job
from stemdock_reaper.worker import run_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock import Plugins, Separator


@click.command("work")
@click.argument("folder", metavar="JOBDIR", type=click.Path(path_type=Path))
@click.pass_obj
def command(plugins: Plugins, folder: Path) -> int:
    """Run one job; REAPER starts this command in the background.

    The exit status is 0 if the status in result.json is "ok".
    """

    def open_separator(model: str) -> Separator:
        from stemdock import Separator  # noqa: PLC0415  slow, so it follows the first progress line

        return Separator(model, plugins=plugins)

    require_job(folder)
    with _logged(folder / "log.txt"):
        status = run_job(folder.absolute(), open_separator)
    return {"ok": 0, "cancelled": 130}.get(status, 1)


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Redirects all output, also of C libraries, to a file: REAPER does not read it."""
    with os_errors_as(lambda reason: JobError(path.parent, f"cannot be written ({reason})")):
        log = path.open("a", encoding="utf-8", buffering=1)
    # pythonw on Windows has no streams and no descriptors.
    streams = sys.stdout, sys.stderr
    for stream in filter(None, streams):
        stream.flush()
    kept = [(number, _duplicate(number)) for number in (1, 2)]
    with log:
        sys.stdout = sys.stderr = log
        for number, _ in kept:
            os.dup2(log.fileno(), number)
        try:
            yield
        finally:
            log.flush()
            sys.stdout, sys.stderr = streams
            for number, copy in kept:
                if copy is not None:
                    os.dup2(copy, number)
                    os.close(copy)


def _duplicate(number: int) -> int | None:
    try:
        return os.dup(number)
    except OSError:
        return None
