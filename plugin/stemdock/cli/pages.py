"""Pages to listen to what a batch makes, written as soon as a song is done."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from stemdock.errors import OutputExistsError

PAGE_NAME: Final = "preview.html"
"""Of the page beside the stems, if no other is wanted."""

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from stemdock.batch.running import Job, Separate
    from stemdock.errors import OutputError
    from stemdock.output.options import Output
    from stemdock.types import Progress, SeparatedFile


class Pages:
    """The pages of a batch: preview.html beside the stems, or named for the song if songs share a folder."""

    def __init__(self, jobs: Sequence[Job], output: Output, *, overwrite: bool) -> None:
        """Decides on the names.

        Args:
            jobs: All songs that get pages.
            output: How their stems are written.
            overwrite: Whether pages that are there already may be replaced.
        """
        self._output = output
        self._overwrite = overwrite
        folders = {job.number: next(iter(job.targets.values())).parent for job in jobs if job.targets}
        n_songs = Counter(folders.values())
        self._paths = {
            job.number: folder / (PAGE_NAME if n_songs[folder] == 1 else f"{job.song.path.stem} {PAGE_NAME}")
            for job in jobs
            if (folder := folders.get(job.number))
        }

    def of(self, job: Job) -> tuple[Path, ...]:
        """The page of a song, if it gets one."""
        return (self._paths[job.number],) if job.number in self._paths else ()

    def conflicts(self) -> list[OutputError]:
        """An error for each page that is there and stays."""
        if self._overwrite:
            return []
        return [OutputExistsError(path) for path in self._paths.values() if path.exists()]

    def after(self, separate: Separate) -> Separate:
        """What separates a song and then writes its page, unless nothing changed and it has one."""

        def separate_and_show(job: Job, on_progress: Callable[[Progress], None]) -> SeparatedFile | None:
            # Decoders and drawing are for those who ask for pages.
            from stemdock.preview import write_preview  # noqa: PLC0415
            from stemdock.preview.history import recorded, without_mixes  # noqa: PLC0415

            separated = separate(job, on_progress)
            for path in self.of(job):
                if separated or not path.exists():
                    write_preview(
                        without_mixes(job.targets, self._output.mixes),
                        path,
                        title=job.song.path.stem,
                        facts=recorded(job.targets.values()).facts,
                        overwrite=self._overwrite,
                    )
            return separated

        return separate_and_show
