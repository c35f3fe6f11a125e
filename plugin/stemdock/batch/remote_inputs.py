"""Finding the songs that an address means: an object, a folder, or a pattern."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from stemdock.batch import object_store
from stemdock.batch.audio_files import AUDIO_SUFFIXES
from stemdock.batch.object_store import MissingObjectError, StoreError
from stemdock.batch.song_lists import check_location, checked_place
from stemdock.batch.songs import Song, faulty_song
from stemdock.lib.legal_names import legal_name
from stemdock.lib.locations import WEB, Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock.lib.locations import Place


def songs_at(location: Location, *, output: Place | None) -> Iterator[Song]:
    """The songs at an address, in the order of their names.

    A folder is searched at any depth for names with an extension of audio. Names that start with a dot are
    skipped, and so are folders with such names.

    Args:
        location: The address. On the web, it is always that of one file.
        output: The output folder, skipped when a folder that contains it is searched.
    """
    try:
        check_location(location)
        if location.scheme in WEB:
            checked_place(location.address)
            yield Song(path=location)
        elif "*" in location.path.as_posix():
            found = list(_below(_root_of(location), location, output))
            yield from [Song(path=song.path) for song in found] or [
                faulty_song(location, "no audio file matches this pattern", "Check the pattern.")
            ]
        elif location.name and not object_store.info(location).is_folder:
            yield Song(path=location)
        else:
            yield from list(_below(location, location, output)) or [
                faulty_song(location, "contains no audio files", "Name a folder with songs.")
            ]
    except MissingObjectError as error:
        yield faulty_song(location, str(error), error.remedy)
    except StoreError as error:
        yield faulty_song(location, f"cannot be read ({error})", error.remedy)
    except ValueError as error:
        yield faulty_song(location, str(error), "Correct the address.")


def _below(root: Location, searched: Location, output: Place | None) -> Iterator[Song]:
    start = len(root.path.parts)
    skipped = f"{str(output).rstrip('/')}/" if isinstance(output, Location) else None
    for found in object_store.find(searched):
        parts = found.path.parts[start:]
        if skipped and str(found).startswith(skipped):
            continue
        if found.path.suffix.lower() in AUDIO_SUFFIXES and not any(part.startswith(".") for part in parts):
            # The names of objects can be anything, also what is no folder on a disk.
            yield Song(path=found, folder=PurePath(*map(legal_name, parts[:-1])))


def _root_of(pattern: Location) -> Location:
    """The folder that a pattern starts in."""
    text = str(pattern)
    return Location(text[: text.index("*")].rpartition("/")[0])
