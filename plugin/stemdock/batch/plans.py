"""The files that a batch writes for each song, worked out when somebody asks for them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stemdock.audio import UnreadableTagsError, read_tags
from stemdock.batch.events import SongPlan
from stemdock.batch.shards import ALL
from stemdock.batch.song_table import SongTable
from stemdock.batch.sources import Source
from stemdock.errors import AudioFileError, AudioFileNotFoundError
from stemdock.lib.lazy_sequences import LazySequence
from stemdock.lib.os_errors import reason_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from threading import Event

    from stemdock.batch.shards import Shard
    from stemdock.batch.songs import Song
    from stemdock.lib.locations import Place
    from stemdock.output.naming import Destination
    from stemdock.output.tags import Tags


class Plans(LazySequence[SongPlan]):
    """The plans of some songs. With tags in the template, each is kept: its song was read for it."""

    def __init__(
        self,
        songs: Iterable[Song],
        destination: Destination,
        names: Sequence[str],
        *,
        codec: str,
        model: str,
        numbers: Sequence[int] | None = None,
        cancel: Event | None = None,
    ) -> None:
        """Reads nothing yet.

        Args:
            songs: All, numbered from 1 in this order.
            destination: Output folder and template.
            names: Stems and mixes to write.
            codec: Usual extension of the files.
            model: Name of the model.
            numbers: Of the songs that are meant, in ascending order; all if not given.
            cancel: Set it to stop a download.
        """
        self._songs = songs if isinstance(songs, Sequence) else SongTable(songs)
        self._destination = destination
        self._names = names
        self._codec = codec
        self._model = model
        self._cancel = cancel
        self._numbers = range(1, len(self._songs) + 1) if numbers is None else numbers
        self._kept: dict[int, SongPlan] = {}
        self.needs_tags = destination.needs_tags
        """Whether songs are read for their plans."""

    def __len__(self) -> int:
        """The number of songs."""
        return len(self._numbers)

    def __contains__(self, plan: object) -> bool:
        """Whether the song of a plan is one of these."""
        if not isinstance(plan, SongPlan):
            return False
        place = bisect_left(self._numbers, plan.number)
        return place < len(self) and self._numbers[place] == plan.number

    def item(self, index: int) -> SongPlan:
        """A plan. The song has a fault if its tags were to be read and its store does not answer.

        Raises:
            OutputConflictError: The template gives two stems of the song the same path.
            CancelledError: `cancel` was set during a download.
        """
        number = self._numbers[index]
        plan = self._kept.get(number) or self._plan(number, self._songs[number - 1])
        if self.needs_tags:
            self._kept[number] = plan
        return plan

    @property
    def all_songs(self) -> Sequence[Song]:
        """Also those that are not meant."""
        return self._songs

    @property
    def songs(self) -> Sequence[Song]:
        """Those that are meant."""
        return Chosen(self._songs, self._numbers)

    def of(self, numbers: Sequence[int]) -> Plans:
        """The plans of some of these songs."""
        return Plans(
            self._songs,
            self._destination,
            self._names,
            codec=self._codec,
            model=self._model,
            numbers=numbers,
            cancel=self._cancel,
        )

    def _plan(self, number: int, song: Song) -> SongPlan:
        if song.fault:
            return SongPlan(number=number, song=song, targets={})
        try:
            tags = _tags(song.path, self._cancel) if self.needs_tags else None
        except AudioFileError as error:
            return SongPlan(number=number, song=replace(song, fault=error), targets={})
        return SongPlan(number=number, song=song, targets=self._targets(song, tags))

    def _targets(self, song: Song, tags: Tags | None) -> Mapping[str, Place]:
        destination = self._destination
        targets = _placed(destination, song).targets(
            song.naming_path,
            self._names,
            codec=self._codec,
            model=self._model,
            tags=tags,
            filename=song.name,
        )
        if destination.location is None:
            return targets
        return {name: destination.location / path.as_posix() for name, path in targets.items()}


def plan_songs(
    songs: Sequence[Song], destination: Destination, names: Sequence[str], *, codec: str, model: str
) -> Plans:
    """Chooses the paths of the stems of each song; see `Plans`."""
    return Plans(songs, destination, names, codec=codec, model=model)


def numbers_in(shard: Shard, songs: Sequence[Song], destination: Destination) -> Sequence[int]:
    """The numbers of the songs of a shard, from 1 in their order."""
    if shard == ALL:
        return range(1, len(songs) + 1)
    return array("Q", (n for n, song in enumerate(songs, 1) if shard.has(shard_name(song, destination))))


def shard_name(song: Song, destination: Destination) -> str:
    """The name by which a song is in a shard: that of its stems, as far as it is known without the song.

    So it is the same on machines that list songs in another order or at another place, and for all models and
    formats. With tags in the template, it is the address of the song, or its path below the searched folder.
    """
    if not (song.fault or destination.needs_tags):
        (path,) = (
            _placed(replace(destination, companions={}), song)
            .targets(song.naming_path, ["stem"], codec="codec", model="model", filename=song.name)
            .values()
        )
        return path.relative_to(destination.folder).as_posix()
    if song.name or isinstance(song.path, Path):
        return (song.folder / (song.name or song.path.name)).as_posix()
    return str(song.path)


def _placed(destination: Destination, song: Song) -> Destination:
    """The output folder of a song."""
    if not song.folder.parts:
        return destination
    return replace(destination, folder=destination.folder / song.folder)


def _tags(place: Place, cancel: Event | None) -> Tags | None:
    """The song's tags for the template; None if they are damaged.

    Raises:
        AudioFileError: The song cannot be read or downloaded now. Without tags, its stems would get other
            names.
        CancelledError: `cancel` was set.
    """
    with Source(place, cancel) as source, source.local() as path:
        try:
            return read_tags(path)
        except UnreadableTagsError:
            return None  # its separation will tell
        except FileNotFoundError as error:
            raise AudioFileNotFoundError(place) from error
        except (OSError, ValueError) as error:
            raise AudioFileError(
                place, f"cannot be read ({reason_for(error)})", remedy="Name an audio file that you can read."
            ) from error


class Chosen(LazySequence["Song"]):
    """Some of many songs."""

    def __init__(self, songs: Sequence[Song], numbers: Sequence[int]) -> None:
        """Takes all songs, and the numbers of some, from 1."""
        self._songs = songs
        self._numbers = numbers

    def __len__(self) -> int:
        """The number of songs."""
        return len(self._numbers)

    def item(self, index: int) -> Song:
        """A song."""
        return self._songs[self._numbers[index] - 1]
