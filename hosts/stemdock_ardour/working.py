"""Carries out what the script asks for: request.tsv becomes a job of the kit, its result becomes result.tsv.

request.tsv    session  NAME SAMPLE_RATE
               options  MODEL STEM "remainder" "mute" SUMS, empty where not wanted; sums such as
                        drums+bass:-6dB are separated by spaces or commas
               piece    NUMBER NAME START LENGTH POSITION REGION TRACK, in samples of the session;
                        the script alone uses what follows the length
               channel  PATH NUMBER, of the piece before
               note     TEXT, for the script
result.tsv     stem     PIECE NAME TITLE PATH DURATION, in seconds
               note     TEXT, for the user
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock import (
    CancelledError,
    StemdockError,
    make_private_folder,
    os_errors_as,
    read_regular_file,
    write_atomically,
)
from stemdock_ardour.errors import RequestError
from stemdock_ardour.tables import line, rows
from stemdock_hostkit import client
from stemdock_hostkit.job.folder import Job, remove_old_jobs
from stemdock_hostkit.job.request import Channel, Request, Source
from stemdock_hostkit.job.states import Fault
from stemdock_hostkit.window.showing import show
from stemdock_hostkit.window.values import Ending, Subject

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from stemdock_hostkit.job.states import JobProgress, JobResult

NAME: Final = "Ardour"


@dataclass(frozen=True, slots=True)
class Work:
    """A job of the script, by its folder."""

    folder: Path

    def show(self) -> Ending:
        """Does the job, in a window.

        Raises:
            RequestError: The request cannot be read.
            JobError: The job cannot be written.
        """
        remove_old_jobs(self.folder.parent)
        request = self._request()
        Job(self.folder).write_request(request)
        stems = request.stems and (*request.stems, *request.mixes)
        return show(self._serve, Subject(host=NAME, title=request.title, stems=stems))

    def _serve(self, report: Callable[[JobProgress], None], cancel: Event, consent: Event) -> Ending:
        job = Job(self.folder)
        try:
            result = client.run(job, on_progress=report, cancel=cancel, consent=consent)
            if result.status == "cancelled":
                raise CancelledError  # noqa: TRY301  one way out
            if result.status == "ok":
                self._answer(result)
                return Ending(
                    kind="done", text="The stems are ready.", next_step="They appear in the session."
                )
            return self._failed(result.faults[0])
        except CancelledError:
            job.remove()
            return Ending(kind="cancelled")
        except StemdockError as error:
            return self._failed(Fault.of(error))

    def _failed(self, fault: Fault) -> Ending:
        # The window says why, and the script has nothing left to do.
        self._write("")
        log = Job(self.folder).log
        return Ending(
            kind="failed", text=f"{fault.message}.", next_step=fault.remedy, log=log if log.exists() else None
        )

    def _request(self) -> Request:
        path = self.folder / "request.tsv"
        with os_errors_as(lambda reason: RequestError(path, reason)):
            text = read_regular_file(path).decode("utf-8", "surrogateescape")
        try:
            return self._read(rows(text))
        except (ValueError, LookupError) as error:
            raise RequestError(path, f"is damaged ({error!r})") from error

    def _read(self, lines: list[list[str]]) -> Request:
        sources: list[Source] = []
        for kind, *fields in lines:
            if kind == "session":
                sample_rate = int(fields[1])
            elif kind == "options":
                model, stem, remainder, _, sums = fields
            elif kind == "piece":
                number, name, start, length, *_ = fields
                sources.append(
                    Source(
                        id=number,
                        name=name,
                        start=int(start) / sample_rate,
                        duration=int(length) / sample_rate,
                        # Ardour uses parts of a file's name for its own purposes.
                        file_name=f"stems-{self.folder.name}-{number}",
                    )
                )
            elif kind == "channel":
                channel = Channel(path=Path(fields[0]), number=int(fields[1]))
                sources[-1] = replace(sources[-1], channels=(*sources[-1].channels, channel))
        stems = self.folder / "stems"
        make_private_folder(stems)
        return Request(
            host=NAME,
            output_folder=stems,
            model=model,
            sources=tuple(sources),
            stems=(stem,) if stem else None,
            mixes={
                **({f"everything but {stem}": ("mixture", f"-{stem}")} if remainder else {}),
                **_mixes(sums),
            },
        )

    def _answer(self, result: JobResult) -> None:
        names = {source.id: source.name for source in Job(self.folder).request().sources}
        lines = []
        for source in result.sources:
            name = names[source.id]
            if source.error:
                lines.append(line("note", f"{name}: {source.error.message}. {source.error.remedy}"))
            lines += [
                line("stem", source.id, stem.name, stem.title, stem.path, source.length / source.sample_rate)
                for stem in source.stems
            ]
            lines += [line("note", f"{name} {damage}.") for damage in source.damage]
        self._write("".join(lines))

    def _write(self, text: str) -> None:
        path = self.folder / "result.tsv"
        with os_errors_as(lambda reason: RequestError(path, reason)):
            write_atomically(path, text.encode("utf-8", "surrogateescape"), durable=True)


def _mixes(text: str) -> dict[str, tuple[str, ...]]:
    """The sums in a text such as "drums+bass, vocals:-12dB + piano"."""
    sums = re.sub(r"\s*([+:])\s*", r"\1", text).replace(",", " ").split()
    # A file cannot have a colon in its name. A plus after a colon belongs to a gain.
    return {each.replace(":", " "): tuple(re.split(r"(?<!:)\+", each)) for each in sums}
