"""Questions about the values that callers of the Python API give, for which Python has no types."""

from __future__ import annotations

import os
from math import inf
from operator import index
from typing import SupportsIndex, TypeAlias, TypeGuard, cast

StrPath: TypeAlias = str | os.PathLike[str]
"""A path in any of the forms that `open` takes, without bytes."""


def is_path(value: object) -> TypeGuard[StrPath]:
    """Whether a value is a `StrPath`."""
    return isinstance(value, str | os.PathLike)


def is_whole(value: object, lowest: int, highest: float = inf) -> TypeGuard[SupportsIndex]:
    """Whether a value is an integer from `lowest` to `highest`.

    Integers of numpy are, True and False are not.
    """
    try:
        return not isinstance(value, bool) and lowest <= index(cast("SupportsIndex", value)) <= highest
    except TypeError:
        return False


def is_number(value: object, lowest: float) -> TypeGuard[float]:
    """Whether a value is a finite real number, of Python or numpy, and not below `lowest`."""
    try:
        return not isinstance(value, bool | str | bytes) and lowest <= float(cast("float", value)) < inf
    except (TypeError, ValueError):
        return False


def is_text_sequence(value: object) -> bool:
    """Whether a value is a tuple or list of strings, and not a single string."""
    return isinstance(value, tuple | list) and all(isinstance(each, str) for each in value)
