"""Preview pages for the songs of a batch, each written as soon as its song is separated."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from stemdock.batch.events import UpToDate
from stemdock.errors import OutputExistsError
from stemdock.lib.paths import exists

PAGE_NAME: Final = "preview.html"
"""Default file name of a preview page."""

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from stemdock.batch.events import SongPlan
    from stemdock.batch.running import Separate
    from stemdock.errors import OutputError
    from stemdock.output.options import Output
    from stemdock.types import Progress, SeparatedFile


class Pages:
    """The pages of a batch: preview.html next to the stems, or SONG preview.html if songs share a folder."""

    def __init__(self, plans: Sequence[SongPlan], output: Output, *, overwrite: bool) -> None:
        """Chooses the file names.

        Args:
            plans: All songs that get pages.
            output: The stems and mixes of each song.
            overwrite: Whether existing pages may be replaced.
        """
        self._output = output
        self._overwrite = overwrite
        folders = {plan.number: next(iter(plan.targets.values())).parent for plan in plans if plan.targets}
        n_songs = Counter(folders.values())
        self._paths = {
            plan.number: folder
            / (PAGE_NAME if n_songs[folder] == 1 else f"{plan.song.path.stem} {PAGE_NAME}")
            for plan in plans
            if (folder := folders.get(plan.number))
        }

    def of(self, plan: SongPlan) -> tuple[Path, ...]:
        """The page of a song, if it gets one."""
        return (self._paths[plan.number],) if plan.number in self._paths else ()

    def conflicts(self) -> list[OutputError]:
        """An error for each existing page that may not be replaced."""
        if self._overwrite:
            return []
        return [OutputExistsError(path) for path in self._paths.values() if exists(path)]

    def after(self, separate: Separate) -> Separate:
        """A function that separates a song and writes its page, unless the song is skipped and has one."""
        if not self._paths:
            return separate

        def separate_and_show(
            plan: SongPlan, on_progress: Callable[[Progress], None]
        ) -> SeparatedFile | UpToDate:
            # Only previews need decoders and drawing.
            from stemdock.preview import write_preview  # noqa: PLC0415
            from stemdock.preview.history import find_history, without_mixes  # noqa: PLC0415

            separated = separate(plan, on_progress)
            for path in self.of(plan):
                if not isinstance(separated, UpToDate) or not exists(path):
                    write_preview(
                        without_mixes(plan.targets, self._output.mixes),
                        path,
                        title=plan.song.path.stem,
                        facts=find_history(plan.targets.values()).facts,
                        overwrite=self._overwrite,
                    )
            return separated

        return separate_and_show
