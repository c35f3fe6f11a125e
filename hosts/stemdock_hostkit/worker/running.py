"""Does one job: separates its sources, and writes the result."""

from __future__ import annotations

import math
import traceback
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from stemdock import CancelledError, StemdockError, printable, staging
from stemdock_hostkit.errors import InterruptedJobError
from stemdock_hostkit.job.live import LiveWriter
from stemdock_hostkit.job.states import Fault, JobResult, SourceResult, Stem
from stemdock_hostkit.worker.joining import join_channels, joined_file, own_files
from stemdock_hostkit.worker.naming import move_to_free_names, title
from stemdock_hostkit.worker.reporter import Reporter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from stemdock import Excerpt, Progress, SeparatedFile, Separator
    from stemdock_hostkit.job.folder import Job
    from stemdock_hostkit.job.request import Request, Source
    from stemdock_hostkit.job.states import Status

OpenSeparator: TypeAlias = "Callable[[str, Reporter], Separator]"
"""Loads a model by name, or gives the one that is loaded."""

_MOST_PLACES: Final = 3
"""Damaged places of a source that the result names: a message box has room for a few lines."""
_REMEDY: Final = "Save the project in a folder that you can write to, and start the separation again."


def run_job(job: Job, open_separator: OpenSeparator, reporter: Reporter | None = None) -> Status:
    """Does one job, from claim to result.

    Args:
        job: The job.
        open_separator: Provides the model.
        reporter: Reports the progress of this job; a new one if not given.

    Returns:
        The status in the result.

    Raises:
        JobError: The job cannot be claimed, or the result cannot be written.
    """
    job.claim()
    with reporter or Reporter(job) as active:
        result = _result(job, open_separator, active)
    job.write_result(result)
    return result.status


def _result(job: Job, open_separator: OpenSeparator, reporter: Reporter) -> JobResult:
    """Separates; every error becomes a result, so that the editor never waits in vain."""
    try:
        request = job.request()
        with _own_files_removed(job, request):
            return _separate(job, request, open_separator(request.model, reporter), reporter)
    except CancelledError:
        if reporter.is_interrupted:
            return JobResult(status="error", error=Fault.of(InterruptedJobError(job.folder)))
        return JobResult(status="cancelled")
    except StemdockError as error:
        return JobResult(status="error", error=Fault.of(error))
    except BaseException as error:
        traceback.print_exc()
        job.write_result(JobResult(status="error", error=Fault.of(error)))
        raise


def _separate(job: Job, request: Request, separator: Separator, reporter: Reporter) -> JobResult:
    """Separates all sources before the first stem gets its name: a job that ends early leaves nothing."""
    with staging(request.output_folder, remedy=_REMEDY) as hidden:
        outcomes = list(_separated(job, request, separator, hidden, reporter))
        if reporter.check_cancel():
            raise CancelledError
        sources = tuple(_placed(job, request, source, outcome) for source, outcome in outcomes)
    if all(result.error for result in sources):
        return JobResult(status="error", error=sources[0].error, sources=sources)
    return JobResult(status="ok", output_folder=request.output_folder, sources=sources)


def _separated(
    job: Job, request: Request, separator: Separator, hidden: Path, reporter: Reporter
) -> Iterator[tuple[Source, SeparatedFile | StemdockError]]:
    """Each source with its stems in the hidden folder, or with the reason why there are none."""
    total = sum(source.duration or 1.0 for source in request.sources)
    done = 0.0
    for number, source in enumerate(request.sources, start=1):
        text = f"Separating {printable(source.name)}"
        if len(request.sources) > 1:
            text += f" ({number} of {len(request.sources)})"
        share = (source.duration or 1.0) / total

        def report(fraction: float, before: float = done, share: float = share, text: str = text) -> None:
            reporter.report("separating", before + share * fraction, text)

        report(0.0)
        try:
            file = _file_of(job, source, reporter)
            folder = hidden / str(number)
            with LiveWriter(job, source.id) if request.live else nullcontext() as live:
                outcome = _separate_source(request, file, separator, folder, report, live, reporter)
            yield source, outcome
        except CancelledError:
            raise
        except StemdockError as error:
            yield source, error
        done += share


def _file_of(job: Job, source: Source, reporter: Reporter) -> tuple[Path, Excerpt]:
    """The file to separate, which is made if the source has one for each channel, and the part of it."""
    from stemdock import Excerpt  # noqa: PLC0415  slow, so it follows the first progress line

    if source.path is not None:
        return source.path, Excerpt(start=source.start, duration=source.duration)
    path = joined_file(job, source)
    join_channels(source, path, reporter.cancel)
    return path, Excerpt()


def _separate_source(
    request: Request,
    source: tuple[Path, Excerpt],
    separator: Separator,
    folder: Path,
    report: Callable[[float], None],
    live: LiveWriter | None,
    reporter: Reporter,
) -> SeparatedFile:
    # Slow, so it follows the first progress line.
    from stemdock import Observer, Output, separate_file  # noqa: PLC0415

    def on_progress(progress: Progress) -> None:
        report(progress.done_length / progress.total_length if progress.total_length else 0.0)

    if reporter.cancel.is_set():
        raise CancelledError
    path, excerpt = source
    return separate_file(
        separator,
        path,
        folder,
        output=Output(stems=request.stems, mixes=request.mixes),
        excerpt=excerpt,
        downmix=request.downmix,
        observer=Observer(
            on_progress=on_progress, on_block=live.add if live else None, cancel=reporter.cancel
        ),
    )


def _placed(
    job: Job, request: Request, source: Source, outcome: SeparatedFile | StemdockError
) -> SourceResult:
    """Gives the stems of a source their names."""
    if isinstance(outcome, StemdockError):
        return SourceResult(id=source.id, error=Fault.of(outcome))
    name = source.file_name or source.name
    try:
        paths = move_to_free_names(job, outcome.files, request.output_folder, name)
    except StemdockError as error:
        return SourceResult(id=source.id, error=Fault.of(error))
    rate = outcome.sample_rate
    return SourceResult(
        id=source.id,
        start=math.floor(round(source.start * rate, 6)) / rate,
        sample_rate=rate,
        length=outcome.total_length,
        n_channels=outcome.n_channels,
        stems=tuple(Stem(name=stem, title=title(stem), path=path) for stem, path in paths.items()),
        damage=tuple(str(place) for place in outcome.damage[:_MOST_PLACES]),
    )


@contextmanager
def _own_files_removed(job: Job, request: Request) -> Iterator[None]:
    """Removes the files that were made for this job: they are as large as the songs."""
    try:
        yield
    finally:
        for path in own_files(job, request):
            with suppress(OSError):
                path.unlink()
