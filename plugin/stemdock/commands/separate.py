"""plugin-cli separate."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from stemdock.batch import Done, Failed, Job, Skipped, conflicts, run_batch, summarise
from stemdock.batch_json import JsonReporter
from stemdock.batch_text import TextReporter
from stemdock.commands.interruption import interruption
from stemdock.commands.options import Batch, batch_options
from stemdock.commands.pages import Pages
from stemdock.errors import ModelNotInstalledError
from stemdock.inputs import find_songs, spooled
from stemdock.models import model_sha256
from stemdock.providers import AUTO, PROVIDERS
from stemdock.records import Records
from stemdock.reporting import fetch_reporter
from stemdock.staging import remove_abandoned
from stemdock.types import Execution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stemdock.audio import BitDepth
    from stemdock.batch import BatchEvent
    from stemdock.inputs import Song
    from stemdock.plugins import Plugins
    from stemdock.recorded import RecordedSeparation
    from stemdock.separator import Separator


@click.command("separate")
@click.argument("songs", nargs=-1, required=True, metavar="SONG...")
@click.option(
    "-o", "--output", default="separated", show_default=True, metavar="DIR",
    help="Folder for the results: DIR/<song>/<stem>.wav.",
)  # fmt: skip
@click.option("-m", "--model", default="2stems", show_default=True, help="Name of a model, or an .onnx file.")
@click.option(
    "-b", "--bit-depth", type=click.Choice(["16", "24", "32f"]), default="32f", show_default=True,
    help="Bits of a sample. 16 and 24 clip what exceeds full scale, 32f (floating point) does not.",
)  # fmt: skip
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
@batch_options
@click.pass_obj
def command(
    plugins: Plugins,
    songs: tuple[str, ...],
    output: str,
    model: str,
    bit_depth: BitDepth,
    provider: str,
    precision: Literal["float32", "bfloat16"],
    n_threads: int,
    overwrite: bool,
    preview: bool,
    batch: Batch,
) -> int:
    """Split songs into stems.

    SONG is an audio file, a folder with audio files at any depth, a pattern in quotes, a playlist (m3u,
    m3u8), or - for standard input.

    Reads wav, flac, mp3 and ogg, and everything else if ffmpeg is installed; mono or stereo, any sample
    rate. The stems have the sample rate and the length of the song. Prints the files written. A model
    that is not installed and can be fetched is fetched first.
    """
    from stemdock.recorded import RecordedSeparation  # noqa: PLC0415  the engine: help must not wait for it

    execution = Execution(provider=provider, precision=precision, n_threads=n_threads)
    root = Path(output)
    records = Records(root)
    with ExitStack() as inputs:
        found = [_spooled(song, inputs) for song in find_songs(songs, output=root, made=records.paths())]
        separator = _open(model, plugins, execution)
        with interruption() as interrupted:
            separation = RecordedSeparation(
                separator=separator,
                model_sha256=model_sha256(model, plugins),
                bit_depth=bit_depth,
                options={"bit_depth": bit_depth, "precision": precision},
                records=records,
                resume=batch.resume,
                overwrite=overwrite,
                cancel=interrupted.cancel,
            )
            status = _run(_jobs(found, root, separator.card.stems), separation, batch, preview=preview)
    for plugin in plugins.status:
        if plugin.fault:
            click.echo(f"warning: plug-in {plugin.name} is broken: {plugin.fault}", err=True)
    return interrupted.exit_status or status


def _open(model: str, plugins: Plugins, execution: Execution) -> Separator:
    from stemdock.separator import Separator  # noqa: PLC0415  as above

    try:
        return Separator(model, execution=execution, plugins=plugins)
    except ModelNotInstalledError as error:
        click.echo(f"{error}: fetching it from {error.download.source}", err=True)
        with fetch_reporter() as on_progress:
            error.download.fetch(on_progress=on_progress)
    return Separator(model, execution=execution, plugins=plugins)


def _spooled(song: Song, inputs: ExitStack) -> Song:
    """A song that is a file, also where standard input was meant."""
    if not song.is_standard_input:
        return song
    return replace(song, path=inputs.enter_context(spooled(sys.stdin.buffer)))


def _jobs(songs: Iterable[Song], root: Path, stems: Sequence[str]) -> list[Job]:
    return [
        Job(number=number, song=song, targets={} if song.fault else _targets(song, root, stems))
        for number, song in enumerate(songs, 1)
    ]


def _targets(song: Song, root: Path, stems: Sequence[str]) -> dict[str, Path]:
    # Windows drops blanks and dots at the end of a name, and would then not find the folder again.
    folder = root / song.folder / (song.path.stem.rstrip(" .") or "song")
    return {stem: folder / f"{stem}.wav" for stem in stems}


def _run(jobs: Sequence[Job], separation: RecordedSeparation, batch: Batch, *, preview: bool) -> int:
    """Separates the songs and tells of it; returns the exit status."""
    reporter: TextReporter | JsonReporter
    if batch.progress == "json":
        reporter = JsonReporter(sys.stderr)
    else:
        reporter = TextReporter(sys.stderr, live=batch.progress == "auto" and sys.stderr.isatty())
    for folder in sorted({path.parent for job in jobs for path in job.targets.values()}):
        remove_abandoned(folder)
    refusals = conflicts(jobs, may_replace=separation.may_replace)
    pages = Pages(jobs, overwrite=separation.overwrite or separation.resume) if preview else None
    if pages:
        refusals += pages.conflicts()
    for refusal in refusals:
        reporter.refuse(refusal)
    if refusals:
        return 1
    reporter.start(jobs, separation.separator.card.name, separation.separator.provider)
    ended: list[BatchEvent] = []
    for event in run_batch(
        jobs,
        pages.after(separation) if pages else separation,
        n_at_once=batch.n_jobs,
        cancel=separation.cancel,
    ):
        reporter.show(event)
        if isinstance(event, Done):
            for path in event.separated.stems.values():
                click.echo(path)
            if pages:
                click.echo(pages.page(event.job))
        if isinstance(event, Done | Skipped | Failed):
            ended.append(event)
    summary = summarise(jobs, ended)
    reporter.finish(summary)
    return 1 if summary.n_failed else 0
