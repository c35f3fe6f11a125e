"""Options of plugin-cli separate that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stemdock.batch.songs import STANDARD_INPUT
from stemdock.cli.standard_output import STANDARD_OUTPUT
from stemdock.output.codecs import check_growing
from stemdock.output.formats import KEPT_ENDING, format_of
from stemdock.output.naming import DEFAULT_TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.output.naming import Destination
    from stemdock.output.options import Output


def check_options(
    songs: Sequence[str],
    destination: Destination,
    output: Output,
    *,
    preview: bool,
    growing: bool,
    estimate: bool,
) -> None:
    """Checks that options do not contradict each other.

    Args:
        songs: The arguments that name songs.
        destination: Output folder and template; the folder "-" is standard output.
        output: What to write.
        preview: Whether to write a page for each song.
        growing: Whether files appear with their first segment and grow.
        estimate: Whether only a sample of the songs is measured.

    Raises:
        click.UsageError: They do.
        StemdockError: An option has a wrong value.
    """
    to_standard_output = str(destination.folder) == STANDARD_OUTPUT
    if preview and output.format:
        raise click.UsageError("--preview cannot be used with --as: a page needs one file for each stem.")
    if preview and output.codec == "raw":
        raise click.UsageError("--preview cannot be used with raw: browsers cannot play it. Use wav or flac.")
    if preview and destination.location:
        raise click.UsageError("--preview needs an output folder on this machine.")
    if preview and to_standard_output:
        raise click.UsageError("--preview cannot be used with -o -: standard output holds one file.")
    if growing:
        check_growing(output)
    if growing and destination.location:
        raise click.UsageError(
            "--growing needs an output folder on this machine: files in an object store appear when they are "
            "complete."
        )
    if estimate and (to_standard_output or preview):
        raise click.UsageError("--estimate cannot be used with -o - or --preview.")
    form = format_of(output)
    ending = (DEFAULT_TEMPLATE, KEPT_ENDING)
    if form and form.keeps_ending and STANDARD_INPUT in songs and destination.template.endswith(ending):
        raise click.UsageError(
            "the container of a film is that of its name, and standard input has none. Choose it with "
            f"--template '{{filename}}{form.endings[-1]}'."
        )
