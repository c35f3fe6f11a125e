"""plugin-cli separate: the stems of one song or many."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

import click

from stemdock.batch.inputs import find_songs
from stemdock.batch.manifest import Manifest
from stemdock.batch.planning import plan_songs
from stemdock.batch.standard_input import copied_to_file
from stemdock.cli.batch_run import separate_songs
from stemdock.cli.grouped_help import GroupedCommand
from stemdock.cli.interruption import interruption
from stemdock.cli.opening import open_separator
from stemdock.cli.options import (
    BatchOptions,
    batch_options,
    downmix_option,
    excerpt_options,
    execution_options,
    model_option,
    separation_options,
)
from stemdock.cli.output_options import destination_options, output_options
from stemdock.cli.pages import Pages
from stemdock.cli.standard_output import STANDARD_OUTPUT, check_single, send, standard_output
from stemdock.cli.terminal import echo_path
from stemdock.inference.opening import model_sha256
from stemdock.output.mixes import selected

if TYPE_CHECKING:
    from stemdock.batch.songs import Song
    from stemdock.files.excerpts import Excerpt
    from stemdock.output.naming import Destination
    from stemdock.output.options import Output
    from stemdock.plugins import Plugins
    from stemdock.types import DownmixMode, Execution, SeparatedFile, Separation

_GROUPS: Final = {
    "Most used options": ("model", "stems", "folder", "codec", "overwrite"),
    "Files": ("template", "mixes", "start", "duration", "no_tags", "preview"),
    "Sound": ("bit_depth", "bitrate", "sample_rate", "prevent_clipping", "mwf", "bandwidth", "downmix"),
    "Models and speed": ("provider", "precision", "n_threads"),
    "Many songs": ("resume", "n_at_once", "progress"),
}


@click.command("separate", cls=GroupedCommand, groups=_GROUPS)
@click.argument("songs", nargs=-1, required=True, metavar="SONG...")
@model_option
@destination_options
@output_options
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@click.option(
    "--preview", is_flag=True,
    help="Write a web page with a player next to the stems, as plugin-cli preview does.",
)  # fmt: skip
@excerpt_options
@separation_options
@downmix_option
@execution_options
@batch_options
@click.pass_obj
def command(
    plugins: Plugins,
    songs: tuple[str, ...],
    destination: Destination,
    model: str,
    output: Output,
    execution: Execution,
    overwrite: bool,
    preview: bool,
    excerpt: Excerpt,
    separation: Separation,
    downmix: DownmixMode,
    batch: BatchOptions,
) -> int:
    """Separate songs into stems.

    SONG is an audio file, a folder (searched at any depth), a pattern in quotes, a playlist (m3u, m3u8), or
    standard input (-).

    Reads wav, flac, mp3 and ogg files, and with ffmpeg all other formats: mono, stereo or surround, at any
    sample rate. The stems keep the song's sample rate, length and tags. Prints the path of each file that it
    writes. A model that is not installed is downloaded first.
    """
    from stemdock.batch.resuming import ResumableSeparation  # noqa: PLC0415  loads the engine, slow for --help

    with ExitStack() as inputs:
        deliver = _print_paths
        if str(destination.folder) == STANDARD_OUTPUT:
            if preview:
                raise click.UsageError("--preview cannot be used with -o -: standard output holds one file.")
            destination, deliver = inputs.enter_context(standard_output()), send
        root = destination.folder
        manifest = Manifest(root)
        found = [_as_file(song, inputs) for song in find_songs(songs, output=root, made=manifest.paths())]
        separator = open_separator(model, plugins, execution, separation)
        with interruption() as interrupted:
            resumable = ResumableSeparation(
                separator=separator,
                model_sha256=model_sha256(model, plugins),
                output=output,
                excerpt=excerpt,
                downmix=downmix,
                options={
                    **json.loads(json.dumps(asdict(output))),
                    **asdict(excerpt),
                    **asdict(separation),
                    "precision": execution.precision,
                    "fold": downmix,
                },
                manifest=manifest,
                resume=batch.resume,
                overwrite=overwrite,
                cancel=interrupted.cancel,
            )
            names = list(selected(output, separator.card.stems))
            if deliver is send:
                check_single(len(found), names)
            plans = plan_songs(found, destination, names, codec=output.codec, model=separator.card.name)
            pages = Pages(plans if preview else (), output, overwrite=overwrite or batch.resume)
            status = separate_songs(plans, resumable, batch, deliver, pages)
    for plugin in plugins.status:
        if plugin.fault:
            click.echo(f"warning: plug-in {plugin.name} failed: {plugin.fault}", err=True)
    return interrupted.exit_status or status


def _as_file(song: Song, inputs: ExitStack) -> Song:
    """The song, with standard input copied to a file for as long as `inputs` is open."""
    if not song.is_standard_input:
        return song
    return replace(song, path=inputs.enter_context(copied_to_file(sys.stdin.buffer)))


def _print_paths(separated: SeparatedFile) -> None:
    for path in separated.files.values():
        echo_path(path)
