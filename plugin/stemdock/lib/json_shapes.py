"""Checks values from JSON against the types that a dataclass declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from reprlib import repr as shortened
from types import UnionType
from typing import Any, Final, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

_T = TypeVar("_T")

_NAMES: Final[dict[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}
_DEFERRED: Final = {"Any": Any, "Mapping": Mapping}
"""Names that modules import for type checkers only."""


def checked(kind: type[_T], value: object, place: str = "", *, ignore_unknown: bool = False) -> _T:
    """A value from JSON as a type.

    Args:
        kind: str, int, float, bool, None, Any, a Literal, a union, tuple[X, ...], Mapping[str, X], or a
            dataclass of such fields.
        value: The value. Lists become tuples, objects become dataclasses, and integers become floats where a
            float is declared. Nothing else is converted.
        place: Where the value is, for messages.
        ignore_unknown: Whether objects may have fields that their dataclass does not have.

    Raises:
        ValueError: The value is not of this type. The message names the place in it.
    """
    return cast("_T", _Reader(ignore_unknown=ignore_unknown).read(kind, value, place))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    ignore_unknown: bool

    def read(self, kind: Any, value: object, place: str) -> object:
        origin, parts = get_origin(kind), get_args(kind)
        if kind is Any:
            return value
        if origin is Literal:
            return _choice(parts, value, place)
        if origin in {Union, UnionType}:
            return self._one_of(parts, value, place)
        if origin is tuple or origin is Mapping:
            return self._container(kind, value, place)
        if is_dataclass(kind):
            return self._dataclass(cast("type", kind), value, place)
        return _required(kind, value, place)

    def _container(self, kind: Any, value: object, place: str) -> object:
        if get_origin(kind) is tuple:
            each, content = get_args(kind)[0], _required(list, value, place)
            return tuple(self.read(each, part, f"{place}[{n}]") for n, part in enumerate(content))
        each, named = get_args(kind)[1], _required(dict, value, place)
        return {name: self.read(each, part, f"{place}[{name!r}]") for name, part in named.items()}

    def _one_of(self, kinds: tuple[Any, ...], value: object, place: str) -> object:
        faults = []
        for kind in kinds:
            try:
                return self.read(kind, value, place)
            except ValueError as error:
                faults.append(error)
        raise faults[0]

    def _dataclass(self, kind: type, value: object, place: str) -> object:
        content = _required(dict, value, place)
        kinds, required = _declared(kind)
        if missing := required - content.keys():
            raise _fault(place, f"has no {min(missing)!r}")
        unknown = content.keys() - kinds.keys()
        if unknown and not self.ignore_unknown:
            raise _fault(place, f"has an unknown {min(unknown)!r}")
        inside = f"{place}." if place else ""
        return kind(
            **{
                name: self.read(kinds[name], content[name], inside + name)
                for name in kinds
                if name in content
            }
        )


def _required(kind: type[_T], value: object, place: str) -> _T:
    """The value, if it is of a type of JSON."""
    if kind is float and type(value) is int:
        return cast("_T", float(value))
    # True is an int for Python, but not for JSON.
    if type(value) is not kind:
        raise _fault(place, f"is {shortened(value)}, not {_NAMES[kind]}")
    return value


def _choice(choices: tuple[Any, ...], value: object, place: str) -> object:
    if not any(value == each and type(value) is type(each) for each in choices):
        raise _fault(place, f"is {shortened(value)}, not one of {', '.join(map(repr, choices))}")
    return value


def _fault(place: str, reason: str) -> ValueError:
    return ValueError(f"{place or 'the value'} {reason}")


@cache
def _declared(kind: Any) -> tuple[Mapping[str, Any], frozenset[str]]:
    """The types of a dataclass's fields, and the names of those without a default."""
    hints = get_type_hints(kind, localns=_DEFERRED)
    required = {
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    }
    return {field.name: hints[field.name] for field in fields(kind)}, frozenset(required)
