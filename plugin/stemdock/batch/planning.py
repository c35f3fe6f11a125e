"""Deciding which files a batch writes, and finding every conflict before it starts."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from stemdock.audio import UnreadableTagsError, read_tags
from stemdock.batch.events import SongPlan
from stemdock.batch.shards import ALL
from stemdock.errors import OutputError, OutputExistsError
from stemdock.files.placing import folder_in_the_way
from stemdock.lib.paths import is_folder, resolved
from stemdock.output.naming import path_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from stemdock.batch.shards import Shard
    from stemdock.batch.songs import Song
    from stemdock.output.naming import Destination
    from stemdock.output.tags import Tags


def plan_songs(
    songs: Iterable[Song], destination: Destination, names: Sequence[str], *, codec: str, model: str
) -> list[SongPlan]:
    """Chooses the paths of the stems of each song.

    Args:
        songs: Numbered in this order.
        destination: Output folder and template.
        names: Stems and mixes to write.
        codec: Usual extension of the files.
        model: Name of the model.

    Raises:
        OutputConflictError: The template gives two stems of a song the same path.
    """
    return [
        SongPlan(
            number=number,
            song=song,
            targets={}
            if song.fault
            else replace(destination, folder=destination.folder / song.folder).targets(
                song.path,
                names,
                codec=codec,
                model=model,
                tags=_tags(song.path) if destination.needs_tags else None,
            ),
        )
        for number, song in enumerate(songs, 1)
    ]


def _tags(path: Path) -> Tags | None:
    """The song's tags for the template; None if they cannot be read, which its separation reports."""
    try:
        return read_tags(path)
    except (UnreadableTagsError, OSError):
        return None


def conflicts(
    plans: Sequence[SongPlan], *, may_replace: Callable[[Path, SongPlan], bool], shard: Shard = ALL
) -> list[OutputError]:
    """Finds every reason not to start.

    Args:
        plans: All songs, those of other shards included.
        may_replace: Whether an existing file of a song may be replaced.
        shard: The songs of this run.

    Returns:
        An error for each target that is one of the mixtures, that exists and may not be replaced, that
        is a folder, or that two songs share. Paths count as shared if a file system that ignores case or the
        encoding of accents would treat them as one. Songs of other shards count only as sharers.
    """
    mixtures = {resolved(plan.song.path) for plan in plans if not plan.song.is_standard_input}
    sharers: dict[str, list[SongPlan]] = defaultdict(list)
    errors: list[OutputError] = []
    for plan in plans:
        for path in plan.targets.values():
            sharers[path_key(path)].append(plan)
            if not shard.has(plan.song):
                continue
            if resolved(path) in mixtures:
                errors.append(
                    OutputError(
                        path, "is one of the songs to separate", remedy="Choose another output folder."
                    )
                )
            elif os.path.lexists(path) and not may_replace(path, plan):
                errors.append(OutputExistsError(path))
            elif is_folder(path):
                errors.append(folder_in_the_way(path))
    return errors + _shared(sharers.values())


def _shared(sharers: Iterable[Sequence[SongPlan]]) -> list[OutputError]:
    """An error for each group of songs that share targets, about the first of the targets."""
    errors = {}
    for plans in sharers:
        songs = tuple(str(plan.song.path) for plan in plans)
        if len(songs) > 1 and songs not in errors:
            errors[songs] = OutputError(
                next(iter(plans[0].targets.values())),
                f"would be written by {len(songs)} songs ({', '.join(songs)})",
                remedy="Separate them into different folders, or add a field that differs to --template.",
            )
    return list(errors.values())
