"""Arguments of public functions, checked and turned into the one form that the rooms use."""

from __future__ import annotations

from pathlib import Path

from stemdock.errors import ArgumentError
from stemdock.lib.arguments import is_path


def as_path(argument: str, value: object) -> Path:
    """The path that a caller gave as a string or in another library's form.

    Raises:
        ArgumentError: It is not a path.
    """
    if not is_path(value):
        raise ArgumentError(argument, value, "a path")
    return Path(value)
