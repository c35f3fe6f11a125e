"""Separates the sources of a job; runs in a process of its own, beside REAPER."""

from __future__ import annotations

import math
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stemdock import (
    CancelledError,
    ModelContractError,
    OutputError,
    StemdockError,
    move_all_to_place,
    staging,
)
from stemdock_reaper.heartbeat import Heartbeat
from stemdock_reaper.jobs import claim_job, read_job, write_result
from stemdock_reaper.naming import reserve_paths, title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from stemdock import Progress, Separator
    from stemdock_reaper.jobs import Job, Source

_LOADED: Final = 0.02
"""Share of the progress for loading the model."""
_MOST_PLACES: Final = 3
"""Damaged places of a source that the result names: a message box has room for a few lines."""
_REMEDY: Final = "Save the project in a folder that you can write to, and start the action again."


def run_job(folder: Path, open_separator: Callable[[str], Separator]) -> str:
    """Runs one job, from claim to result.

    Args:
        folder: The job folder.
        open_separator: Loads a model by name, and may keep it for the next job.

    Returns:
        The status in the result: "ok", "cancelled" or "error".

    Raises:
        JobError: The job cannot be claimed, or the result cannot be written.
    """
    with Heartbeat(claim_job(folder)) as heartbeat:
        result = _result(folder, open_separator, heartbeat)
    write_result(folder, result)
    return str(result["status"])


def _result(folder: Path, open_separator: Callable[[str], Separator], heartbeat: Heartbeat) -> dict[str, Any]:
    """Separates; every error becomes a result, so that the script never waits in vain."""
    try:
        job = read_job(folder)
        with _own_files_removed(job):
            heartbeat.report(0.0, "Loading the model")
            return _separate(job, open_separator(job.model), heartbeat)
    except CancelledError:
        return {"status": "cancelled"}
    except StemdockError as error:
        return {"status": "error", "error": _described(error)}
    except BaseException as error:  # signals that end the process, too
        traceback.print_exc()
        write_result(folder, {"status": "error", "error": _described(error)})
        raise


def _separate(job: Job, separator: Separator, heartbeat: Heartbeat) -> dict[str, Any]:
    stems = job.stems or separator.stems
    unknown = [stem for stem in stems if stem not in separator.stems]
    if unknown:
        raise ModelContractError(
            separator.model,
            f"has no stem {', '.join(unknown)}",
            remedy=f"Choose among its stems: {', '.join(separator.stems)}.",
        )
    total = sum(source.duration or 1.0 for source in job.sources)
    done = 0.0
    entries = []
    for number, source in enumerate(job.sources, start=1):
        text = f"Separating {source.name}"
        if len(job.sources) > 1:
            text += f" ({number} of {len(job.sources)})"
        share = (source.duration or 1.0) / total

        def report(fraction: float, before: float = done, share: float = share, text: str = text) -> None:
            heartbeat.report(_LOADED + (1 - _LOADED) * (before + share * fraction), text)

        report(0.0)
        try:
            entries.append(_separate_source(job, source, separator, stems, report, heartbeat))
        except CancelledError:
            _discard(entries)
            raise
        except StemdockError as error:
            entries.append({"id": source.id, "status": "error", "error": _described(error)})
        done += share
    if heartbeat.check_cancel():
        _discard(entries)
        raise CancelledError
    if all(entry["status"] == "error" for entry in entries):
        return {"status": "error", "error": entries[0]["error"], "sources": entries}
    return {"status": "ok", "output_dir": str(job.output_folder), "sources": entries}


def _separate_source(
    job: Job,
    source: Source,
    separator: Separator,
    stems: Sequence[str],
    report: Callable[[float], None],
    heartbeat: Heartbeat,
) -> dict[str, Any]:
    """Separates one source; returns its entry in the result."""
    # Slow, so it follows the first progress line.
    from stemdock import Excerpt, Observer, separate_file  # noqa: PLC0415

    def on_progress(progress: Progress) -> None:
        report(progress.done_length / progress.total_length if progress.total_length else 0.0)

    if heartbeat.cancel.is_set():
        raise CancelledError
    with staging(job.output_folder, remedy=_REMEDY) as hidden:
        separated = separate_file(
            separator,
            source.path,
            hidden,
            excerpt=Excerpt(start=source.start, duration=source.duration),
            observer=Observer(on_progress=on_progress, cancel=heartbeat.cancel),
        )
        paths = reserve_paths(job.output_folder, source.name, stems)
        _move({separated.stems[stem]: path for stem, path in paths.items()})
    rate = separated.sample_rate
    return {
        "id": source.id,
        "status": "ok",
        "start": math.floor(round(source.start * rate, 6)) / rate,
        "duration": separated.total_length / rate,
        "stems": [{"name": stem, "title": title(stem), "path": str(path)} for stem, path in paths.items()],
        "damage": [str(place) for place in separated.damage[:_MOST_PLACES]],
    }


def _move(files: Mapping[Path, Path]) -> None:
    """Replaces the empty files that reserve the names with the stems: all or none."""
    try:
        move_all_to_place(files, durable=True)  # before the result names them
    except OSError as error:
        for path in files.values():
            with suppress(OSError):
                path.unlink()
        raise OutputError(
            Path(error.filename2 or path),
            f"cannot be written ({error.strerror})",
            remedy="Close programs that use this file, and start the action again.",
        ) from error


@contextmanager
def _own_files_removed(job: Job) -> Iterator[None]:
    """Removes the files that the script rendered for this job: they are as large as the songs."""
    try:
        yield
    finally:
        for source in job.sources:
            if job.is_own_file(source.path):
                with suppress(OSError):
                    source.path.unlink()


def _discard(entries: Sequence[dict[str, Any]]) -> None:
    """Removes the stems of a cancelled job, which no project uses."""
    for entry in entries:
        for stem in entry.get("stems", ()):
            with suppress(OSError):
                Path(stem["path"]).unlink()


def _described(error: BaseException) -> dict[str, str]:
    if isinstance(error, StemdockError):
        return {"code": type(error).__name__, "message": str(error), "hint": error.remedy}
    message = f"Stemdock failed unexpectedly ({error!r})"
    return {"code": type(error).__name__, "message": message, "hint": "Please report this with the log file."}
