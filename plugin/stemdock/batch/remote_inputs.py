"""Finding the songs that an address means: an object, a folder, or a pattern."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from glob import has_magic
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from stemdock.batch import object_store
from stemdock.batch.manifest_files import FOLDER, entry_from
from stemdock.batch.song_lists import check_location, checked_place
from stemdock.batch.songs import Song, faulty_song
from stemdock.batch.store_errors import MissingObjectError, StoreError
from stemdock.lib.legal_names import legal_name
from stemdock.lib.locations import WEB, Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock.batch.audio_files import Kind
    from stemdock.batch.manifest_files import ManifestEntry
    from stemdock.lib.locations import Place

_N_REQUESTS: Final = 16
"""Requests to a store at the same time."""
_MAX_SIZE: Final = 4 << 20
"""Bytes of an entry of the manifest."""


def songs_at(location: Location, *, output: Place | None, kind: Kind) -> Iterator[Song]:
    """The songs at an address, in the order of their names.

    A folder is searched at any depth for names with an extension of the kind. Names that start with a dot are
    skipped, and so are folders with such names. An address with `*`, `?` or `[…]` is a pattern if nothing has
    this name.

    Args:
        location: The address. On the web, it is always that of one file.
        output: The output folder, skipped when a folder that contains it is searched. In itself and in
            folders of it, what its manifest lists is skipped.
        kind: What counts in folders.
    """
    try:
        check_location(location)
        if location.scheme in WEB:
            checked_place(location.address)
            yield Song(path=location)
        elif _is_pattern(location):
            found = _below(_root_of(location), object_store.find(location, is_pattern=True), output, kind)
            none = faulty_song(location, f"no {kind.title} matches this pattern", "Check the pattern.")
            yield from _or_none((Song(path=song.path) for song in found), none)
        elif location.name and not object_store.info(location).is_folder:
            yield Song(path=location)
        else:
            none = faulty_song(location, f"contains no {kind.title}s", f"Name a folder with {kind.plural}.")
            yield from _or_none(_below(location, object_store.find(location), output, kind), none)
    except MissingObjectError as error:
        yield faulty_song(location, str(error), error.remedy)
    except StoreError as error:
        yield faulty_song(location, f"cannot be read ({error})", error.remedy)
    except ValueError as error:
        yield faulty_song(location, str(error), "Correct the address.")


def _or_none(songs: Iterator[Song], none: Song) -> Iterator[Song]:
    first = next(songs, none)
    yield first
    yield from songs


def _is_pattern(location: Location) -> bool:
    if not has_magic(location.address):
        return False
    try:
        object_store.info(location)
    except MissingObjectError:
        return True
    return False


def _below(root: Location, found: Iterator[Location], output: Place | None, kind: Kind) -> Iterator[Song]:
    start = len(root.path.parts)
    skipped: str | None = None
    made: frozenset[str] = frozenset()
    if isinstance(output, Location):
        if len(output.path.parts) > start and output.path.is_relative_to(root.path):
            skipped = f"{str(output).rstrip('/')}/"
        elif root.path.is_relative_to(output.path) and root.scheme == output.scheme:
            found = iter(list(found))  # a manifest that is read afterwards lists all stems among them
            made = _made(output)
    for place in found:
        parts = place.path.parts[start:]
        if (skipped and str(place).startswith(skipped)) or str(place) in made:
            continue
        if place.path.suffix.lower() in kind.suffixes and not any(part.startswith(".") for part in parts):
            # The names of objects can be anything, also what is no folder on a disk.
            yield Song(path=place, folder=PurePath(*map(legal_name, parts[:-1])))


def _made(output: Location) -> frozenset[str]:
    """The addresses of all stems that the manifest of an output folder lists."""
    with ThreadPoolExecutor(_N_REQUESTS) as pool:
        entries = pool.map(_entry, object_store.find(output / FOLDER))
        return frozenset(str(output / name) for entry in entries if entry for name in entry.outputs)


def _entry(location: Location) -> ManifestEntry | None:
    try:
        return entry_from(object_store.read(location, max_size=_MAX_SIZE))
    except MissingObjectError:
        return None  # removed meanwhile


def _root_of(pattern: Location) -> Location:
    """The folder that a pattern starts in."""
    text = str(pattern)
    first = min(text.index(sign) for sign in "*?[" if sign in text)
    return Location(text[:first].rpartition("/")[0])
