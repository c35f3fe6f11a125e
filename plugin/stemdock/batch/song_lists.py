"""Lists of songs: tables with a column of locations, and perhaps one with the names of their outputs."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from stemdock.batch.songs import STANDARD_INPUT, Song, faulty_song
from stemdock.lib.legal_names import legal_name
from stemdock.lib.locations import INPUT_SCHEMES, WEB, Location, Place, is_address, place_of
from stemdock.lib.os_errors import reason_for
from stemdock.lib.paths import access_error
from stemdock.lib.tables import TableError, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from stemdock.lib.tables import Row

LOCATION: Final = "location"
"""The column of paths and addresses. Paths are relative to the list."""
OUTPUT: Final = "output"
"""The column of output names: a relative path with forward slashes that takes the place of the song's."""
_SCHEMES: Final = ", ".join(f"{scheme}://" for scheme in (*INPUT_SCHEMES, "file"))


class _RowError(Exception):
    """A row that cannot be used."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


def listed_songs(path: Path) -> Iterator[Song]:
    """The songs of a list, in order; each row that cannot be used becomes a song with a fault.

    Args:
        path: A csv or Parquet file.
    """
    unit = "row" if path.suffix.lower() == ".parquet" else "line"
    lines: dict[str, int] = {}
    is_empty = True
    try:
        for row in read_table(path, (LOCATION, OUTPUT)):
            is_empty = False
            try:
                yield _song(path, row, lines, unit)
            except _RowError as error:
                yield faulty_song(path, f"{unit} {row.line}: {error}", error.remedy)
    except (OSError, ValueError) as error:
        yield faulty_song(path, f"cannot be read ({reason_for(error)})", "Name a list that you can read.")
        return
    except TableError as error:
        yield faulty_song(path, str(error), error.remedy)
        return
    if is_empty:
        yield faulty_song(path, "the list is empty", "Name a list with songs.")


def checked_place(text: str) -> Place:
    """The place that a text means, if songs can be read from it.

    Raises:
        ValueError: They cannot. The message says why.
    """
    place = place_of(text)
    if isinstance(place, Location):
        check_location(place)
        if not place.name:
            raise ValueError("this address names no file")
    return place


def check_location(location: Location) -> None:
    """Checks that songs can be read from a store or a server.

    Raises:
        ValueError: They cannot. The message says why.
    """
    if location.scheme not in INPUT_SCHEMES:
        raise ValueError(f"songs cannot be read from {location.scheme}://; use one of {_SCHEMES}")
    if location.scheme not in WEB and location.has_user:
        raise ValueError("this address has a user; put credentials where the provider's tools find them")


def _song(path: Path, row: Row, lines: dict[str, int], unit: str) -> Song:
    if row.n_surplus:
        raise _RowError(
            f"has {row.n_surplus} more values than there are columns",
            "Put values that contain the separator in double quotes.",
        )
    location = _text(row.values[LOCATION], LOCATION)
    if not location or location == STANDARD_INPUT:
        raise _RowError(f"has no {LOCATION}", "Write the path or the address of a song, or remove the row.")
    try:
        place = checked_place(location)
    except ValueError as error:
        raise _RowError(str(error), f"Correct the {LOCATION}.") from error
    if not isinstance(place, Location):
        place = path.parent / place
        if reason := access_error(place):
            raise _RowError(f"contains an invalid path ({reason})", f"Correct the {LOCATION}.")
    output = _text(row.values.get(OUTPUT), OUTPUT)
    if not output:
        return Song(path=place)
    try:
        parts = output_parts(output)
    except ValueError as error:
        raise _RowError(
            f"{OUTPUT} {error}: {output[:80]}",
            "Write folders and a name with forward slashes, such as Abba/Waterloo, without : and the like.",
        ) from error
    key = unicodedata.normalize("NFC", "/".join(parts)).casefold()
    if (first := lines.setdefault(key, row.line)) != row.line:
        raise _RowError(
            f"has the same {OUTPUT} as {unit} {first}: {output[:80]}", "Give each song another one."
        )
    return Song(path=place, folder=PurePosixPath(*parts[:-1]), name=parts[-1])


def _text(value: Any, column: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _RowError(f"{column} is not a text", f"Write {column} as text.")
    if "\0" in value or (not is_address(value) and "\n" in value):
        raise _RowError(f"{column} contains a control character", f"Correct the {column}.")
    return value.strip()


def output_parts(output: str) -> Sequence[str]:
    """The folders and the last part of an output name.

    Raises:
        ValueError: It is not a relative path with forward slashes that every system accepts.
    """
    parts = output.split("/")
    if any(part != legal_name(part) or part.startswith(".") for part in parts):
        raise ValueError("is not a relative path that every system accepts")
    return parts
