"""What an unsaved project of Audacity 4 contains: an SQLite file with a description in binary XML."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

(
    _CHARACTER_SIZE, _START, _END, _STRING, _INT, _BOOL, _LONG, _LONG_LONG, _SIZE, _FLOAT, _DOUBLE, _DATA,
    _RAW, _PUSH, _POP, _NAME,
) = range(16)  # fmt: skip
_ENCODINGS: Final = {1: "utf-8", 2: "utf-16-le", 4: "utf-32-le"}
_NUMBERS: Final = {
    _INT: "<i", _BOOL: "<?", _LONG: "<i", _LONG_LONG: "<q", _SIZE: "<I", _FLOAT: "<fi", _DOUBLE: "<di",
}  # fmt: skip
_DTYPES: Final = {0x4000F: np.dtype("<f4")}
"""By Audacity's number of a sample format; a project with stems holds floats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectTrack:
    name: str
    sample_rate: float
    start: float
    channels: tuple[NDArray[np.float32], ...]


@dataclass(slots=True)
class _Element:
    tag: str
    values: dict[str, Any] = field(default_factory=dict)
    children: list[_Element] = field(default_factory=list)

    def all(self, tag: str) -> Iterator[_Element]:
        for child in self.children:
            if child.tag == tag:
                yield child
            yield from child.all(tag)


def tracks_of(path: Path) -> list[ProjectTrack]:
    """The audio tracks from top to bottom; each with one clip."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        row = None
        for table in ("autosave", "project"):
            row = row or database.execute(f"SELECT dict, doc FROM {table} WHERE id = 1").fetchone()  # noqa: S608
        if row is None:
            return []
        found: list[tuple[str, float, float, list[NDArray[np.float32]]]] = []
        is_right_channel = False
        for track in _Parser(row[0] + row[1]).root().all("wavetrack"):
            (clip,) = track.all("waveclip")
            samples = _samples(database, clip)
            if is_right_channel:
                found[-1][3].append(samples)
            else:
                found.append((track.values["name"], track.values["rate"], clip.values["offset"], [samples]))
            is_right_channel = bool(track.values["linked"]) and not is_right_channel
    return [
        ProjectTrack(name=name, sample_rate=rate, start=start, channels=tuple(channels))
        for name, rate, start, channels in found
    ]


def _samples(database: sqlite3.Connection, clip: _Element) -> NDArray[np.float32]:
    parts = [np.zeros(0, np.float32)]
    for block in clip.all("waveblock"):
        number = int(block.values["blockid"])
        if number < 0:
            parts.append(np.zeros(-number, np.float32))
            continue
        query = "SELECT sampleformat, samples FROM sampleblocks WHERE blockid = ?"
        kind, content = database.execute(query, (number,)).fetchone()
        parts.append(np.frombuffer(content, _DTYPES[kind]))
    return np.concatenate(parts)


class _Parser:
    """Reads the binary XML: tokens, each with what follows it."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0
        self._character_size = 4
        self._names: dict[int, str] = {}
        self._kept: list[dict[int, str]] = []
        self._open = [_Element("")]

    def root(self) -> _Element:
        while self._at < len(self._content):
            self._token(self._number("<B"))
        return self._open[0]

    def _token(self, token: int) -> None:
        if token in {_CHARACTER_SIZE, _NAME, _PUSH, _POP}:
            self._about_names(token)
        elif token == _START:
            element = _Element(self._names[self._number("<H")])
            self._open[-1].children.append(element)
            self._open.append(element)
        elif token == _END:
            self._number("<H")
            self._open.pop()
        elif token in {_DATA, _RAW}:
            self._text(self._number("<I"))
        else:
            name = self._names[self._number("<H")]
            value = self._text(self._number("<I")) if token == _STRING else self._number(_NUMBERS[token])
            self._open[-1].values[name] = value

    def _about_names(self, token: int) -> None:
        if token == _CHARACTER_SIZE:
            self._character_size = self._number("<B")
        elif token == _PUSH:
            self._kept.append(dict(self._names))
        elif token == _POP:
            self._names = self._kept.pop()
        else:
            key = self._number("<H")
            self._names[key] = self._text(self._number("<H"))

    def _number(self, layout: str) -> Any:
        value, *_ = struct.unpack_from(layout, self._content, self._at)
        self._at += struct.calcsize(layout)
        return value

    def _text(self, length: int) -> str:
        self._at += length
        return self._content[self._at - length : self._at].decode(_ENCODINGS[self._character_size])
