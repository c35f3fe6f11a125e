"""Takes values out of a JSON configuration and rejects those that cannot be used."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stemdock_export.errors import ConfigError, FieldMissingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One object of a configuration.

    Every method takes a key of the object and raises a `ConfigError` if its value is missing or invalid.
    """

    source: str
    """File or name of the configuration, for error messages."""
    content: Mapping[str, Any]
    path: str = ""
    """Dotted path of the object, with a dot at its end; empty for the whole configuration."""

    def __contains__(self, key: str) -> bool:
        return key in self.content

    def section(self, key: str, *, known: frozenset[str]) -> Section:
        """An object in which every key is optional, so that a misspelt one must not pass unnoticed."""
        value = self.value(key)
        if not isinstance(value, dict):
            raise self.error(key, f"{value!r} is not an object")
        for unknown in sorted(value.keys() - known):
            raise self.error(f"{key}.{unknown}", f"unknown key; known keys: {', '.join(sorted(known))}")
        return Section(source=self.source, content=value, path=f"{self.path}{key}.")

    def value(self, key: str) -> Any:
        """A value of any type."""
        try:
            return self.content[key]
        except KeyError:
            raise FieldMissingError(self.source, f"{self.path}{key}") from None

    def natural(self, key: str) -> int:
        """A whole number above 0."""
        value = self.value(key)
        if not is_natural(value):
            raise self.error(key, f"{value!r} is not a positive whole number")
        return int(value)

    def positive(self, key: str) -> float:
        """A finite number above 0."""
        value = self.value(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, f"{value!r} is not a number")
        # A comparison, since JSON allows whole numbers that are too large for a float.
        if not 0 < value <= sys.float_info.max:
            raise self.error(key, f"not a positive number below {sys.float_info.max:.0e}")
        return float(value)

    def one_of(self, key: str, allowed: Sequence[Any], default: Any = None) -> Any:
        """One of the allowed values; if there is a default, the key may be missing."""
        if default is not None and key not in self.content:
            return default
        value = self.value(key)
        if (type(value), value) not in [(type(each), each) for each in allowed]:
            raise self.error(key, f"{value!r} is not one of {', '.join(str(each) for each in allowed)}")
        return value

    def error(self, key: str, reason: str) -> ConfigError:
        """The error of an invalid key."""
        name = f"{self.path}{key}"
        return ConfigError(self.source, name, reason, remedy=f"Correct {name} in the configuration.")


def is_natural(value: object) -> bool:
    """Whether a JSON value is a whole number above 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
