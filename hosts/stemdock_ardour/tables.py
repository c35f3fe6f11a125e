"""Files of lines with fields between tabs, which need no library in Lua; % and control characters are %XX."""

from __future__ import annotations

import re


def line(*fields: object) -> str:
    """A line from fields."""
    return "\t".join(_encoded(str(field)) for field in fields) + "\n"


def rows(text: str) -> list[list[str]]:
    """The lines of a file as lists of fields."""
    return [[_decoded(field) for field in each.split("\t")] for each in text.split("\n") if each]


def _encoded(text: str) -> str:
    return re.sub(r"[%\x00-\x1f\x7f]", lambda found: f"%{ord(found[0]):02X}", text)


def _decoded(text: str) -> str:
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), text)
