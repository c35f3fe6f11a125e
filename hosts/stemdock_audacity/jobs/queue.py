"""The folder in which Audacity's requests wait, and keep stems that were not imported.

inbox/          written and read by the plug-in in Audacity; fixed names, one request at a time
jobs/ID/        one request: a job folder of the kit, with captured audio, stems, stems.aup, delivery.json
recent.jsonl    outcomes of the last requests
status.txt      the text that Stem Status shows
ready.txt       projects that it can bring in; it marks each by a file stems.aup.imported beside it
pipe.lock       held by the program that is connected to Audacity
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

from stemdock import is_running, parse_json_as, printable, write_atomically
from stemdock_audacity.jobs.former import adopt_former
from stemdock_audacity.jobs.job import AudacityJob, Phase, describe
from stemdock_audacity.profile.state_folder import make_state_folder, state_folder
from stemdock_hostkit.job.folder import remove_old_jobs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_N_RECENT: Final = 20
_START_TIME: Final = 120.0
"""Seconds after which a job that no courier has taken counts as interrupted."""

Status = Literal["done", "cancelled", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a request."""

    time: str
    """Local time of day."""
    title: str
    """The names of the tracks."""
    status: Status
    seconds: float = 0.0
    """How long it took; with "done" only."""
    message: str = ""
    """Why it failed, or a note."""

    def __str__(self) -> str:
        """One line for the user."""
        words = {"done": f"done in {self.seconds:.1f} s", "cancelled": "cancelled", "failed": self.message}
        note = f"; {self.message}" if self.status == "done" and self.message else ""
        return printable(" ".join(f"{self.time} {self.title}: {words[self.status]}{note}".split()))


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQueue:
    """The whole folder."""

    folder: Path

    @property
    def inbox(self) -> Path:
        """The folder in which the plug-in writes."""
        return self.folder / "inbox"

    @property
    def jobs_folder(self) -> Path:
        """The parent of the job folders."""
        return self.folder / "jobs"

    def prepare(self) -> None:
        """Creates the folders, which only their owner can enter.

        Raises:
            QueueFolderError: Others can change what is in them, or they cannot be created.
        """
        for path in (self.folder, self.inbox, self.jobs_folder):
            make_state_folder(path)

    def jobs(self) -> list[AudacityJob]:
        """Unfinished and failed jobs, oldest first."""
        found = []
        for path in self.jobs_folder.glob("*/job.json"):
            with suppress(OSError):  # a finished job is removed
                found.append((path.stat().st_mtime_ns, path.parent))
        return [AudacityJob(folder) for _, folder in sorted(found)]

    def waiting(self) -> list[AudacityJob]:
        """Jobs whose stems are made and not in a project yet, oldest first."""
        return [
            job
            for job in self.jobs()
            if job.phase().is_over and job.project.exists() and not job.is_brought_in
        ]

    def is_next(self, job: AudacityJob) -> bool:
        """Whether no earlier job is on its way: stems arrive in the order of the requests."""
        for other in self.jobs():
            if other == job:
                break
            if not other.phase().is_over and not self._is_interrupted(other):
                return False
        return True

    def note(self, title: str, status: Status, *, seconds: float = 0.0, message: str = "") -> None:
        """Adds an outcome to the recent ones."""
        outcome = Outcome(
            time=time.strftime("%H:%M:%S"), title=title, status=status, seconds=seconds, message=message
        )
        with suppress(OSError), (self.folder / "recent.jsonl").open("a", encoding="ascii") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")

    def recent(self) -> list[Outcome]:
        """Recent outcomes, the latest last."""
        try:
            lines = (self.folder / "recent.jsonl").read_text("ascii", errors="replace").splitlines()
        except OSError:
            return []
        outcomes = []
        for line in lines[-_N_RECENT:]:
            with suppress(ValueError):
                outcomes.append(parse_json_as(Outcome, line))
        return outcomes

    def tidy(self) -> None:
        """Forgets old jobs, outcomes and what was brought in, and reports jobs whose courier was killed."""
        remove_old_jobs(self.jobs_folder)
        _write(self.folder / "recent.jsonl", [json.dumps(asdict(outcome)) for outcome in self.recent()])
        for job, message in adopt_former(self.jobs_folder):
            self.fail(job, message)
        for job in self.jobs():
            if job.is_brought_in:
                job.kit.remove()
            elif not job.phase().is_over and self._is_interrupted(job):
                job.kit.cancel()
                self.fail(job, "the separation was interrupted. Start it again in Audacity")

    def fail(self, job: AudacityJob, message: str) -> None:
        """Marks a job as failed; keeps its files only if its stems can still be imported."""
        self.note(job.title, "failed", message=message)
        with suppress(OSError):
            job.update(Phase(phase="failed", message=message))
        if not job.project.exists():
            for path in job.folder.rglob("*.wav"):
                path.unlink(missing_ok=True)

    def _is_interrupted(self, job: AudacityJob) -> bool:
        """Whether the process that carries the job out was killed."""
        if courier := job.phase().courier:
            return not is_running(courier)
        with suppress(OSError):
            return abs(time.time() - (job.folder / "job.json").stat().st_mtime) > _START_TIME
        return False

    def take_cancel_all(self) -> None:
        """Cancels every job if the plug-in asked for that."""
        wish = self.inbox / "cancel.txt"
        if wish.exists():
            wish.unlink(missing_ok=True)
            for job in self.jobs():
                job.kit.cancel()

    def write_status(self) -> None:
        """Writes what Stem Status shows and can bring in."""
        _write(self.folder / "status.txt", self.status_lines())
        _write(self.folder / "ready.txt", [job.project.as_posix() for job in self.waiting()])

    def status_lines(self) -> list[str]:
        """One line for each job."""
        return [f"{job.id}  {describe(job)}" for job in self.jobs()]


def default_queue() -> JobQueue:
    """The user's queue.

    Raises:
        QueueFolderError: There is no folder for it, or others can change what is in it.
    """
    return JobQueue(folder=state_folder())


def _write(path: Path, lines: Sequence[str]) -> None:
    # It only informs. The next write replaces what a killed process left.
    content = "".join(f"{line}\n" for line in lines).encode()
    with suppress(OSError):
        write_atomically(path, content, part=path.with_suffix(".part"))
