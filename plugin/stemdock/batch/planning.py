"""Finding every conflict of a batch before it starts."""

from __future__ import annotations

import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from stemdock.batch.looking import Looking
from stemdock.batch.plans import Plans
from stemdock.errors import OutputError, OutputExistsError
from stemdock.files.placing import folder_in_the_way
from stemdock.files.staging import remove_abandoned
from stemdock.lib.hashes import Hashes
from stemdock.lib.locations import Location
from stemdock.lib.paths import Resolver, is_folder
from stemdock.output.naming import path_key

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

    from stemdock.batch.events import SongPlan
    from stemdock.batch.songs import Song
    from stemdock.lib.locations import Place

_N_REQUESTS: Final = 16
"""Requests to a store at the same time."""
N_CHECKED: Final = 1000
"""Songs of a run whose places in a store are looked at before it starts, which takes seconds. If the output
folder is the wrong one, these show it. The others are looked at in their turn."""


def conflicts(
    plans: Sequence[SongPlan],
    *,
    may_replace: Callable[[Place, SongPlan], bool],
    own: Container[SongPlan] | None = None,
    is_recorded: Callable[[SongPlan], bool] = lambda _: False,
    looking: Looking | None = None,
) -> list[OutputError]:
    """Finds every reason not to start.

    Nothing is kept of a song but eight bytes for each of its files, and as much for itself.

    Args:
        plans: All songs, those of other shards included.
        may_replace: Whether an existing file of a song may be replaced.
        own: The songs of this run; all if not given.
        is_recorded: Whether a previous run has recorded the files of a song, so that they need not be looked
            at: in its turn, the song is compared with its record.
        looking: Hears of the songs while they are looked at.

    Returns:
        An error for each target that is one of the mixtures, that exists and may not be replaced, that
        is a folder, or that two songs share. Paths count as shared if a file system that ignores case or the
        encoding of accents would treat them as one. Songs of other shards count only as sharers. In an object
        store, the targets of the first `N_CHECKED` songs are looked at.

    Raises:
        CancelledError: `looking` was stopped.
    """
    looking = looking or Looking()
    songs = plans.all_songs if isinstance(plans, Plans) else [plan.song for plan in plans]
    mixtures = _Mixtures(looking.each(songs, len(songs)))
    hashes = Hashes()
    errors: list[OutputError] = []
    remote: list[tuple[SongPlan, Location]] = []
    n_remote = 0
    for plan in looking.each(plans, len(plans)):
        for place in plan.targets.values():
            hashes.note(path_key(place))
        if own is not None and plan not in own:
            continue
        if found := mixtures.replaced_by(plan):
            errors += found
        elif plan.objects:
            n_remote += 1
            if n_remote <= N_CHECKED:
                remote += [(plan, place) for place in plan.objects.values()]
        elif plan.targets and not is_recorded(plan):
            errors += _in_folder(plan, may_replace)
    return errors + _in_store(remote, may_replace, looking) + _shared(plans, hashes.repeated(), looking)


class _Mixtures:
    """The songs of a batch, to find those that stems would replace."""

    def __init__(self, songs: Iterable[Song]) -> None:
        self._resolve = Resolver()
        hashes, folders = Hashes(), Hashes()
        last = ""
        for song in songs:
            path = song.path
            if isinstance(path, Location):
                hashes.note(path.address)
            elif not song.is_standard_input:
                hashes.note(self._resolve(path))
                folder = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120  a Path is slow
                if folder != last:
                    last = folder
                    folders.note(folder)
                    folders.note(self._resolve(folder))
        self._songs = hashes.known()
        self._folders = folders.known()
        """Only what is in one of these can be a song."""
        self._last = ("", False)
        """The folder that was asked for last, and whether it is one of them."""

    def replaced_by(self, plan: SongPlan) -> list[OutputError]:
        """An error for each target that is a song."""
        return [
            OutputError(place, "is one of the songs to separate", remedy="Choose another output folder.")
            for place in plan.targets.values()
            if self._has(place)
        ]

    def _has(self, place: Place) -> bool:
        if isinstance(place, Location):
            return place.address in self._songs
        folder = os.path.dirname(os.path.abspath(place))  # noqa: PTH100, PTH120
        if folder != self._last[0]:
            self._last = folder, folder in self._folders or self._resolve(folder) in self._folders
        return self._last[1] and self._resolve(place) in self._songs


def _in_folder(plan: SongPlan, may_replace: Callable[[Place, SongPlan], bool]) -> Iterator[OutputError]:
    for path in plan.files.values():
        if os.path.lexists(path) and not may_replace(path, plan):
            remove_abandoned(path.parent)  # a killed run may have let it grow
            if os.path.lexists(path):
                yield OutputExistsError(path)
        elif is_folder(path):
            yield folder_in_the_way(path)


def _in_store(
    targets: Sequence[tuple[SongPlan, Location]],
    may_replace: Callable[[Place, SongPlan], bool],
    looking: Looking,
) -> list[OutputError]:
    """An error for each object that exists and may not be replaced; only one if the store fails."""
    if not targets:
        return []
    from stemdock.batch import object_store  # noqa: PLC0415  only object stores need these
    from stemdock.batch.remote_manifest import store_errors_of  # noqa: PLC0415

    def is_in_the_way(plan: SongPlan, target: Location) -> bool:
        with store_errors_of(target):
            return object_store.exists(target, looking.cancel) and not may_replace(target, plan)

    errors: list[OutputError] = []
    with ThreadPoolExecutor(_N_REQUESTS) as pool:
        answers = [(target, pool.submit(is_in_the_way, plan, target)) for plan, target in targets]
        try:
            for target, answer in looking.each(answers):
                if answer.result():
                    errors.append(OutputExistsError(target))
        except OutputError as error:
            errors.append(error)
        finally:
            pool.shutdown(cancel_futures=True)
    return errors


def _shared(plans: Iterable[SongPlan], hashes: frozenset[int], looking: Looking) -> list[OutputError]:
    """An error for each group of songs that share targets, about the first of the targets.

    Args:
        plans: All songs.
        hashes: Of the keys of all targets that may be shared.
        looking: Hears of the songs.
    """
    sharers: dict[str, list[SongPlan]] = defaultdict(list)
    for plan in looking.each(plans) if hashes else ():
        for place in plan.targets.values():
            if hash(key := path_key(place)) in hashes:
                sharers[key].append(plan)
    errors = {}
    for group in sharers.values():
        songs = tuple(str(plan.song.path) for plan in group)
        if len(songs) > 1 and songs not in errors:
            errors[songs] = OutputError(
                next(iter(group[0].targets.values())),
                f"would be written by {len(songs)} songs ({', '.join(songs)})",
                remedy="Separate them into different folders, or add a field that differs to --template.",
            )
    return list(errors.values())
