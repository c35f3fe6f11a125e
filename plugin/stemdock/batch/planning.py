"""Deciding which files a batch writes, and finding every conflict before it starts."""

from __future__ import annotations

import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from stemdock.audio import UnreadableTagsError, read_tags
from stemdock.batch import object_store
from stemdock.batch.events import SongPlan
from stemdock.batch.remote_manifest import store_errors_of
from stemdock.batch.shards import ALL
from stemdock.batch.sources import Source
from stemdock.errors import AudioFileError, OutputError, OutputExistsError
from stemdock.files.placing import folder_in_the_way
from stemdock.lib.locations import Location
from stemdock.lib.paths import is_folder, resolved
from stemdock.output.naming import path_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from stemdock.batch.shards import Shard
    from stemdock.batch.songs import Song
    from stemdock.lib.locations import Place
    from stemdock.output.naming import Destination
    from stemdock.output.tags import Tags

_N_REQUESTS: Final = 16
"""Requests to a store at the same time."""


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
            targets={} if song.fault else _targets(song, destination, names, codec=codec, model=model),
        )
        for number, song in enumerate(songs, 1)
    ]


def _targets(
    song: Song, destination: Destination, names: Sequence[str], *, codec: str, model: str
) -> Mapping[str, Place]:
    targets = replace(destination, folder=destination.folder / song.folder).targets(
        song.naming_path,
        names,
        codec=codec,
        model=model,
        tags=_tags(song.path) if destination.needs_tags else None,
        filename=song.name,
    )
    if destination.location is None:
        return targets
    return {name: destination.location / path.as_posix() for name, path in targets.items()}


def _tags(place: Place) -> Tags | None:
    """The song's tags for the template; None if they cannot be read, which its separation reports."""
    try:
        with Source(place) as source, source.local() as path:
            return read_tags(path)
    except (UnreadableTagsError, AudioFileError, OSError):
        return None


def conflicts(
    plans: Sequence[SongPlan], *, may_replace: Callable[[Place, SongPlan], bool], shard: Shard = ALL
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
    mixtures = {_identity(plan.song.path) for plan in plans if not plan.song.is_standard_input}
    sharers: dict[str, list[SongPlan]] = defaultdict(list)
    errors: list[OutputError] = []
    remote: list[tuple[SongPlan, Location]] = []
    for plan in plans:
        for place in plan.targets.values():
            sharers[path_key(place)].append(plan)
            if not shard.has(plan.song):
                continue
            if _identity(place) in mixtures:
                errors.append(
                    OutputError(
                        place, "is one of the songs to separate", remedy="Choose another output folder."
                    )
                )
            elif isinstance(place, Location):
                remote.append((plan, place))
            elif os.path.lexists(place) and not may_replace(place, plan):
                errors.append(OutputExistsError(place))
            elif is_folder(place):
                errors.append(folder_in_the_way(place))
    return errors + _in_store(remote, may_replace) + _shared(sharers.values())


def _identity(place: Place) -> Place:
    return place if isinstance(place, Location) else resolved(place)


def _in_store(
    targets: Sequence[tuple[SongPlan, Location]], may_replace: Callable[[Place, SongPlan], bool]
) -> list[OutputError]:
    """An error for each object that exists and may not be replaced; only one if the store fails."""

    def is_in_the_way(plan: SongPlan, target: Location) -> bool:
        with store_errors_of(target):
            return object_store.exists(target) and not may_replace(target, plan)

    errors: list[OutputError] = []
    with ThreadPoolExecutor(_N_REQUESTS) as pool:
        answers = [(target, pool.submit(is_in_the_way, plan, target)) for plan, target in targets]
        try:
            errors += [OutputExistsError(target) for target, answer in answers if answer.result()]
        except OutputError as error:
            pool.shutdown(cancel_futures=True)
            errors.append(error)
    return errors


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
