"""Millions of songs in little memory: texts, from which a song is made when somebody asks for it."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from stemdock.batch.songs import Song
from stemdock.lib.lazy_sequences import LazySequence
from stemdock.lib.locations import Location

if TYPE_CHECKING:
    from collections.abc import Iterable

_FILE: Final = 0
_OBJECT: Final = 1
_AS_IT_IS: Final = 2
"""A song with a fault: there are few."""


class SongTable(LazySequence[Song]):
    """Songs, with about a hundred bytes for each; equal parts of neighbours are kept once."""

    def __init__(self, songs: Iterable[Song] = ()) -> None:
        """Takes songs."""
        self._kinds = bytearray()
        self._places: list[str] = []
        """Up to the last separator."""
        self._file_names: list[str] = []
        self._folders: list[str] = []
        self._names: list[str] = []
        self._others: dict[int, Song] = {}
        self._last = ("", "")
        for song in songs:
            self.append(song)

    def append(self, song: Song) -> None:
        """Adds a song at the end."""
        if song.fault:
            self._others[len(self)] = song
            self._add(_AS_IT_IS, "", "", "", "")
            return
        path, folder = song.path, song.folder.as_posix()
        text, kind = (path.address, _OBJECT) if isinstance(path, Location) else (str(path), _FILE)
        cut = max(text.rfind("/"), text.rfind("\\")) + 1
        last_place, last_folder = self._last
        place = last_place if text[:cut] == last_place else text[:cut]
        folder = last_folder if folder == last_folder else folder
        self._last = (place, folder)
        self._add(kind, place, text[cut:], folder, song.name)

    def _add(self, kind: int, place: str, file_name: str, folder: str, name: str) -> None:
        self._kinds.append(kind)
        self._places.append(place)
        self._file_names.append(file_name)
        self._folders.append(folder)
        self._names.append(name)

    def __len__(self) -> int:
        """The number of songs."""
        return len(self._kinds)

    def item(self, index: int) -> Song:
        """A song."""
        kind = self._kinds[index]
        if kind == _AS_IT_IS:
            return self._others[index % len(self)]
        text = self._places[index] + self._file_names[index]
        return Song(
            path=Path(text) if kind == _FILE else Location(text),
            folder=PurePath(self._folders[index]),
            name=self._names[index],
        )
