"""plugin-cli separate."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Literal

import click

from stemdock.batch.inputs import find_songs, spooled
from stemdock.batch.manifest import Records
from stemdock.batch.running import Done, Failed, Job, Skipped, conflicts, run_batch, summarise
from stemdock.cli.interruption import interruption
from stemdock.cli.json_reporter import JsonReporter
from stemdock.cli.opening import open_separator
from stemdock.cli.options import (
    Batch,
    batch_options,
    destination_options,
    downmix_option,
    excerpt_options,
    model_option,
    output_options,
    separation_options,
)
from stemdock.cli.pages import Pages
from stemdock.cli.standard_output import STANDARD_OUTPUT, check_single, send, standard_output
from stemdock.cli.terminal import echo_path
from stemdock.cli.text_reporter import TextReporter
from stemdock.files.staging import remove_abandoned
from stemdock.inference.providers import AUTO, PROVIDERS
from stemdock.output.mixes import selected
from stemdock.types import Execution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from stemdock.batch.inputs import Song
    from stemdock.batch.resuming import RecordedSeparation
    from stemdock.batch.running import BatchEvent
    from stemdock.files.excerpts import Excerpt
    from stemdock.output.naming import Destination
    from stemdock.output.options import Output
    from stemdock.output.tags import Tags
    from stemdock.plugins import Plugins
    from stemdock.types import DownmixMode, SeparatedFile, Separation


@click.command("separate")
@click.argument("songs", nargs=-1, required=True, metavar="SONG...")
@destination_options
@model_option
@output_options
@click.option(
    "-p", "--provider", type=click.Choice([AUTO, *PROVIDERS]), default=AUTO, show_default=True,
    help="What the networks run on. auto takes the best that works and is as exact as the processor.",
)  # fmt: skip
@click.option(
    "--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True,
    help="bfloat16 (provider openvino, processors with AVX-512 BF16 or AMX) is faster and less exact: stems "
    "at 52 to 58 dB of those in float32, measured on music with 2stems.",
)  # fmt: skip
@click.option(
    "-t", "--threads", "n_threads", type=click.IntRange(min=0), default=0,
    help="Threads of the processor to use. [default: one a core]",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace stems that are there already.")
@click.option(
    "--preview", is_flag=True, help="Write a page with a player beside the stems, as plugin-cli preview does."
)
@excerpt_options
@separation_options
@downmix_option
@batch_options
@click.pass_obj
def command(
    plugins: Plugins,
    songs: tuple[str, ...],
    destination: Destination,
    model: str,
    output: Output,
    provider: str,
    precision: Literal["float32", "bfloat16"],
    n_threads: int,
    overwrite: bool,
    preview: bool,
    excerpt: Excerpt,
    separation: Separation,
    downmix: DownmixMode,
    batch: Batch,
) -> int:
    """Split songs into stems.

    SONG is an audio file, a folder with audio files at any depth, a pattern in quotes, a playlist (m3u,
    m3u8), or - for standard input.

    Reads wav, flac, mp3 and ogg, and everything else if ffmpeg is installed; mono, stereo or surround, any
    sample rate. The stems have the sample rate and the length of the song, and its tags. Prints the files
    written. A model that is not installed and can be fetched is fetched first.
    """
    from stemdock.batch.resuming import RecordedSeparation  # noqa: PLC0415  the engine: help must not wait for it

    execution = Execution(provider=provider, precision=precision, n_threads=n_threads)
    with ExitStack() as inputs:
        deliver = _tell
        if str(destination.folder) == STANDARD_OUTPUT:
            if preview:
                raise click.UsageError("--preview writes a file, and standard output takes no other.")
            destination, deliver = inputs.enter_context(standard_output()), send
        root = destination.folder
        records = Records(root)
        found = [_spooled(song, inputs) for song in find_songs(songs, output=root, made=records.paths())]
        separator = open_separator(model, plugins, execution, separation)
        with interruption() as interrupted:
            recorded = RecordedSeparation(
                separator=separator,
                output=output,
                excerpt=excerpt,
                downmix=downmix,
                options={
                    **json.loads(json.dumps(asdict(output))),
                    **asdict(excerpt),
                    **asdict(separation),
                    "precision": precision,
                    "fold": downmix,
                },
                records=records,
                resume=batch.resume,
                overwrite=overwrite,
                cancel=interrupted.cancel,
            )
            names = list(selected(output, separator.stems))
            if deliver is send:
                check_single(len(found), names)
            jobs = _jobs(found, destination, names, output, separator.model)
            pages = Pages(jobs if preview else (), output, overwrite=overwrite or batch.resume)
            status = _run(jobs, recorded, batch, deliver, pages)
    for plugin in plugins.status:
        if plugin.fault:
            click.echo(f"warning: plug-in {plugin.name} is broken: {plugin.fault}", err=True)
    return interrupted.exit_status or status


def _spooled(song: Song, inputs: ExitStack) -> Song:
    """A song that is a file, also where standard input was meant."""
    if not song.is_standard_input:
        return song
    return replace(song, path=inputs.enter_context(spooled(sys.stdin.buffer)))


def _jobs(
    songs: Iterable[Song], destination: Destination, names: Sequence[str], output: Output, model: str
) -> list[Job]:
    return [
        Job(
            number=number,
            song=song,
            targets={}
            if song.fault
            else replace(destination, folder=destination.folder / song.folder).targets(
                song.path,
                names,
                codec=output.codec,
                model=model,
                tags=_tags(song.path) if destination.needs_tags else None,
            ),
        )
        for number, song in enumerate(songs, 1)
    ]


def _tags(path: Path) -> Tags | None:
    """The tags of a song for its names; none if they cannot be read, which is told when it is separated."""
    from stemdock.audio import UnreadableTagsError, read_tags  # noqa: PLC0415  as above

    try:
        return read_tags(path)
    except (UnreadableTagsError, OSError):
        return None


def _tell(separated: SeparatedFile) -> None:
    for path in separated.files.values():
        echo_path(path)


def _run(
    jobs: Sequence[Job],
    separation: RecordedSeparation,
    batch: Batch,
    deliver: Callable[[SeparatedFile], None],
    pages: Pages,
) -> int:
    """Separates the songs, delivers each, and tells of it; returns the exit status."""
    reporter: TextReporter | JsonReporter
    if batch.progress == "json":
        reporter = JsonReporter(sys.stderr)
    else:
        reporter = TextReporter(sys.stderr, live=batch.progress == "auto" and sys.stderr.isatty())
    for folder in sorted({path.parent for job in jobs for path in job.targets.values()}):
        remove_abandoned(folder)
    refusals = conflicts(jobs, may_replace=separation.may_replace) + pages.conflicts()
    for refusal in refusals:
        reporter.refuse(refusal)
    if refusals:
        return 1
    reporter.start(jobs, separation.separator.model, separation.separator.provider)
    ended: list[BatchEvent] = []
    for event in run_batch(jobs, pages.after(separation), n_at_once=batch.n_jobs, cancel=separation.cancel):
        reporter.show(event)
        if isinstance(event, Done):
            deliver(event.separated)
            for path in pages.of(event.job):
                echo_path(path)
        if isinstance(event, Done | Skipped | Failed):
            ended.append(event)
    summary = summarise(jobs, ended)
    reporter.finish(summary)
    return 1 if summary.n_failed else 0
