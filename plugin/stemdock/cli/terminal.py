"""How errors and progress look on standard error."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from stemdock.entries import FetchProgress
    from stemdock.errors import StemdockError
    from stemdock.types import Progress


def echo_error(error: StemdockError) -> None:
    """Tells an error and its remedy in one line on standard error."""
    click.echo(f"error: {one_line(error)}", err=True)


def one_line(error: StemdockError) -> str:
    """An error and its remedy, whatever line ends are in the names of files."""
    return printable(" ".join(f"{str(error).rstrip('.')}. {error.remedy}".split()))


def echo_path(path: Path) -> None:
    """Prints a result: to a program as it is, whatever its bytes, to a person so that it does no harm."""
    if sys.platform == "win32" or sys.stdout.isatty():
        click.echo(printable(str(path)))
    else:
        click.echo(os.fsencode(path))


def printable(text: str) -> str:
    """The text with all that could mislead a terminal, or not be written to one, as an escape sequence."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


@contextmanager
def fetch_reporter() -> Iterator[Callable[[FetchProgress], None]]:
    """Tells each step of fetching a model in a line, with a bar if a person is looking."""
    with ExitStack() as bars:
        step = ""
        bar: Any = None

        def show(progress: FetchProgress) -> None:
            nonlocal step, bar
            if progress.step != step:
                bars.close()
                step, bar = progress.step, None
                click.echo(step, err=True)
            if progress.n_total_bytes and bar is None and sys.stderr.isatty():
                bar = bars.enter_context(click.progressbar(length=progress.n_total_bytes, file=sys.stderr))
            if bar is not None:
                bar.update(progress.n_done_bytes - bar.pos)

        yield show


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[Progress], None] | None]:
    """A bar if a person is looking."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:

        def show(progress: Progress) -> None:
            if progress.total_length:
                bar.update(1000 * progress.done_length // progress.total_length - bar.pos)

        yield show
