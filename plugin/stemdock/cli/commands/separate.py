"""plugin-cli separate: its options."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from stemdock.cli.early_opening import EarlyOpening
from stemdock.cli.engine_options import engine_options
from stemdock.cli.grouped_help import GroupedCommand
from stemdock.cli.held_signals import signals_later
from stemdock.cli.options import (
    batch_options,
    downmix_option,
    excerpt_options,
    execution_options,
    model_option,
    separation_options,
)
from stemdock.cli.output_options import destination_options, output_options
from stemdock.lib.heap import keep_memory
from stemdock.lib.threads import n_numpy_threads, try_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stemdock.inference.opening import OpenModel
    from stemdock.plugins import Plugins

_GROUPS: Final = {
    "Most used options": ("model", "stems", "folder", "codec", "overwrite"),
    "Files": (
        "format_name",
        "template",
        "mixes",
        "start",
        "duration",
        "track",
        "no_tags",
        "growing",
        "preview",
    ),
    "Sound": ("bit_depth", "bitrate", "sample_rate", "prevent_clipping", "mwf", "bandwidth", "downmix"),
    "Models and speed": ("provider", "precision", "n_threads", "memory", "warm"),
    "Many songs": ("resume", "n_workers", "shard", "estimate", "report", "price", "progress"),
    "Many machines": ("engine", "address", "max_workers", "worker_cpus", "worker_gpus"),
}


@click.command("separate", cls=GroupedCommand, groups=_GROUPS)
@click.argument("songs", nargs=-1, required=True, metavar="SONG...")
@model_option
@destination_options
@output_options
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@click.option(
    "--growing", is_flag=True,
    help="Let wav, flac, ogg, opus and raw files appear with the first segment and grow, so that they can be "
    "played meanwhile. If the separation fails, they are removed.  [default: files appear when they are "
    "complete]",
)  # fmt: skip
@click.option(
    "--preview", is_flag=True,
    help="Write a web page with a player next to the stems, as plugin-cli preview does.",
)  # fmt: skip
@excerpt_options
@click.option(
    "--track", type=click.IntRange(min=1), metavar="N",
    help="Separate this audio track of a video, counted from 1.  [default: the one that the file marks, "
    "else the first]",
)  # fmt: skip
@separation_options
@downmix_option
@execution_options
@click.option(
    "--warm",
    is_flag=True,
    help="Keep a process in the background that has loaded all libraries, so that the next commands start at "
    "once. It ends after a minute without one. Linux only.",
)
@batch_options
@engine_options
@click.pass_obj
def command(plugins: Plugins, /, songs: tuple[str, ...], *, warm: bool, **options: Any) -> int:
    """Separate songs into stems.

    SONG is an audio file, a folder (searched at any depth), a pattern in quotes, a playlist (m3u, m3u8), a
    list of songs (csv, parquet), an address (s3://, gs://, https://), or standard input (-).

    Reads wav, flac, mp3 and ogg files, and with ffmpeg all other formats: mono, stereo or surround, at any
    sample rate. The stems keep the song's sample rate, length and tags. Prints the path of each file that it
    writes. A model that is not installed is downloaded first.
    """
    if warm:  # the process in the background does not get this option
        click.echo("warning: --warm is not possible here, so this is an ordinary run", err=True)
    # numpy's algebra has nothing to do, and its threads take time to start and to end, one for each core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try_threads(n_numpy_threads())
    keep_memory()
    has_workers = options["batch"].n_workers > 1 or options["engine"].engine is not None
    if has_workers or plugins.may_have_engines:  # those of plug-ins may need the main thread
        return _separate(plugins, songs, **options)
    with EarlyOpening(partial(_open, plugins, options)) as early:
        return _separate(plugins, songs, early=early, **options)


def _separate(*arguments: Any, **options: Any) -> int:
    with signals_later():
        from stemdock.cli.separating import separate  # noqa: PLC0415  slow, and --help does not need it

    return separate(*arguments, **options)


def _open(plugins: Plugins, options: Mapping[str, Any], confirm: Callable[[], object]) -> OpenModel:
    from stemdock.inference.opening import open_model  # noqa: PLC0415  as above

    wanted = {name: options[name] for name in ("model", "execution", "separation")}
    return open_model(**wanted, plugins=plugins, confirm=confirm)
