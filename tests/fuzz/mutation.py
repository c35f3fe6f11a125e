"""Damages bytes and JSON values with a seeded generator."""

from __future__ import annotations

import copy
import json
import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_HEAD: Final = 160
"""Bytes at the start, where most formats have the fields that parsers rely on."""
_INTEGERS: Final = (
    0,
    1,
    2,
    3,
    7,
    8,
    64,
    127,
    128,
    255,
    256,
    1023,
    32767,
    32768,
    65535,
    65536,
    1 << 20,
    1 << 24,
    (1 << 31) - 1,
    1 << 31,
    (1 << 31) + 1,
    (1 << 32) - 1,
    (1 << 53) + 1,
    1 << 62,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
)
_BYTES: Final = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xc3\x28",
    b"\n",
    b"\r",
    b'"',
    b"<",
    b">",
    b"\\",
    b"\xed\xa0\x80",
)
_TEXTS: Final = (
    "",
    " ",
    ".",
    "..",
    "../../escaped",
    "a/b",
    "a\\b",
    "C:\\x",
    "\0",
    "\n",
    "\x1b[2J",
    "\u202e",
    "\ud800",
    "é" * 300,
    "x" * 5000,
    "-",
    "con",
    "NaN",
    "%s%n",
    "{0}",
    "~",
    "'",
    '"',
    "`",
    "\"'`",
)
_NUMBERS: Final = (
    *_INTEGERS,
    -1,
    -(1 << 31),
    -(1 << 63),
    10**400,
    0.0,
    -0.5,
    1e-320,
    1e308,
    math.nan,
    math.inf,
    -math.inf,
)


_DEEP: Final = '"<deep>"'


def any_number(rng: Random) -> float:
    """A number that parsers often handle wrongly, from 0 to NaN and beyond 64 bits."""
    return rng.choice(_NUMBERS)


def any_text(rng: Random) -> str:
    """A text that is dangerous in a path, a name or a line."""
    return rng.choice(_TEXTS)


def mutated(rng: Random, data: bytes) -> bytes:
    """The bytes, damaged in one to eight places."""
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        rng.choice(_DAMAGES)(rng, content)
    return bytes(content)


def with_integer(rng: Random, data: bytes, position: int, size: int) -> bytes:
    """The bytes with an extreme integer written over some of them, in either byte order."""
    value = rng.choice(_INTEGERS) % (1 << 8 * size)
    content = value.to_bytes(size, "little" if rng.random() < 0.5 else "big")
    return data[:position] + content + data[position + size :]


def _place(rng: Random, content: bytearray) -> int:
    return rng.randrange(min(len(content), _HEAD) if rng.random() < 0.5 else len(content)) if content else 0


def _flip(rng: Random, content: bytearray) -> None:
    if content:
        content[_place(rng, content)] ^= 1 << rng.randrange(8)


def _insert(rng: Random, content: bytearray) -> None:
    place = _place(rng, content)
    content[place:place] = rng.choice(
        (rng.randbytes(rng.randint(1, 9)), rng.choice(_BYTES) * rng.randint(1, 40))
    )


def _delete(rng: Random, content: bytearray) -> None:
    place = _place(rng, content)
    del content[place : place + rng.choice((1, 2, 4, 16, 300))]


def _repeat(rng: Random, content: bytearray) -> None:
    place = _place(rng, content)
    content[place:place] = content[place : place + rng.choice((1, 4, 16, 300))] * rng.choice((1, 2, 50))


def _truncate(rng: Random, content: bytearray) -> None:
    del content[_place(rng, content) :]


def _splice(rng: Random, content: bytearray) -> None:
    place, length = _place(rng, content), rng.choice((4, 16, 300))
    source = _place(rng, content)
    content[place : place + length] = content[source : source + length]


def _overwrite(rng: Random, content: bytearray) -> None:
    place, length = _place(rng, content), rng.choice((1, 4, 64))
    content[place : place + length] = rng.choice(_BYTES) * length


def _write_integer(rng: Random, content: bytearray) -> None:
    content[:] = with_integer(rng, bytes(content), _place(rng, content), rng.choice((1, 2, 4, 8)))


_DAMAGES: Final[tuple[Callable[[Random, bytearray], None], ...]] = (
    _flip,
    _flip,
    _insert,
    _delete,
    _repeat,
    _truncate,
    _splice,
    _overwrite,
    _write_integer,
    _write_integer,
)


def mutated_json(rng: Random, value: Any) -> bytes:
    """A JSON value as text, with some parts replaced or some bytes damaged."""
    changed = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 2, 4))):
        changed = _changed(rng, changed)
    text = json.dumps(changed, ensure_ascii=rng.random() < 0.5)
    if _DEEP in text:
        text = text.replace(_DEEP, _deep(rng))
    content = text.encode("utf-8", "surrogatepass")
    return mutated(rng, content) if rng.random() < 0.3 else content


def any_json(rng: Random) -> Any:
    """A value of any type; `<deep>` stands for one that is nested too deeply to be built here."""
    return rng.choice(
        (
            None,
            True,
            False,
            any_number(rng),
            any_text(rng),
            [],
            {},
            [[]],
            {"": None},
            "<deep>",
            [any_number(rng)] * 6,
        )
    )


def _deep(rng: Random) -> str:
    depth = rng.choice((50, 990, 200_000))
    return rng.choice(("[" * depth + "]" * depth, "[" * depth, '{"a":' * depth + "1" + "}" * depth))


def _changed(rng: Random, value: Any) -> Any:
    """The value with one part replaced, removed, duplicated or renamed."""
    if isinstance(value, dict) and value and rng.random() < 0.95:
        key = rng.choice(list(value))
        kind = rng.random()
        if kind < 0.1:
            del value[key]
        elif kind < 0.15:
            value[any_text(rng)] = value.pop(key)
        else:
            value[key] = _changed(rng, value[key])
        return value
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = rng.randrange(len(value))
        kind = rng.random()
        if kind < 0.15:
            del value[place]
        elif kind < 0.3:
            value.append(copy.deepcopy(value[place]))
        else:
            value[place] = _changed(rng, value[place])
        return value
    return any_json(rng)
