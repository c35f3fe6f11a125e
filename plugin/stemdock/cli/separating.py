"""What plugin-cli separate does: find the songs, open the model, plan the files, run the batch."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from stemdock.batch.audio_files import FILMS, SONGS
from stemdock.batch.budget import n_cores_used
from stemdock.batch.inputs import find_songs
from stemdock.batch.looking import Looking
from stemdock.batch.manifest import Manifest
from stemdock.batch.plans import Chosen, Plans, numbers_in
from stemdock.batch.pools import ThreadPool
from stemdock.batch.recipe import SeparationRecipe, stem_options
from stemdock.batch.report import Ledger, sample
from stemdock.batch.resuming import may_replace
from stemdock.batch.song_table import SongTable
from stemdock.batch.songs import STANDARD_INPUT
from stemdock.batch.standard_input import copied_to_file
from stemdock.batch.trial import passing
from stemdock.cli.batch_run import Accounting, Facts, Obstacles, reporter_for, run_plans
from stemdock.cli.contradictions import check_options
from stemdock.cli.delivery import PrintedPaths, Unmentioned
from stemdock.cli.engines import chosen_engine, engine_shares, opening_execution
from stemdock.cli.interruption import interruptible
from stemdock.cli.opening import open_separator
from stemdock.cli.pages import PagedWork, Pages
from stemdock.cli.standard_output import (
    STANDARD_OUTPUT,
    StandardOutput,
    check_single,
    temporary_destination,
)
from stemdock.output.codecs import can_grow, codec_of
from stemdock.output.formats import named_for
from stemdock.output.mixes import check_mixes
from stemdock.output.packages import result_names, sound_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from threading import Event

    from stemdock.batch.pools import Pool
    from stemdock.batch.remote_manifest import RemoteManifest
    from stemdock.batch.songs import Song
    from stemdock.cli.delivery import Delivery
    from stemdock.cli.early_opening import EarlyOpening
    from stemdock.cli.engine_options import EngineOptions
    from stemdock.cli.options import BatchOptions
    from stemdock.files.excerpts import Excerpt
    from stemdock.lib.locations import Location
    from stemdock.output.naming import Destination
    from stemdock.output.options import Output
    from stemdock.plugins import Plugins
    from stemdock.types import DownmixMode, Execution, Separation

_ONE_STEM: Final = "{instrument}.{codec}"
"""Template of a single stem."""


def separate(
    plugins: Plugins,
    songs: Sequence[str],
    *,
    destination: Destination,
    model: str,
    output: Output,
    mix_places: Mapping[str, str],
    execution: Execution,
    overwrite: bool,
    growing: bool,
    preview: bool,
    excerpt: Excerpt,
    separation: Separation,
    downmix: DownmixMode,
    track: int | None,
    batch: BatchOptions,
    engine: EngineOptions,
    early: EarlyOpening | None = None,
) -> int:
    """Separates songs, with reports on standard error.

    Args:
        plugins: The plug-ins of this run.
        songs: The arguments that name songs.
        destination: Output folder and template; the folder "-" is standard output.
        model: Name or path.
        output: What to write.
        mix_places: Where each mix comes from, for errors.
        execution: How the networks run.
        overwrite: Whether to replace any existing file.
        growing: Whether files appear with their first segment and grow.
        preview: Whether to write a page for each song.
        excerpt: The part of each song to separate.
        separation: How stems are computed from the networks' estimates.
        downmix: How to handle surround sound.
        track: The audio track of each song, from 1; None for its default.
        batch: How the batch runs.
        engine: What starts the workers.
        early: The model, if this process is opening it to separate by itself.

    Returns:
        The exit status.

    Raises:
        click.UsageError: The options contradict each other.
        StemdockError: The batch cannot start, or standard output cannot be written.
    """
    check_options(songs, destination, output, preview=preview, growing=growing, estimate=batch.estimate)
    chosen = chosen_engine(engine, plugins, destination)
    with ExitStack() as inputs:
        destination, delivery = _outlet(destination, output, inputs)
        to_standard_output = isinstance(delivery, StandardOutput)
        root = destination.location or destination.folder
        manifest = Manifest(destination.folder)
        if not destination.location:
            manifest.check()
        reporter = reporter_for(batch)
        found = _with_files(
            find_songs(
                songs,
                output=root,
                made=None if destination.location else manifest.made,
                looking=Looking(reporter.look),
                kind=FILMS if output.format == "video" else SONGS,
            ),
            songs,
            inputs,
        )
        numbers = numbers_in(batch.shard, found, destination)
        shares, needs = engine_shares(
            engine, execution, max(1, min(engine.max_workers or batch.n_workers, len(numbers)))
        )
        workforce = chosen.open(needs) if chosen else None
        # While the files of a song are still compressed, the network can have the next song.
        n_at_once = 2 if codec_of(output).bitrates else 1
        whole = None
        if batch.estimate:
            whole = Chosen(found, numbers)
            found = sample(whole, n_at_once * len(shares))
            numbers = range(1, len(found) + 1)
            batch = replace(batch, resume=False)
            destination = inputs.enter_context(passing(destination))
            root = destination.location or destination.folder
            manifest, delivery = Manifest(destination.folder), Unmentioned()
        separator = open_separator(
            model, plugins, opening_execution(shares[0], engine), separation, early=early
        )
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
                growing=growing and not to_standard_output,
                identity=separator.entry.identity,
            )
            names = _names(output, separator.stems, mix_places)
            destination = replace(destination, companions=sound_files(output, separator.stems))
            if to_standard_output:
                check_single(len(found), (*names, *destination.companions), output)
            cancel = interrupted.cancel
            plans = Plans(
                found,
                destination,
                names,
                codec=codec_of(output).extension,
                model=separator.model,
                cancel=cancel,
            )
            own = plans.of(numbers)
            pages = Pages(
                (own if plans.needs_tags else plans) if preview else (),
                output,
                overwrite=overwrite or batch.resume,
            )
            facts = Facts(
                model=separator.model,
                provider=execution.provider if engine.address else separator.provider,
            )
            pool: Pool
            if workforce is None and len(shares) == 1:
                work = recipe.open(
                    cancel, separator=separator, manifest=manifest, on_encoded=delivery.receiver(cancel)
                )
                pool = ThreadPool(PagedWork(work, pages), n_songs=n_at_once, cancel=cancel)
            else:
                from stemdock.cli.workers import worker_pool  # noqa: PLC0415  slow, and few runs need them

                del separator  # its memory is for the workers
                pool = worker_pool(
                    recipe,
                    shares,
                    pages,
                    found,
                    workforce,
                    n_least=min(batch.n_workers, len(shares)),
                    n_songs=n_at_once,
                    cancel=cancel,
                    warn=reporter.warn,
                    inputs=inputs,
                )
            listing = _listing(destination.location, cancel) if destination.location else manifest
            obstacles = Obstacles(
                may_replace=partial(may_replace, manifest=listing, resume=batch.resume, overwrite=overwrite),
                is_recorded=lambda plan: batch.resume and manifest.is_recorded(plan.files.values()),
                looking=Looking(reporter.look, cancel),
            )
            ledger = Ledger(
                n_at_once=n_at_once * len(shares),
                n_cores=needs.n_cores * len(shares) if workforce else n_cores_used(execution, shares),
                price=batch.price,
            )
            status = run_plans(
                plans,
                own,
                pool,
                facts,
                batch,
                obstacles,
                delivery,
                pages,
                Accounting(ledger=ledger, whole=whole, n_cores_each=needs.n_cores if workforce else None),
                reporter,
            )
    _report_faults(plugins)
    return interrupted.exit_status or status


def _listing(location: Location, cancel: Event) -> RemoteManifest:
    from stemdock.batch.remote_manifest import RemoteManifest  # noqa: PLC0415  only object stores need it

    return RemoteManifest(location, cancel)


def _outlet(destination: Destination, output: Output, inputs: ExitStack) -> tuple[Destination, Delivery]:
    """Where the files go, with the names of their format, and what takes the results."""
    if str(destination.folder) != STANDARD_OUTPUT:
        return named_for(output, destination), PrintedPaths()
    # Only the end of a name in a template matters here: it says what container a film gets.
    named = named_for(output, destination) if output.format else replace(destination, template=_ONE_STEM)
    temporary = inputs.enter_context(temporary_destination(named.template))
    return replace(temporary, own_folder=named.own_folder), StandardOutput(streams=can_grow(output))


def _names(output: Output, stems: Sequence[str], mix_places: Mapping[str, str]) -> Sequence[str]:
    """The files of each song by name; errors in a mix say where it comes from."""
    check_mixes(output, stems, mix_places)
    return result_names(output, stems)


def _report_faults(plugins: Plugins) -> None:
    for plugin in plugins.status:
        if plugin.fault:
            click.echo(f"warning: plug-in {plugin.name} failed: {plugin.fault}", err=True)


def _with_files(found: Sequence[Song], arguments: Sequence[str], inputs: ExitStack) -> Sequence[Song]:
    """The songs, with standard input copied to a file for as long as `inputs` is open."""
    if STANDARD_INPUT not in arguments:
        return found
    content = sys.stdin.buffer if sys.stdin else None
    return SongTable(
        replace(song, path=inputs.enter_context(copied_to_file(content))) if song.is_standard_input else song
        for song in found
    )
