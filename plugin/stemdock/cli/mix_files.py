"""Text files with mixes, which people keep for `--mix @FILE`: a mix in each line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock.errors import OutputOptionError
from stemdock.lib.os_errors import os_errors_as
from stemdock.lib.regular_files import read_regular_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MAX_SIZE: Final = 1 << 16
"""Bytes: a thousand mixes."""


def mix_texts(arguments: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The mixes that arguments of --mix name, each with where it comes from, for errors.

    Args:
        arguments: Each a mix, or @ and the path of a file. In a file, empty lines and lines that start with #
            are skipped.

    Raises:
        OutputOptionError: A file cannot be read, or contains no mix.
    """
    for argument in arguments:
        if argument.startswith("@"):
            yield from _mixes_in(argument[1:])
        else:
            yield argument, "mix"


def _mixes_in(path: str) -> Iterator[tuple[str, str]]:
    def unreadable(reason: str) -> OutputOptionError:
        return OutputOptionError(
            "mix",
            f"{path} cannot be read ({reason})",
            remedy="Name a text file with a line such as practice=vocals:-12dB+drums+bass.",
        )

    with os_errors_as(unreadable):
        content = read_regular_file(path, max_size=_MAX_SIZE, follow_link=True)
    try:
        lines = [line.strip() for line in content.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise unreadable("it is not UTF-8 text") from error
    mixes = [(line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]
    mixes = [(line, place) for line, place in mixes if line and not line.startswith("#")]
    if not mixes:
        raise unreadable("it contains no mix")
    yield from mixes
