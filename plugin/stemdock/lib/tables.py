"""Rows of tables: csv files, and Parquet files, which need `stemdock[parquet]`."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from stemdock.lib.regular_files import read_regular_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SUFFIXES: Final = frozenset({".csv", ".parquet"})
"""File name extensions of tables, in lower case."""
_MAX_SIZE: Final = 1 << 30
"""Bytes: several million rows."""
_DELIMITER: Final = re.compile("[,;\t]")
"""Spreadsheets write semicolons where the comma is the decimal point."""
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
    """By the name of the column. None where a value is missing."""
    n_surplus: int = 0
    """Values behind the last column."""


def read_table(path: Path) -> Iterator[Row]:
    """The rows of a table. A csv file begins with the names of its columns.

    Raises:
        OSError: The file cannot be read.
        TableError: It is damaged, or its format needs a package that is not installed.
    """
    content = read_regular_file(path, max_size=_MAX_SIZE, follow_link=True)
    return _parquet_rows(content) if path.suffix.lower() == ".parquet" else _csv_rows(content)


def _csv_rows(content: bytes) -> Iterator[Row]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TableError(f"line {line} is not UTF-8", "Save the list as csv in UTF-8.") from error
    found = _DELIMITER.search(text.partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=found[0] if found else ",", strict=True)
    columns: list[str] | None = None
    line = 1
    try:
        for values in reader:
            if columns is None:
                columns = [name.strip() for name in values]
            elif values:
                padded = [*values, *[None] * (len(columns) - len(values))]
                yield Row(
                    line=line,
                    values=dict(zip(columns, padded, strict=False)),
                    n_surplus=max(0, len(values) - len(columns)),
                )
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"line {line} is not valid csv ({error})", "Correct the line.") from error


def _parquet_rows(content: bytes) -> Iterator[Row]:
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
            columns = {name: batch[name].to_pylist() for name in batch.schema.names}
            for number in range(batch.num_rows):
                line += 1
                yield Row(line=line, values={name: values[number] for name, values in columns.items()})
    except BaseException as error:
        # A failure inside the library is a "PanicException", which is no Exception.
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
            raise
        raise TableError("is a damaged Parquet file", "Write the list again.") from None
