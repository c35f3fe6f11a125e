"""plugin-cli separate."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from stemdock.errors import (
    AudioFileError,
    CancelledError,
    ModelNotInstalledError,
    OutputError,
    StemdockError,
)
from stemdock.providers import AUTO, PROVIDERS
from stemdock.reporting import echo_error, echo_path, fetch_reporter
from stemdock.types import Execution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stemdock.audio import BitDepth
    from stemdock.plugins import Plugins
    from stemdock.separator import Separator
    from stemdock.types import Progress, SeparatedFile


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
) -> int:
    """Split songs into stems.

    Reads wav, flac, mp3 and ogg, and everything else if ffmpeg is installed; mono or stereo, any sample
    rate. The stems have the sample rate and the length of the song. Prints the files written. A model
    that is not installed and can be fetched is fetched first.
    """
    folders = _folders(songs, output)
    execution = Execution(provider=provider, precision=precision, n_threads=n_threads)
    separator = _open(model, plugins, execution)
    if separator.provider != "cpu":
        click.echo(f"running on {separator.provider}", err=True)
    n_failed = 0
    for source, folder in folders:
        try:
            _separate(separator, source, folder, bit_depth, overwrite=overwrite)
        except CancelledError:
            raise
        except StemdockError as error:
            echo_error(error)
            n_failed += 1
    for status in plugins.status:
        if status.fault:
            click.echo(f"warning: plug-in {status.name} is broken: {status.fault}", err=True)
    if n_failed and len(songs) > 1:
        click.echo(f"{n_failed} of {len(songs)} songs failed", err=True)
    return 1 if n_failed else 0


def _open(model: str, plugins: Plugins, execution: Execution) -> Separator:
    # The engine is imported here, since asking for help must not wait for it.
    from stemdock.separator import Separator  # noqa: PLC0415

    try:
        return Separator(model, execution=execution, plugins=plugins)
    except ModelNotInstalledError as error:
        click.echo(f"{error}: fetching it from {error.download.source}", err=True)
        with fetch_reporter() as on_progress:
            error.download.fetch(on_progress=on_progress)
    return Separator(model, execution=execution, plugins=plugins)


def _folders(songs: Sequence[str], output: str) -> list[tuple[Path, Path]]:
    """Each song with the folder for its stems.

    Raises:
        AudioFileError: A path is empty.
        OutputError: Two songs would share a folder.
    """
    for song in songs:
        if not song.strip():
            raise AudioFileError(Path(), "an empty path", remedy="Name an audio file.")
    # Windows drops blanks and dots at the end of a name, and would then not find the folder again.
    pairs = [(Path(song), Path(output) / (Path(song).stem.rstrip(" .") or "song")) for song in songs]
    for folder, n_songs in Counter(folder for _, folder in pairs).items():
        if n_songs > 1:
            raise OutputError(
                folder,
                f"would receive the stems of {n_songs} songs",
                remedy="Separate songs of the same name into different folders.",
            )
    return pairs


def _separate(
    separator: Separator, source: Path, folder: Path, bit_depth: BitDepth, *, overwrite: bool
) -> None:
    from stemdock.files import separate_file  # noqa: PLC0415

    with _progress_bar(source.name) as on_progress:
        separated = separate_file(
            separator, source, folder, bit_depth=bit_depth, overwrite=overwrite, on_progress=on_progress
        )
    for path in separated.stems.values():
        echo_path(path)
    _tell_clipping(separated)


def _tell_clipping(separated: SeparatedFile) -> None:
    for stem, clipped_length in separated.clipped_lengths.items():
        if clipped_length:
            click.echo(
                f"warning: {separated.stems[stem]}: {clipped_length} samples clipped "
                f"(peak {separated.peaks[stem]:.3f}); 32f would keep them",
                err=True,
            )


@contextmanager
def _progress_bar(label: str) -> Iterator[Callable[[Progress], None] | None]:
    """A bar on standard error if a person is looking."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:

        def show(progress: Progress) -> None:
            if progress.total_length:
                bar.update(1000 * progress.done_length // progress.total_length - bar.pos)

        yield show
