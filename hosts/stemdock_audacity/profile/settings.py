"""Edits the text of audacity.cfg line by line; every other byte stays. Reads and writes no files."""

from __future__ import annotations

import re
from typing import Final

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""Not str.splitlines: values can contain characters that only Unicode counts as line ends."""


def get_value(text: str, section: str, key: str) -> str | None:
    """The raw value of a key; None if the key is missing."""
    lines = _LINE.findall(text)
    place = _find(lines, section, key)
    return None if place is None else _content(lines[place]).partition("=")[2]


def set_value(text: str, section: str, key: str, value: str | None) -> str:
    """Sets a raw value, or removes the key with None; a section without keys is removed, too."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = _LINE.findall(text)
    if lines and _content(lines[-1]) == lines[-1]:
        lines[-1] += end
    place = _find(lines, section, key)
    line = f"{key}={value}{end}"
    if value is None:
        if place is not None:
            del lines[place]
            _drop_empty(lines, section)
    elif place is not None:
        lines[place] = line
    elif (head := _find_head(lines, section)) is not None:
        lines.insert(head + 1, line)
    else:
        lines += [f"[{section}]{end}", line]
    return "".join(lines)


def _content(line: str) -> str:
    return line.rstrip("\r\n")


def _find(lines: list[str], section: str, key: str) -> int | None:
    current = ""
    for place, line in enumerate(lines):
        if line.startswith("["):
            current = line.rstrip()
        elif current == f"[{section}]" and _content(line).partition("=")[0] == key:
            return place
    return None


def _find_head(lines: list[str], section: str) -> int | None:
    return next((place for place, line in enumerate(lines) if line.rstrip() == f"[{section}]"), None)


def _drop_empty(lines: list[str], section: str) -> None:
    head = _find_head(lines, section)
    if head is not None and (head + 1 == len(lines) or lines[head + 1].startswith("[")):
        del lines[head]
