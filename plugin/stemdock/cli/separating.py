"""What plugin-cli separate does: find the songs, open the model, plan the files, run the batch."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from stemdock.batch.budget import divided
from stemdock.batch.inputs import find_songs
from stemdock.batch.manifest import Manifest
from stemdock.batch.planning import plan_songs
from stemdock.batch.pools import ThreadPool
from stemdock.batch.process_pool import ProcessPool
from stemdock.batch.recipe import SeparationRecipe, stem_options
from stemdock.batch.remote_manifest import RemoteManifest
from stemdock.batch.report import Ledger, sample
from stemdock.batch.resuming import may_replace
from stemdock.batch.shards import ALL
from stemdock.batch.standard_input import copied_to_file
from stemdock.batch.trial import passing
from stemdock.cli.batch_run import Accounting, Facts, run_plans
from stemdock.cli.interruption import interruptible
from stemdock.cli.opening import open_separator
from stemdock.cli.pages import PagedRecipe, PagedWork, Pages
from stemdock.cli.standard_output import STANDARD_OUTPUT, check_single, send, standard_output
from stemdock.cli.terminal import echo_path
from stemdock.lib.cores import n_logical_cores
from stemdock.output.codecs import codec_of
from stemdock.output.formats import format_of, named_for, result_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stemdock.batch.events import Done
    from stemdock.batch.pools import Pool
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
    with ExitStack() as inputs:
        destination, deliver = _outlet(destination, output, preview, inputs)
        if batch.estimate and (deliver is send or preview):
            raise click.UsageError("--estimate cannot be used with -o - or --preview.")
        root = destination.location or destination.folder
        manifest = Manifest(destination.folder)
        if not destination.location:
            manifest.check()
        found = [_as_file(song, inputs) for song in find_songs(songs, output=root, made=manifest.made)]
        n_songs = sum(batch.shard.has(song) for song in found)
        shares = divided(execution, max(1, min(batch.n_workers, n_songs)))
        # Compressing with losses takes longer than separating, and uses other threads.
        n_at_once = 2 if codec_of(output).bitrates else 1
        whole = None
        if batch.estimate:
            whole = [song for song in found if batch.shard.has(song)]
            found = sample(whole, n_at_once * len(shares))
            batch = replace(batch, shard=ALL, resume=False)
            destination = inputs.enter_context(passing(destination))
            root = destination.location or destination.folder
            manifest, deliver = Manifest(destination.folder), _keep_quiet
        separator = open_separator(model, plugins, shares[0], separation)
        with interruptible() as interrupted:
            recipe = SeparationRecipe(
                model=model,
                plugins=plugins,
                execution=execution,
                separation=separation,
                root=root,
                output=output,
                excerpt=excerpt,
                downmix=downmix,
                track=track,
                options=stem_options(output, excerpt, separation, execution.precision, downmix, track),
                resume=batch.resume,
                overwrite=overwrite,
            )
            names = result_names(output, separator.stems)
            if deliver is send:
                check_single(len(found), names)
            plans = plan_songs(
                found, destination, names, codec=codec_of(output).extension, model=separator.model
            )
            pages = Pages(plans if preview else (), output, overwrite=overwrite or batch.resume)
            facts = Facts(model=separator.model, provider=separator.provider)
            cancel = interrupted.cancel
            pool: Pool
            if len(shares) == 1:
                work = PagedWork(recipe.open(cancel, separator=separator, manifest=manifest), pages)
                pool = ThreadPool(work, n_songs=n_at_once, cancel=cancel)
            else:
                del separator  # its memory is for the workers
                recipes = [PagedRecipe(replace(recipe, execution=share), pages) for share in shares]
                pool = ProcessPool(recipes, n_songs=n_at_once, cancel=cancel, clean=recipe.clean)
            listing = RemoteManifest(destination.location, cancel) if destination.location else manifest
            allowed = partial(may_replace, manifest=listing, resume=batch.resume, overwrite=overwrite)
            ledger = Ledger(
                n_at_once=n_at_once * len(shares),
                n_cores=execution.n_threads or n_logical_cores(),
                price=batch.price,
            )
            accounting = Accounting(ledger=ledger, whole=whole)
            status = run_plans(plans, pool, facts, batch, allowed, deliver, pages, accounting)
    _report_faults(plugins)
    return interrupted.exit_status or status


def _outlet(
    destination: Destination, output: Output, preview: bool, inputs: ExitStack
) -> tuple[Destination, Callable[[Done], None]]:
    """Where the stems go, with the names of their format, and how they are delivered."""
    if destination.location and preview:
        raise click.UsageError("--preview needs an output folder on this machine.")
    if str(destination.folder) != STANDARD_OUTPUT:
        return named_for(output, destination), _print_paths
    if preview:
        raise click.UsageError("--preview cannot be used with -o -: standard output holds one file.")
    form = format_of(output)
    template = form.template if form else "{instrument}.{codec}"
    return named_for(output, inputs.enter_context(standard_output(template))), send


def _report_faults(plugins: Plugins) -> None:
    for plugin in plugins.status:
        if plugin.fault:
            click.echo(f"warning: plug-in {plugin.name} failed: {plugin.fault}", err=True)


def _as_file(song: Song, inputs: ExitStack) -> Song:
    """The song, with standard input copied to a file for as long as `inputs` is open."""
    if not song.is_standard_input:
        return song
    return replace(song, path=inputs.enter_context(copied_to_file(sys.stdin.buffer if sys.stdin else None)))


def _keep_quiet(_: Done) -> None:
    """The files of an estimate are removed."""


def _print_paths(done: Done) -> None:
    for place in done.plan.targets.values():
        echo_path(str(place))
