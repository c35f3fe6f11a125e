"""Groups of options; each hands the command one value."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How many songs are gone through."""

    resume: bool
    n_jobs: int
    progress: Literal["auto", "json", "none"]


def batch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --resume, --jobs and --progress, as the argument `batch`."""
    options = (
        click.option(
            "--resume", is_flag=True,
            help="Go on where a former run stopped: leave songs alone whose stems are all there and intact, "
            "and separate the others, replacing what former runs left of them.",
        ),
        click.option(
            "-j", "--jobs", "n_jobs", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
            help="Songs under way at once. They share the processor, and each takes memory.",
        ),
        click.option(
            "--progress", type=click.Choice(["auto", "json", "none"]), default="auto", show_default=True,
            help="auto shows a line that changes if a person is looking; json writes a line of JSON for "
            "every event to standard error.",
        ),
    )  # fmt: skip
    return _grouped(command, "batch", Batch, options)


def _grouped(
    command: Callable[..., Any],
    argument: str,
    group: type[Any],
    options: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...],
) -> Callable[..., Any]:
    """A command whose options arrive as one value of `group`, a dataclass of the same names."""

    @wraps(command)
    def wrapped(*arguments: Any, **values: Any) -> Any:
        value = group(**{field.name: values.pop(field.name) for field in fields(group)})
        return command(*arguments, **{argument: value}, **values)

    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped
