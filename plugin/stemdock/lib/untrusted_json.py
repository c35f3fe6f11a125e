"""JSON from sources that may be damaged or malicious: the only module that parses JSON.

Every text that comes from a file, a model or a server passes through here, so that the rest of the program
meets only values that it can compare, convert, store and use in a path.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from stemdock.lib.json_shapes import checked

if TYPE_CHECKING:
    from collections.abc import Iterator

_T = TypeVar("_T")

_MAX_LENGTH: Final = 4 << 20
"""Bytes or characters of a text: a hundred times the largest that Stemdock writes."""
_MAX_DEPTH: Final = 64
"""Levels of lists and objects."""
_MAX_INTEGER: Final = 1 << 63
_UNUSABLE: Final = re.compile("[\0\ud800-\udc7f\udd00-\udfff]")
"""NUL and unpaired surrogates, which no file system stores. Python stands for bytes of names that are not
UTF-8 by the surrogates that are left out here."""


def parse_json(text: str | bytes) -> Any:
    """The value in a JSON text, with numbers and texts that are safe to use.

    Raises:
        ValueError: The text is not valid JSON, is too long or nested too deeply, or contains a number
            that is not finite, an integer of more than 64 bits, a null character or an unpaired surrogate.
    """
    if len(text) > _MAX_LENGTH:
        raise ValueError(f"it is longer than {_MAX_LENGTH >> 20} MB")
    try:
        value = json.loads(text, parse_int=_integer, parse_float=_number, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("its nesting is too deep") from None
    for part in _parts(value):
        if isinstance(part, str) and (found := _UNUSABLE.search(part)):
            raise ValueError(f"a text contains the character {found[0]!r}")
    return value


def parse_json_as(kind: type[_T], text: str | bytes, *, ignore_unknown: bool = False) -> _T:
    """The value in a JSON text, as a dataclass.

    Args:
        kind: A dataclass. Its fields are of the types str, int, float, bool, None, Any, Literal,
            tuple[X, ...], Mapping[str, X], unions of these, and further dataclasses.
        text: The JSON. Lists become tuples, and integers become floats where a float is declared.
        ignore_unknown: Whether objects may have fields that their dataclass does not have.

    Raises:
        ValueError: `parse_json` refuses the text, or the value is not of this type. The message names the
            place of the fault.
    """
    return checked(kind, parse_json(text), ignore_unknown=ignore_unknown)


def _parts(value: Any) -> Iterator[Any]:
    """The value, and everything in it.

    Raises:
        ValueError: The nesting is too deep.
    """
    level = [value]
    for _ in range(_MAX_DEPTH):
        yield from level
        level = [
            part
            for each in level
            if isinstance(each, list | dict)
            for part in (each if isinstance(each, list) else (*each, *each.values()))
        ]
        if not level:
            return
    raise ValueError("its nesting is too deep")


def _integer(digits: str) -> int:
    # Very long texts of digits take quadratic time to convert.
    value = int(digits) if len(digits) < len(str(_MAX_INTEGER)) + 2 else _MAX_INTEGER
    if not -_MAX_INTEGER <= value < _MAX_INTEGER:
        raise ValueError(f"the integer {digits[:20]}… is out of range")
    return value


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:20]} is out of range")
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
