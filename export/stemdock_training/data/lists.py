"""Spleeter's lists of songs: CSV files with the columns mix_path, STEM_path and duration."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Final

from stemdock import reason_for
from stemdock_training.data.songs import Song
from stemdock_training.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_COLUMNS: Final = "Give the list the columns {columns}."


def read_list(
    path: Path, folder: Path, stems: Sequence[str], mix_name: str
) -> tuple[list[Song], list[Problem]]:
    """Reads a list of songs.

    Args:
        path: The CSV file.
        folder: The folder that the paths in it start from.
        stems: The stems of the model.
        mix_name: The mixture's name in the columns.

    Returns:
        The songs, and what is wrong with the list.
    """
    columns = {name: f"{name}_path" for name in (mix_name, *stems)}
    wanted = _COLUMNS.format(columns=", ".join((*columns.values(), "duration")))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return [], [Problem(path=path, reason="is not a text in UTF-8", remedy="Save the list as UTF-8.")]
    except (OSError, ValueError) as error:  # the second for a name with a null character
        remedy = (
            "Correct train_csv or validation_csv in the configuration. A folder like MUSDB's needs neither."
        )
        return [], [
            Problem(path=path, reason=f"the list cannot be read ({reason_for(error)})", remedy=remedy)
        ]
    rows = csv.DictReader(io.StringIO(text, newline=""))
    try:
        missing = [each for each in (*columns.values(), "duration") if each not in (rows.fieldnames or ())]
        if missing:
            return [], [Problem(path=path, reason=f"the column {missing[0]} is missing", remedy=wanted)]
        return _songs(path, folder, rows, columns, mix_name)
    except csv.Error as error:
        return [], [Problem(path=path, reason=f"is not a CSV file ({error})", remedy=wanted)]


def _songs(
    path: Path, folder: Path, rows: csv.DictReader[str], columns: dict[str, str], mix_name: str
) -> tuple[list[Song], list[Problem]]:
    songs: list[Song] = []
    problems: list[Problem] = []
    for row in rows:
        place = f"line {rows.line_num}"
        empty = [column for column in columns.values() if not row[column]]
        if empty:
            remedy = "Fill it in, or remove the line."
            problems.append(Problem(path=path, reason=f"{place}: {empty[0]} is empty", remedy=remedy))
            continue
        duration = _seconds(row["duration"])
        if duration is None:
            reason = f"{place}: the duration {row['duration']!r} is not a number of seconds"
            problems.append(
                Problem(path=path, reason=reason, remedy="Write the length of the song in seconds.")
            )
            continue
        files = {name: folder / row[column] for name, column in columns.items()}
        songs.append(
            Song(
                name=row[columns[mix_name]],
                mixture=files.pop(mix_name),
                stems={name: (file,) for name, file in files.items()},
                duration=duration,
            )
        )
    if not songs and not problems:
        problems.append(Problem(path=path, reason="lists no songs", remedy="Add songs to the list."))
    return songs, problems


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None
