"""Pages to listen to what a batch makes, written as soon as a song is done."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from stemdock.errors import OutputExistsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from stemdock.batch import Job, Separate
    from stemdock.errors import OutputError
    from stemdock.types import Progress, SeparatedFile


class Pages:
    """The pages of a batch: preview.html beside the stems, or named for the song if songs share a folder."""

    def __init__(self, jobs: Sequence[Job], *, overwrite: bool) -> None:
        """Decides on the names.

        Args:
            jobs: All songs.
            overwrite: Whether pages that are there already may be replaced.
        """
        self._overwrite = overwrite
        folders = {job.number: _folder(job) for job in jobs if job.targets}
        n_songs = Counter(folders.values())
        self._paths = {
            job.number: folder
            / ("preview.html" if n_songs[folder] == 1 else f"{job.song.path.stem} preview.html")
            for job in jobs
            if (folder := folders.get(job.number))
        }

    def page(self, job: Job) -> Path:
        """The page of a song."""
        return self._paths[job.number]

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
            from stemdock.preview.facts import recorded_facts  # noqa: PLC0415

            separated = separate(job, on_progress)
            path = self.page(job)
            if separated or not path.exists():
                write_preview(
                    job.targets,
                    path,
                    title=job.song.path.stem,
                    facts=recorded_facts(job.targets.values()),
                    overwrite=self._overwrite,
                )
            return separated

        return separate_and_show


def _folder(job: Job) -> Path:
    return next(iter(job.targets.values())).parent
