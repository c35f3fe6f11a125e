"""Printing errors, paths and progress."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from stemdock.cli.streams import OutputStream
from stemdock.lib.printing import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stemdock.entries import FetchProgress
    from stemdock.errors import StemdockError
    from stemdock.lib.arguments import StrPath
    from stemdock.types import Progress


def echo_error(error: StemdockError) -> None:
    """Prints an error and its remedy in one line on standard error."""
    click.echo(f"error: {one_line(error)}", err=True)


def one_line(error: StemdockError) -> str:
    """An error and its remedy as one line, even if a file name contains line ends."""
    return printable(" ".join(f"{str(error).rstrip('.')}. {error.remedy}".split()))


def echo_path(path: StrPath) -> None:
    """Prints the path of a result, byte for byte unless a terminal shows it."""
    if sys.platform == "win32" or sys.stdout.isatty():
        click.echo(printable(os.fspath(path)))
    else:
        click.echo(os.fsencode(path))


def drawing(stream: Any) -> Any:
    """A stream that takes our own control sequences; texts from elsewhere need `printable` before."""
    return stream.drawing if isinstance(stream, OutputStream) else stream


@contextmanager
def fetch_reporter() -> Iterator[Callable[[FetchProgress], None]]:
    """Prints each step of a model download, with a progress bar on a terminal."""
    with ExitStack() as bars:
        step = ""
        bar: Any = None

        def show(progress: FetchProgress) -> None:
            nonlocal step, bar
            if progress.step != step:
                bars.close()
                step, bar = progress.step, None
                click.echo(printable(step), err=True)
            if progress.n_total_bytes and bar is None and sys.stderr.isatty():
                bar = bars.enter_context(
                    click.progressbar(length=progress.n_total_bytes, file=drawing(sys.stderr))
                )
            if bar is not None:
                bar.update(progress.n_done_bytes - bar.pos)

        yield show


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[Progress], None] | None]:
    """Shows a progress bar if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1000, label=printable(label), file=drawing(sys.stderr)) as bar:

        def show(progress: Progress) -> None:
            if progress.total_length:
                bar.update(1000 * progress.done_length // progress.total_length - bar.pos)

        yield show
