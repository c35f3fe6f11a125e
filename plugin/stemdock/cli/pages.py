"""Preview pages for the songs of a batch, each written as soon as its song is separated."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock.batch.events import UpToDate
from stemdock.errors import OutputExistsError
from stemdock.lib.paths import exists

PAGE_NAME: Final = "preview.html"
"""Default file name of a preview page."""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from threading import Event

    from stemdock.batch.events import SongPlan
    from stemdock.batch.working import Recipe, Work
    from stemdock.errors import OutputError
    from stemdock.output.options import Output
    from stemdock.types import Progress, SeparatedFile


class Pages:
    """The pages of a batch: preview.html next to the stems, or SONG preview.html if songs share a folder."""

    def __init__(self, plans: Sequence[SongPlan], output: Output, *, overwrite: bool) -> None:
        """Chooses the file names.

        Args:
            plans: All songs that get pages, those of other shards included.
            output: The stems and mixes of each song.
            overwrite: Whether existing pages may be replaced.
        """
        self._output = output
        self._overwrite = overwrite
        folders = {plan.number: next(iter(plan.files.values())).parent for plan in plans if plan.files}
        n_songs = Counter(folders.values())
        self._paths = {
            plan.number: folder
            / (PAGE_NAME if n_songs[folder] == 1 else f"{plan.song.naming_path.stem} {PAGE_NAME}")
            for plan in plans
            if (folder := folders.get(plan.number))
        }

    def of(self, plan: SongPlan) -> tuple[Path, ...]:
        """The page of a song, if it gets one."""
        return (self._paths[plan.number],) if plan.number in self._paths else ()

    def conflicts(self, plans: Iterable[SongPlan]) -> list[OutputError]:
        """An error for each existing page of these songs that may not be replaced."""
        if self._overwrite:
            return []
        return [OutputExistsError(path) for plan in plans for path in self.of(plan) if exists(path)]

    def write(self, plan: SongPlan, *, only_missing: bool) -> None:
        """Writes the page of a song that gets one.

        Args:
            plan: The song, whose stems are written.
            only_missing: Whether a page that exists stays.

        Raises:
            OutputError: It cannot be written.
        """
        if plan.number not in self._paths:
            return
        # Only previews need decoders and drawing.
        from stemdock.preview import write_preview  # noqa: PLC0415
        from stemdock.preview.history import find_history, without_mixes  # noqa: PLC0415

        for path in self.of(plan):
            if not (only_missing and exists(path)):
                write_preview(
                    without_mixes(plan.files, self._output.mixes),
                    path,
                    title=plan.song.naming_path.stem,
                    facts=find_history(plan.files.values()).facts,
                    overwrite=self._overwrite,
                )


@dataclass(frozen=True, slots=True)
class PagedWork:
    """Separates songs and writes their pages."""

    work: Work
    pages: Pages

    def finished(self, plan: SongPlan) -> UpToDate | None:
        """What a previous run finished; nothing if the song gets a page, which may be missing."""
        return None if self.pages.of(plan) else self.work.finished(plan)

    def claim(self, plan: SongPlan) -> AbstractContextManager[None] | None:
        """Claims a song."""
        return self.work.claim(plan)

    def __call__(self, plan: SongPlan, on_progress: Callable[[Progress], None]) -> SeparatedFile | UpToDate:
        """Separates a song and writes its page; a song that is skipped keeps the page that it has."""
        separated = self.work(plan, on_progress)
        self.pages.write(plan, only_missing=isinstance(separated, UpToDate))
        return separated


@dataclass(frozen=True, slots=True)
class PagedRecipe:
    """Passes the pages to another process."""

    recipe: Recipe
    pages: Pages

    def open(self, cancel: Event) -> PagedWork:
        """Loads the model."""
        return PagedWork(self.recipe.open(cancel), self.pages)
