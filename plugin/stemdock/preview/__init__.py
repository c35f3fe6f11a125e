"""Web pages that play and show stems: a single file that works without a server or a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock.errors import OutputError, OutputExistsError, StemdockError, unwritable
from stemdock.files.staging import staging
from stemdock.lib.atomic import move_to_place
from stemdock.lib.os_errors import os_errors_as
from stemdock.preview.page import write_page
from stemdock.preview.reading import draw
from stemdock.preview.sound import sound_for
from stemdock.preview.stems import find_stems, inspect_stem
from stemdock.types import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["find_stems", "write_preview"]


def write_preview(
    stems: Mapping[str, Path],
    path: Path,
    *,
    title: str,
    facts: Mapping[str, str] | None = None,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> None:
    """Writes a page with a player for the stems of one song.

    An existing page is replaced when the new one is complete, and stays if anything fails.

    Args:
        stems: Audio files by the name of the stem, in the order of the page; at least one.
        path: The page to write.
        title: Name of the song, any text.
        facts: What the page shows about the separation, such as its model, by its name.
        overwrite: Whether an existing file may be replaced.
        on_progress: Called with the number of samples that have been read, summed over all stems.

    Raises:
        AudioFileError: A stem cannot be read, or they are too long for a page.
        OutputError: The page already exists or cannot be written.
    """
    _check_target(path, stems, overwrite=overwrite)
    sources = [inspect_stem(name, file) for name, file in stems.items()]
    sound = sound_for(sources)
    duration = max(source.duration for source in sources)
    total_length = sum(source.total_length for source in sources)
    done_length = 0

    def on_samples(n_samples: int) -> None:
        nonlocal done_length
        done_length += n_samples
        if on_progress:
            on_progress(Progress(done_length=done_length, total_length=total_length))

    with (
        os_errors_as(unwritable(path, "Check the permissions and the free disk space."), keep=StemdockError),
        staging(path.parent) as unfinished,
    ):
        try:
            drawn = [
                draw(
                    source,
                    duration=duration,
                    sound=sound,
                    mp3=unfinished / f"{index}.mp3",
                    on_samples=on_samples,
                )
                for index, source in enumerate(sources)
            ]
        except OutputError as error:
            raise OutputError(path, error.reason, remedy=error.remedy) from error
        staged = unfinished / "page.html"
        with staged.open("w", encoding="utf-8", newline="\n") as page:
            write_page(page, drawn, title=title, facts=facts or {}, duration=duration, sound=sound)
        _check_target(path, stems, overwrite=overwrite)
        move_to_place(staged, path, overwrite=overwrite)


def _check_target(path: Path, stems: Mapping[str, Path], *, overwrite: bool) -> None:
    if path.exists():
        if any(path.samefile(file) for file in stems.values() if file.exists()):
            raise OutputError(path, "is one of the stems", remedy="Choose another name for the page.")
        if not overwrite:
            raise OutputExistsError(path, choice="file with --output")
