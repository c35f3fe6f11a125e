"""Bundles of options that reach a command as one value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import wraps
from typing import Any, TypeAlias

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


def with_value(
    command: Callable[..., Any], argument: str, value_type: type[Any], options: Sequence[Decorator]
) -> Callable[..., Any]:
    """Adds options to a command that reach it as one argument.

    Args:
        command: The function.
        argument: Name of the argument.
        value_type: A dataclass; each of its fields has the name of an option.
        options: click's decorators, in the order of the help.
    """

    @wraps(command)
    def wrapped(*arguments: Any, **values: Any) -> Any:
        value = value_type(**{field.name: values.pop(field.name) for field in fields(value_type)})
        return command(*arguments, **{argument: value}, **values)

    return with_options(wrapped, options)


def with_options(command: Callable[..., Any], options: Sequence[Decorator]) -> Callable[..., Any]:
    """Adds options to a command, in the order of the help."""
    for option in reversed(options):
        command = option(command)
    return command
