"""What plugin-cli separate does: find the songs, open the model, plan the files, run the batch."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from stemdock.batch.inputs import find_songs
from stemdock.batch.manifest import Manifest
from stemdock.batch.planning import plan_songs
from stemdock.batch.resuming import ResumableSeparation
from stemdock.batch.standard_input import copied_to_file
from stemdock.cli.batch_run import run_plans
from stemdock.cli.delivery import PrintedPaths
from stemdock.cli.interruption import interruptible
from stemdock.cli.opening import open_separator
from stemdock.cli.pages import Pages
from stemdock.cli.standard_output import (
    STANDARD_OUTPUT,
    StandardOutput,
    check_single,
    temporary_destination,
)
from stemdock.lib.untrusted_json import parse_json
from stemdock.output.codecs import can_grow, check_growing, codec_of
from stemdock.output.formats import format_of, named_for, result_names, sound_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.batch.songs import Song
    from stemdock.cli.options import BatchOptions
    from stemdock.files.excerpts import Excerpt
    from stemdock.output.naming import Destination
    from stemdock.output.options import Output
    from stemdock.plugins import Plugins
    from stemdock.types import DownmixMode, Execution, Separation


def separate(
    plugins: Plugins,
    songs: Sequence[str],
    *,
    destination: Destination,
    model: str,
    output: Output,
    execution: Execution,
    overwrite: bool,
    growing: bool,
    preview: bool,
    excerpt: Excerpt,
    separation: Separation,
    downmix: DownmixMode,
    track: int | None,
    batch: BatchOptions,
) -> int:
    """Separates songs, with reports on standard error.

    Args:
        plugins: The plug-ins of this run.
        songs: The arguments that name songs.
        destination: Output folder and template; the folder "-" is standard output.
        model: Name or path.
        output: What to write.
        execution: How the networks run.
        overwrite: Whether to replace any existing file.
        growing: Whether files appear with their first segment and grow.
        preview: Whether to write a page for each song.
        excerpt: The part of each song to separate.
        separation: How stems are computed from the networks' estimates.
        downmix: How to handle surround sound.
        track: The audio track of each song, from 1; None for its default.
        batch: How the batch runs.

    Returns:
        The exit status.

    Raises:
        click.UsageError: The options contradict each other.
        StemdockError: The batch cannot start, or standard output cannot be written.
    """
    if preview and output.format:
        raise click.UsageError("--preview cannot be used with --as: a page needs one file for each stem.")
    if preview and output.codec == "raw":
        raise click.UsageError("--preview cannot be used with raw: browsers cannot play it. Use wav or flac.")
    if growing:
        check_growing(output)
    with ExitStack() as inputs:
        delivery: PrintedPaths | StandardOutput = PrintedPaths()
        if str(destination.folder) == STANDARD_OUTPUT:
            if preview:
                raise click.UsageError("--preview cannot be used with -o -: standard output holds one file.")
            form = format_of(output)
            template = form.template if form else "{instrument}.{codec}"
            destination = inputs.enter_context(temporary_destination(template))
            delivery, growing = StandardOutput(streams=can_grow(output)), False
        destination = named_for(output, destination)
        root = destination.folder
        manifest = Manifest(root)
        manifest.check()
        found = [_as_file(song, inputs) for song in find_songs(songs, output=root, made=manifest.paths())]
        separator = open_separator(model, plugins, execution, separation)
        with interruptible() as interrupted:
            resumable = ResumableSeparation(
                separator=separator,
                output=output,
                excerpt=excerpt,
                downmix=downmix,
                track=track,
                options={
                    **_output_options(output),
                    **asdict(excerpt),
                    **asdict(separation),
                    "precision": execution.precision,
                    "fold": downmix,
                    **({} if track is None else {"track": track}),
                },
                manifest=manifest,
                resume=batch.resume,
                overwrite=overwrite,
                growing=growing,
                on_encoded=delivery.receiver(interrupted.cancel),
                cancel=interrupted.cancel,
            )
            names = result_names(output, separator.stems)
            destination = replace(destination, companions=sound_files(output, separator.stems))
            if isinstance(delivery, StandardOutput):
                check_single(len(found), (*names, *destination.companions))
            plans = plan_songs(
                found, destination, names, codec=codec_of(output).extension, model=separator.model
            )
            pages = Pages(plans if preview else (), output, overwrite=overwrite or batch.resume)
            status = run_plans(plans, resumable, batch, delivery, pages)
    for plugin in plugins.status:
        if plugin.fault:
            click.echo(f"warning: plug-in {plugin.name} failed: {plugin.fault}", err=True)
    return interrupted.exit_status or status


def _as_file(song: Song, inputs: ExitStack) -> Song:
    """The song, with standard input copied to a file for as long as `inputs` is open."""
    if not song.is_standard_input:
        return song
    return replace(song, path=inputs.enter_context(copied_to_file(sys.stdin.buffer if sys.stdin else None)))


def _output_options(output: Output) -> dict[str, Any]:
    """The options for the manifest; those of runs without a format are as they were before there were any."""
    options: dict[str, Any] = parse_json(json.dumps(asdict(output)))
    return {name: value for name, value in options.items() if name != "format" or value is not None}
