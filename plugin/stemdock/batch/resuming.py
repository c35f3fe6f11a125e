"""Separating the songs of a batch so that a later run can tell what is done."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stemdock.batch.manifest import Work, mixture_content
from stemdock.errors import AudioFileError, OutputError
from stemdock.files.separating import separate_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from threading import Event

    from stemdock.batch.manifest import Record, Records
    from stemdock.batch.running import Job
    from stemdock.files.excerpts import Excerpt
    from stemdock.output.options import Output
    from stemdock.separator import Separator
    from stemdock.types import DownmixMode, Progress, SeparatedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSeparation:
    """Separates one song after the other with the same model and options, and keeps records of it."""

    separator: Separator
    output: Output
    excerpt: Excerpt
    downmix: DownmixMode
    options: Mapping[str, Any]
    """What else than the model changes the result, as it goes into the records."""
    records: Records
    resume: bool
    """Whether to leave alone what is done, and to replace what a former run left damaged or otherwise."""
    overwrite: bool
    """Whether to replace what anybody left."""
    cancel: Event

    def may_replace(self, path: Path) -> bool:
        """Whether a file that is in the place of a stem may go."""
        return self.overwrite or (self.resume and self.records.owns(path))

    def __call__(self, job: Job, on_progress: Callable[[Progress], None]) -> SeparatedFile | None:
        """Separates a song, unless that was done before.

        Returns:
            None if the files of a former run are all there and what would come of it now.

        Raises:
            AudioFileError: The song cannot be separated, or was changed meanwhile.
            OutputError: A stem or the record cannot be written.
            CancelledError: `cancel` was set.
        """
        source = job.song.path
        work = Work(
            mixture=mixture_content(source),
            model=self.separator.model,
            model_sha256=self.separator.entry.identity,
            options=self.options,
        )
        targets = job.targets.values()
        if self.resume and self.records.covers(work, targets):
            return None
        record: Record | None = None

        def announce(staged: Mapping[Path, Path]) -> None:
            nonlocal record
            # Times are too coarse to tell this; reading it again takes little beside separating it.
            if mixture_content(source) != work.mixture:
                raise AudioFileError(
                    source,
                    "was changed while it was being separated",
                    remedy="Separate it again when nothing writes to it any more.",
                )
            record = self.records.announce(work, staged)

        separated = separate_file(
            self.separator,
            source,
            job.targets,
            output=self.output,
            start=self.excerpt.start,
            duration=self.excerpt.duration,
            downmix=self.downmix,
            overwrite=all(self.may_replace(path) for path in targets if path.exists()),
            on_progress=on_progress,
            before_placing=announce,
            cancel=self.cancel,
        )
        if record:
            # The announcement alone already tells these files for ours, by their content.
            with suppress(OutputError):
                self.records.complete(record)
        return separated
