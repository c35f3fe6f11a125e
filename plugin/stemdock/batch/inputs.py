"""Finding the songs that the arguments of a command mean.

An argument names a song, a folder with songs, a pattern, a playlist or a list of songs. Inputs that cannot be
used become songs with a fault, so that they are reported in order with the others.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from stemdock.batch.audio_files import SONGS, Kind
from stemdock.batch.looking import Looking
from stemdock.batch.playlists import SUFFIXES as PLAYLISTS
from stemdock.batch.playlists import playlist_entries
from stemdock.batch.song_table import SongTable
from stemdock.batch.songs import STANDARD_INPUT, Song, faulty_song
from stemdock.lib.hashes import Hashes
from stemdock.lib.locations import Location, is_address, place_of
from stemdock.lib.os_errors import reason_for
from stemdock.lib.paths import Resolver, access_error, exists, is_file, is_folder
from stemdock.lib.regular_files import read_regular_file

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from stemdock.lib.locations import Place

_LISTS: Final = frozenset({".csv", ".parquet"})
"""File name extensions of lists of songs, in lower case."""
_MAX_PLAYLIST: Final = 16 << 20
"""Bytes: a hundred thousand long paths."""


def find_songs(
    arguments: Sequence[str],
    *,
    output: Place | None = None,
    made: Callable[[Collection[Path]], Collection[Path]] | None = None,
    looking: Looking | None = None,
    kind: Kind = SONGS,
) -> Sequence[Song]:
    """Finds the songs that arguments mean, each once, in the order of the arguments.

    Args:
        arguments: Paths of audio files, playlists (`.m3u`, `.m3u8`), lists (`.csv`, `.parquet`) and folders,
            patterns, addresses (`s3://…`), and "-".
            Folders are searched at any depth, in the order of names, for audio files; hidden files and
            folders (names that begin with a dot) are skipped. An argument with `*`, `?`, `[…]` or `**`
            (any depth) is a pattern if no file has this name.
        output: Output folder, skipped when a folder that contains it is searched.
        made: Returns those of some files in the output folder, all resolved, that separations wrote; they are
            skipped in folders and patterns. Called after the files were found, since another process may be
            writing.
        looking: Hears of the songs while they are found.
        kind: What counts in folders and patterns.
    """
    search = _Search(output, made, looking or Looking(), kind)
    return search.without_repeats(SongTable(song for each in arguments for song in search.songs(each)))


@dataclass(frozen=True, slots=True)
class _Search:
    output: Place | None
    made: Callable[[Collection[Path]], Collection[Path]] | None
    looking: Looking
    kind: Kind
    resolve: Resolver = field(default_factory=Resolver)

    def without_repeats(self, songs: Sequence[Song]) -> Sequence[Song]:
        """Each song once, at its first place; each fault as often as it is there."""
        hashes = Hashes()
        for song in songs:
            if not song.fault:
                hashes.note(self._key(song))
        repeated = hashes.repeated()
        if not repeated:
            return songs
        known: set[tuple[str, str, str]] = set()

        def is_new(song: Song) -> bool:
            key = self._key(song)
            if song.fault or hash(key) not in repeated:
                return True
            is_known = key in known
            known.add(key)
            return not is_known

        return SongTable(filter(is_new, songs))

    def _key(self, song: Song) -> tuple[str, str, str]:
        place = song.path
        if isinstance(place, Location):
            text = place.address
        else:
            text = str(place) if song.is_standard_input else self.resolve(place)
        # A list can name a song twice, with two outputs.
        return (text, song.folder.as_posix(), song.name) if song.name else (text, "", "")

    def songs(self, argument: str) -> Iterator[Song]:
        if not argument.strip():
            yield faulty_song(Path(), "the path is empty", "Name an audio file.")
            return
        try:
            place = place_of(argument)
        except ValueError as error:
            # A Path would merge the two slashes.
            yield faulty_song(Path(_without_user(argument)), str(error), "Name a file of this machine.")
            return
        if isinstance(place, Location):
            from stemdock.batch.remote_inputs import songs_at  # noqa: PLC0415  few songs are elsewhere

            yield from songs_at(place, output=self.output, kind=self.kind)
        else:
            yield from self._on_this_machine(place, argument)

    def _on_this_machine(self, path: Path, argument: str) -> Iterator[Song]:
        if argument == STANDARD_INPUT:
            yield Song(path=path)
        elif reason := access_error(path):
            yield faulty_song(path, f"cannot be opened ({reason})", "Name an audio file that you can read.")
        elif is_folder(path):
            yield from self._in_folder(path)
        elif path.suffix.lower() in PLAYLISTS and is_file(path):
            yield from _in_playlist(path)
        elif path.suffix.lower() in _LISTS and is_file(path):
            from stemdock.batch.song_lists import listed_songs  # noqa: PLC0415  few songs are in lists

            yield from listed_songs(path)
        elif has_magic(argument) and not exists(path):
            yield from self._matching(argument)
        else:
            yield Song(path=path)

    def _in_folder(self, root: Path) -> Iterator[Song]:
        songs = SongTable(self.looking.each(self._walk(root)))
        kind = self.kind
        none = faulty_song(root, f"contains no {kind.title}s", f"Name a folder with {kind.plural}.")
        yield from self._without_made(songs, none)

    def _without_made(self, songs: Sequence[Song], none: Song) -> Iterator[Song]:
        """The songs but those that separations wrote; `none` if there is no other."""
        made = frozenset(map(str, self.made(self._perhaps_made(songs)))) if self.made else ()
        is_any = False
        for song in songs:
            if made and isinstance(song.path, Path) and not song.fault and self.resolve(song.path) in made:
                continue
            is_any = True
            yield song
        if not is_any:
            yield none

    def _perhaps_made(self, songs: Iterable[Song]) -> set[Path]:
        output = os.path.join(self._resolved_output(), "") if self.output else ""  # noqa: PTH118
        return {
            Path(path)
            for song in songs
            if isinstance(song.path, Path) and not song.fault
            if (path := self.resolve(song.path)).startswith(output)
        }

    def _resolved_output(self) -> str:
        return self.resolve(self.output) if isinstance(self.output, Path) else ""

    def _walk(self, root: Path) -> Iterator[Song]:
        faults: list[OSError] = []
        # Music libraries often consist of links, so links to folders are followed, but only once each.
        seen = {self.resolve(root)}
        output = self._resolved_output()
        for folder, folders, names in os.walk(root, onerror=faults.append, followlinks=True):
            here = Path(folder)
            folders[:] = sorted(name for name in folders if self._is_to_search(here / name, seen, output))
            below = PurePath(here.relative_to(root))
            for name in sorted(names):
                path = here / name
                if not name.startswith(".") and self.kind.has(path):
                    yield Song(path=path, folder=below)
        for fault in faults:
            yield faulty_song(
                Path(fault.filename), f"cannot be searched ({fault.strerror})", "Check its permissions."
            )

    def _is_to_search(self, path: Path, seen: set[str], output: str) -> bool:
        if path.name.startswith("."):
            return False
        real = self.resolve(path)
        if real in seen or real == output:
            return False
        seen.add(real)
        return True

    def _matching(self, pattern: str) -> Iterator[Song]:
        suffix = PurePath(pattern).suffix.lower()
        songs = []
        for match in sorted(glob(pattern, recursive=True)):  # noqa: PTH207  a Path has no absolute patterns
            path = Path(match)
            # *.dat asks for these files, audio or not; * asks for the songs without their cover pictures.
            if is_file(path) and (self.kind.has(path) or path.suffix.lower() == suffix):
                songs.append(Song(path=path))
        reason = f"no {self.kind.title} matches this pattern"
        none = faulty_song(Path(pattern), reason, "Check the pattern.")
        yield from self._without_made(songs, none)


def _in_playlist(path: Path) -> Iterator[Song]:
    try:
        entries = playlist_entries(read_regular_file(path, max_size=_MAX_PLAYLIST, follow_link=True))
    except OSError as error:
        yield faulty_song(path, f"cannot be read ({reason_for(error)})", "Name a playlist that you can read.")
        return
    if not entries:
        yield faulty_song(path, "the playlist is empty", "Name a playlist with songs.")
    for entry in entries:
        if is_address(entry):
            yield faulty_song(
                # A Path would merge the two slashes.
                path,
                f"contains a URL, which is not supported: {_without_secrets(entry)}",
                "Replace it with the path of a file.",
            )
        elif PurePath(entry).suffix.lower() in PLAYLISTS:
            yield faulty_song(
                path,
                f"contains {entry[:80]}, and playlists in playlists are not supported",
                "Name the other playlist itself.",
            )
        else:
            yield _playlist_song(path, entry)


def _without_secrets(address: str) -> str:
    try:
        place = place_of(address)
    except ValueError:
        return _without_user(address)
    return str(place) if isinstance(place, Location) else address


def _without_user(address: str) -> str:
    """A `file://` address of another machine, whose user `place_of` does not know."""
    return address.rpartition("@")[2]


def _playlist_song(playlist: Path, entry: str) -> Song:
    if reason := access_error(playlist.parent / entry):
        return faulty_song(
            playlist,
            f"contains an invalid path ({reason}): {entry[:80]}",
            "Replace it with the path of a file.",
        )
    return Song(path=_entry_path(playlist.parent, entry))


def _entry_path(folder: Path, entry: str) -> Path:
    """The path that an entry means; playlists from Windows have backslashes."""
    path = folder / entry
    if "\\" in entry and not exists(path):
        return folder / entry.replace("\\", "/")
    return path
