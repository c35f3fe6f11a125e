"""The words of REAPER's configuration and project files, and their quotation marks."""

from __future__ import annotations

from typing import Final

_QUOTES: Final = "\"'`"
_BLANKS: Final = " \t\r\n"


def quoted(text: str) -> str:
    """Quotes a word as in REAPER's configuration files: without escapes, with one of three quotation marks.

    Raises:
        ValueError: The text contains a line break, or all three quotation marks.
    """
    if any(character in text for character in "\r\n\0"):
        raise ValueError("a line break cannot be quoted")
    for quote in _QUOTES:
        if quote not in text:
            return f"{quote}{text}{quote}"
    raise ValueError("a text with all three quotation marks cannot be quoted")


def split_words(line: str) -> list[str]:
    """Words of a line, split as REAPER does: quotes count only at the start of a word."""
    words = []
    rest = line.strip(_BLANKS)
    while rest:
        if rest[0] in _QUOTES:
            word, _, rest = rest[1:].partition(rest[0])
        else:
            end = min(at for blank in _BLANKS if (at := (rest + blank).find(blank)) >= 0)
            word, rest = rest[:end], rest[end:]
        words.append(word)
        rest = rest.lstrip(_BLANKS)
    return words
