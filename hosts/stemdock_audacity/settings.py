"""Edits the text of audacity.cfg line by line; every other byte stays. Reads and writes no files."""

from __future__ import annotations


def get_value(text: str, section: str, key: str) -> str | None:
    """The raw value of a key; None if the key is missing."""
    place = _find(text.splitlines(), section, key)
    return None if place is None else text.splitlines()[place].partition("=")[2]


def set_value(text: str, section: str, key: str, value: str | None) -> str:
    """Sets a raw value, or removes the key with None; a section without keys is removed, too."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    place = _find(lines, section, key)
    if value is None:
        if place is not None:
            del lines[place]
            _drop_empty(lines, section)
    elif place is not None:
        lines[place] = f"{key}={value}"
    elif (head := _find_head(lines, section)) is not None:
        lines.insert(head + 1, f"{key}={value}")
    else:
        lines += [f"[{section}]", f"{key}={value}"]
    return "".join(line + end for line in lines)


def _find(lines: list[str], section: str, key: str) -> int | None:
    current = ""
    for place, line in enumerate(lines):
        if line.startswith("["):
            current = line.rstrip()
        elif current == f"[{section}]" and line.partition("=")[0] == key:
            return place
    return None


def _find_head(lines: list[str], section: str) -> int | None:
    return next((place for place, line in enumerate(lines) if line.rstrip() == f"[{section}]"), None)


def _drop_empty(lines: list[str], section: str) -> None:
    head = _find_head(lines, section)
    if head is not None and (head + 1 == len(lines) or lines[head + 1].startswith("[")):
        del lines[head]
