"""The queue: the jobs that the worker has to do, in order.

A ticket is a small file that names a job folder, wherever an editor keeps it. Tickets are numbered, so their
order does not depend on the clock. A ticket stays until its job is over: after a worker was killed, the next
one finds the job by it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stemdock import move_all_to_place, parse_json, staging
from stemdock_hostkit.job.folder import Job

_SUFFIX: Final = ".ticket"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A job in the queue."""

    path: Path
    job: Job

    def remove(self) -> None:
        """Takes the job out of the queue."""
        with suppress(OSError):
            self.path.unlink()


@dataclass(frozen=True, slots=True)
class Queue:
    """The tickets in a folder."""

    folder: Path

    def put(self, job: Job) -> None:
        """Adds a job at the end, unless it is in the queue already.

        Raises:
            OSError: The ticket cannot be written.
            OutputError: So is the folder.
        """
        if job in self:
            return
        content = json.dumps({"folder": str(job.folder.absolute())}).encode("ascii")
        number = max((int(path.stem) for path in self._paths()), default=0)
        with staging(self.folder) as hidden:
            while True:
                number += 1
                # Another process may take the same number at the same moment.
                with suppress(FileExistsError):
                    staged = hidden / "ticket"
                    staged.write_bytes(content)
                    move_all_to_place({staged: self.folder / f"{number:08}{_SUFFIX}"}, overwrite=False)
                    return

    def tickets(self) -> list[Ticket]:
        """All tickets in order. Damaged ones, which name no job, are removed."""
        found = []
        for path in self._paths():
            try:
                found.append(Ticket(path, Job(Path(parse_json(path.read_bytes())["folder"]))))
            except FileNotFoundError:
                continue
            except (OSError, ValueError, TypeError, LookupError):
                with suppress(OSError):
                    path.unlink()
        return found

    def __contains__(self, job: Job) -> bool:
        return any(ticket.job.folder == job.folder.absolute() for ticket in self.tickets())

    def _paths(self) -> list[Path]:
        paths = (path for path in self.folder.glob(f"*{_SUFFIX}") if path.stem.isdecimal())
        return sorted(paths, key=lambda path: int(path.stem))
