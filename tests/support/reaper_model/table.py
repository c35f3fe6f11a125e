"""The API table, and the judgement of every call by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parents[2] / "hosts" / "reaper" / "data"
_TABLE = json.loads((_DATA / "reaper_api.json").read_text(encoding="utf-8"))
FUNCTIONS: dict[str, dict[str, Any]] = _TABLE["functions"]
NAMES = frozenset(FUNCTIONS) | frozenset(_TABLE["others"].split())
ATTRIBUTES: dict[str, dict[str, str]] = _TABLE["attributes"]

NEWER = frozenset({"InsertTrackInProject"})
"""Functions that REAPER 6.47 lacks."""


class RefusedError(Exception):
    """REAPER would crash, fail or misbehave here."""


def check_count(name: str, n_arguments: int) -> list[list[Any]]:
    """Judges the number of arguments; returns the declared ones."""
    declared: list[list[Any]] = FUNCTIONS[name]["in"]
    least = sum(not optional for _, _, optional in declared)
    if not least <= n_arguments <= len(declared):
        raise RefusedError(f"{name} takes {least} to {len(declared)} arguments, not {n_arguments}")
    return declared


def check_basic(name: str, argument: str, kind: str, value: Any) -> Any:
    """Judges an argument of a basic type."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "number" and is_number:
        return float(value)
    if kind == "integer" and is_number and float(value).is_integer():
        return int(value)
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "string" and isinstance(value, str):
        return value
    raise RefusedError(f"{name}: {argument} must be {kind}, not {value!r}")


def check_attribute(table: str, key: str, *, writes: bool) -> None:
    """Judges an attribute name."""
    access = ATTRIBUTES[table].get(key)
    if access is None:
        raise RefusedError(f"there is no attribute {key} in {table}")
    if writes and access == "r":
        raise RefusedError(f"{key} is read-only")
