"""A request of Audacity as a job of the kit, and the way of its stems into the project."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

from stemdock import parse_json_as, printable, write_atomically
from stemdock_audacity.capture.request import Request  # noqa: TC001  a type of values that are read
from stemdock_audacity.errors import ReplyError
from stemdock_hostkit.errors import JobError
from stemdock_hostkit.job.folder import Job, new_job_folder
from stemdock_hostkit.job.request import Request as KitRequest
from stemdock_hostkit.job.request import Source

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_audacity.capture.request import CapturedTrack

NAME: Final = "Audacity"
_PID_LIMIT: Final = 1 << 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What only Audacity's part needs of a job: the `details` in job.json."""

    request: Request
    audacity: int = 0
    """Id of the process of Audacity that sent the request; 0 if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Where a job is on its way to Audacity: the content of delivery.json."""

    phase: Literal["separating", "delivering", "ready", "failed"] = "separating"
    """"ready": the user has to bring the stems in."""
    courier: int = 0
    """Id of the process that carries the job out; 0 before it has started."""
    message: str = ""

    def __post_init__(self) -> None:
        """Checks the range.

        Raises:
            ValueError: The number of the process is out of range.
        """
        if not 0 <= self.courier < _PID_LIMIT:
            raise ValueError(f"process {self.courier}")

    @property
    def is_over(self) -> bool:
        """Whether no process carries the job out any more."""
        return self.phase in {"ready", "failed"}


@dataclass(frozen=True, slots=True)
class AudacityJob:
    """The folder of one request."""

    folder: Path

    @property
    def kit(self) -> Job:
        """The job for the worker."""
        return Job(self.folder)

    @property
    def id(self) -> str:
        """The name to give to `plugin-cli audacity cancel`."""
        return self.folder.name

    @property
    def project(self) -> Path:
        """The .aup project that imports the stems."""
        return self.folder / "stems.aup"

    @property
    def is_brought_in(self) -> bool:
        """Whether the plug-in has imported the project."""
        return self.project.with_name(f"{self.project.name}.imported").exists()

    @property
    def title(self) -> str:
        """The names of the tracks, as shown to the user."""
        try:
            return self.kit.request().title
        except JobError:
            return self.id

    def details(self) -> Details:
        """Reads what only Audacity's part needs.

        Raises:
            JobError: The job is damaged.
            ReplyError: The part of it that is Audacity's is damaged.
        """
        text = json.dumps(self.kit.request().details)
        try:
            return parse_json_as(Details, text)
        except ValueError as error:
            raise ReplyError(f"the saved request is damaged ({error})", text) from error

    def phase(self) -> Phase:
        """Reads how far the job is."""
        try:
            return parse_json_as(Phase, (self.folder / "delivery.json").read_bytes())
        except (OSError, ValueError):
            return Phase()

    def update(self, phase: Phase) -> None:
        """Writes how far the job is."""
        # Only one process writes. The next write replaces what a killed one left.
        content = json.dumps(asdict(phase)).encode("ascii")
        write_atomically(self.folder / "delivery.json", content, part=self.folder / "delivery.part")


def add_job(
    request: Request, inbox: Path, jobs: Path, *, output_folder: Path | None = None, audacity: int = 0
) -> AudacityJob:
    """Makes a job from captured files.

    Args:
        request: What to separate.
        inbox: The folder of the captured files, on the same disk; the files are moved.
        jobs: The parent of the job folders.
        output_folder: Where the stems go; into the job's folder if not given.
        audacity: Id of the process of Audacity.

    Raises:
        JobError: The job cannot be written.
    """
    folder = new_job_folder(jobs)
    for track in request.tracks:
        (inbox / captured_name(track)).replace(folder / captured_name(track))
    complete_job(folder, Details(request=request, audacity=audacity), output_folder or folder / "stems")
    return AudacityJob(folder)


def complete_job(folder: Path, details: Details, output_folder: Path) -> None:
    """Writes the request in the words of the kit, into a folder that contains the captured files.

    Raises:
        JobError: It cannot be written.
    """
    request = details.request
    rest = request.remainder_name
    kit_request = KitRequest(
        host=NAME,
        output_folder=output_folder,
        model=request.model,
        sources=tuple(_source(track, folder) for track in request.tracks),
        stems=request.stems or None,
        mixes={rest: ("mixture", *(f"-{stem}" for stem in request.stems))} if rest else {},
        details=asdict(details),
    )
    Job(folder).write_request(kit_request)


def captured_name(track: CapturedTrack) -> str:
    """Name of the file with the captured audio of a track."""
    return f"track-{track.index + 1}.wav"


def _source(track: CapturedTrack, folder: Path) -> Source:
    is_whole = track.separable_length == track.length
    return Source(
        id=str(track.index),
        name=track.name or f"Track {track.index + 1}",
        path=folder / captured_name(track),
        start=(track.first_sample - track.start_sample) / track.sample_rate,
        duration=None if is_whole else track.separable_length / track.sample_rate,
        file_name=str(track.index + 1),
    )


def describe(job: AudacityJob) -> str:
    """A job's state in words."""
    return printable(f"{job.title}: {_state(job)}")


def _state(job: AudacityJob) -> str:
    now = job.phase()
    if now.phase == "failed":
        return f"failed: {now.message}"
    if now.phase == "ready":
        return "ready to be brought in"
    if now.phase == "delivering":
        return "importing the stems into Audacity" + (f" ({now.message})" if now.message else "")
    progress = job.kit.progress()
    if progress is None or progress.state == "waiting":
        return "waiting"
    if progress.state == "separating":
        return f"separating, {progress.fraction:.0%}"
    return f"{progress.text[:1].lower()}{progress.text[1:]}"
