"""Groups of options; each hands the command one value."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal

import click

from stemdock.types import Separation

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


def separation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --mwf and --bandwidth, as the argument `separation`."""
    options = (
        click.option(
            "--mwf", is_flag=True,
            help="Share sound among stems by its place in the stereo picture, too: a multi-channel Wiener "
            "filter, in two passes, and with temporary files of 64 MB for a minute in two stems.",
        ),
        click.option(
            "--bandwidth", type=click.Choice(["11k", "16k", "full"]),
            help="Up to which frequency stems have sound. 11k: as far as Spleeter's networks look. 16k: the "
            "same networks look further. full: above what they see, each stem gets its average share of the "
            "rest (not with --mwf).  [default: as the model]",
        ),
    )  # fmt: skip
    return _grouped(command, "separation", Separation, options)


def fold_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --fold, as the argument `fold`."""
    option = click.option(
        "--fold", type=click.Choice(["auto", "front", "refuse"]), default="auto", show_default=True,
        help="What to do with surround sound: auto folds all channels but the LFE to stereo, front takes "
        "front left and right alone, as Spleeter does.",
    )  # fmt: skip
    return option(command)


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
