"""Rows of tables: csv files, and Parquet files, which need `stemdock[parquet]`."""

from __future__ import annotations

import csv
import errno
import io
import os
import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from stemdock.lib.regular_files import open_regular_file, read_regular_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_MAX_SIZE: Final = 1 << 30
"""Bytes: several million rows."""
_DELIMITER: Final = re.compile("[,;\t]")
"""Spreadsheets write semicolons where the comma is the decimal point."""
_TOLD: Final = re.compile("sep=([,;\t])", re.IGNORECASE)
"""The first line of some spreadsheets."""
_UNDECODED: Final = re.compile("[\udc80-\udcff]")
_MAGIC: Final = b"PAR1"
"""At both ends of a Parquet file."""


class TableError(Exception):
    """A file is not a usable table; the text says why."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a table."""

    line: int
    """In a csv file, the line that the row begins in, from 1; else the row, from 1."""
    values: Mapping[str, Any]
    """Of the columns that were asked for. None where a value is missing."""
    n_surplus: int = 0
    """Values behind the last column."""


def read_table(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a table, one after another. A csv file begins with the names of its columns.

    Args:
        path: The table.
        columns: Those that are read, if they are there. The first must be there.

    Raises:
        OSError: The file cannot be read.
        TableError: It is damaged, lacks a column, or its format needs a package that is not installed.
    """
    if path.suffix.lower() == ".parquet":
        yield from _parquet_rows(read_regular_file(path, max_size=_MAX_SIZE, follow_link=True), columns)
        return
    csv.field_size_limit(_MAX_SIZE)  # of all readers of this process: the texts of a song can be long
    with _lines(path) as lines:
        _check_encoding(lines)
    with _lines(path) as lines:
        yield from _csv_rows(lines, columns)


def _lines(path: Path) -> io.TextIOWrapper:
    """The lines of a file, with their ends; bytes that are not UTF-8 become lone surrogates."""
    file = open_regular_file(path, follow_link=True)
    if os.fstat(file.fileno()).st_size > _MAX_SIZE:
        file.close()
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), os.fspath(path))
    return io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")


def _check_encoding(lines: Iterable[str]) -> None:
    for number, line in enumerate(lines, 1):
        if not line.isascii() and _UNDECODED.search(line):
            raise TableError(f"line {number} is not UTF-8", "Save the list as csv in UTF-8.")


def _check_names(names: Sequence[str], columns: Sequence[str]) -> None:
    if columns[0] not in names:
        known = ", ".join(map(repr, names)) or "none"
        raise TableError(
            f"has no column {columns[0]!r}, but {known}", f"Name the column with the songs {columns[0]!r}."
        )
    for name in columns:
        if names.count(name) > 1:
            raise TableError(f"has {names.count(name)} columns {name!r}", "Give one of them another name.")


def _csv_rows(lines: Iterator[str], columns: Sequence[str]) -> Iterator[Row]:
    first = next(lines, "")
    n_before = 0
    told = _TOLD.fullmatch(first.strip())
    if told:  # Excel
        n_before, first = 1, next(lines, "")
    found = told[1] if told else (_DELIMITER.search(first) or [","])[0]
    reader = csv.reader(chain([first], lines), delimiter=found, strict=True)
    names: list[str] | None = None
    line = n_before + 1
    try:
        for values in reader:
            if names is None:
                names = [name.strip() for name in values]
            elif values:
                _check_names(names, columns)
                by_name = dict(zip(names, values, strict=False))
                yield Row(
                    line=line,
                    values={name: by_name.get(name) for name in columns},
                    n_surplus=max(0, len(values) - len(names)),
                )
            line = n_before + reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"line {line} is not valid csv ({error})", "Correct the line.") from error


def _parquet_rows(content: bytes, columns: Sequence[str]) -> Iterator[Row]:
    try:
        from arro3.io import read_parquet  # noqa: PLC0415  an extra
    except ImportError as error:
        raise TableError(
            "Parquet files need another package", "Install it: pip install 'stemdock[parquet]'."
        ) from error
    # The library prints its own messages about other files.
    if not (content.startswith(_MAGIC) and content.endswith(_MAGIC)):
        raise TableError("is not a Parquet file", "Write the list again.")
    line = 0
    try:
        for batch in read_parquet(io.BytesIO(content)):
            names = batch.schema.names
            _check_names(names, columns)
            texts = {name: batch[name].to_pylist() for name in columns if name in names}
            for number in range(batch.num_rows):
                line += 1
                yield Row(line=line, values={name: values[number] for name, values in texts.items()})
    except BaseException as error:
        # A failure inside the library is a "PanicException", which is no Exception.
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError | TableError):
            raise
        raise TableError("is a damaged Parquet file", "Write the list again.") from None
