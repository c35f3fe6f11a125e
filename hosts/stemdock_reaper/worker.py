"""Separates what a job folder asks for; runs in a process of its own, beside REAPER."""

from __future__ import annotations

import math
import shutil
import tempfile
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stemdock import CancelledError, ModelContractError, OutputError, StemdockError
from stemdock_reaper.attendant import Attendant
from stemdock_reaper.jobs import claim_job, read_job, write_result
from stemdock_reaper.naming import reserve_paths, title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from stemdock import Progress, Separator
    from stemdock_reaper.jobs import Job, Source

_LOADED: Final = 0.02
"""Fraction of a job that loading the model counts for."""


def work(folder: Path, open_separator: Callable[[str], Separator]) -> str:
    """Does one job from claim to result.

    Args:
        folder: The job folder.
        open_separator: Loads a model by name; may keep it for the next job.

    Returns:
        The status in the result: "ok", "cancelled" or "error".

    Raises:
        JobError: The folder cannot be claimed, or cannot take the result.
    """
    with Attendant(claim_job(folder)) as attendant:
        result = _result(folder, open_separator, attendant)
    write_result(folder, result)
    return str(result["status"])


def _result(folder: Path, open_separator: Callable[[str], Separator], attendant: Attendant) -> dict[str, Any]:
    """Separates; whatever happens becomes a result, so that the script is never left waiting."""
    try:
        job = read_job(folder)
        with _own_files_removed(job):
            attendant.tell(0.0, "Loading the model")
            return _separate(job, open_separator(job.model), attendant)
    except CancelledError:
        return {"status": "cancelled"}
    except StemdockError as error:
        return {"status": "error", "error": _described(error)}
    except BaseException as error:  # also when the process is told to end
        traceback.print_exc()
        write_result(folder, {"status": "error", "error": _described(error)})
        raise


def _separate(job: Job, separator: Separator, attendant: Attendant) -> dict[str, Any]:
    stems = job.stems or separator.stems
    unknown = [stem for stem in stems if stem not in separator.stems]
    if unknown:
        raise ModelContractError(
            separator.model,
            f"has no stem {', '.join(unknown)}",
            remedy=f"It has: {', '.join(separator.stems)}. Choose among these.",
        )
    total = sum(source.duration or 1.0 for source in job.sources)
    done = 0.0
    entries = []
    for number, source in enumerate(job.sources, start=1):
        text = f"Separating {source.name}"
        if len(job.sources) > 1:
            text += f" ({number} of {len(job.sources)})"
        share = (source.duration or 1.0) / total

        def tell(fraction: float, before: float = done, share: float = share, text: str = text) -> None:
            attendant.tell(_LOADED + (1 - _LOADED) * (before + share * fraction), text)

        tell(0.0)
        try:
            entries.append(_separate_source(job, source, separator, stems, tell, attendant))
        except CancelledError:
            _discard(entries)
            raise
        except StemdockError as error:
            entries.append({"id": source.id, "status": "error", "error": _described(error)})
        done += share
    if attendant.look():
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
    tell: Callable[[float], None],
    attendant: Attendant,
) -> dict[str, Any]:
    """Separates one source; returns its entry in the result."""
    from stemdock import separate_file  # noqa: PLC0415  takes a while, and progress has begun to be told

    def on_progress(progress: Progress) -> None:
        tell(progress.done_length / progress.total_length if progress.total_length else 0.0)

    if attendant.cancel.is_set():
        raise CancelledError
    with _staging(job.output_folder) as staging:
        separated = separate_file(
            separator,
            source.path,
            staging,
            start=source.start,
            duration=source.duration,
            on_progress=on_progress,
            cancel=attendant.cancel,
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
    }


def _move(files: Mapping[Path, Path]) -> None:
    """Moves stems onto the empty files that hold their names, all or none."""
    try:
        for staged, path in files.items():
            staged.replace(path)
    except OSError as error:
        for path in files.values():
            with suppress(OSError):
                path.unlink()
        raise OutputError(
            path, f"cannot be written ({error.strerror})", remedy="Close what uses the file, and try again."
        ) from error


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder`, gone at the end."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".stemdock-", dir=folder))
    except (OSError, ValueError) as error:
        # Of a path with a NUL in it, or of letters that are none, Python says that the value is wrong.
        raise OutputError(
            folder,
            f"cannot be written to ({error.strerror if isinstance(error, OSError) else error})",
            remedy="Save the project in a folder that you may write to, and start the action again.",
        ) from error
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _own_files_removed(job: Job) -> Iterator[None]:
    """Removes the inputs that the script rendered for this job: they are as large as the songs."""
    try:
        yield
    finally:
        for source in job.sources:
            if job.is_own_file(source.path):
                with suppress(OSError):
                    source.path.unlink()


def _discard(entries: Sequence[dict[str, Any]]) -> None:
    """Removes the stems of a job that was cancelled: nothing would ever refer to them."""
    for entry in entries:
        for stem in entry.get("stems", ()):
            with suppress(OSError):
                Path(stem["path"]).unlink()


def _described(error: BaseException) -> dict[str, str]:
    if isinstance(error, StemdockError):
        return {"code": type(error).__name__, "message": str(error), "hint": error.remedy}
    message = f"the worker stopped: {error!r}"
    return {"code": type(error).__name__, "message": message, "hint": "See log.txt in the job folder."}
