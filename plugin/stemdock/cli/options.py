"""Groups of options; each hands the command one value."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from stemdock.cli.completion import complete_models, complete_stems
from stemdock.errors import OutputOptionError
from stemdock.files.excerpts import Excerpt
from stemdock.output.codecs import CODECS, SAMPLE_RATES, codec_of
from stemdock.output.mixes import parse_mix
from stemdock.output.naming import DEFAULT_TEMPLATE, FIELDS, Destination
from stemdock.output.options import Output
from stemdock.types import Separation

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How many songs are gone through."""

    resume: bool
    n_jobs: int
    progress: Literal["auto", "json", "none"]


def batch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --resume, --jobs and --progress, as the argument `batch`."""
    options = (
        click.option(
            "--resume", is_flag=True,
            help="Go on where a former run stopped: leave songs alone whose stems are all there and intact, "
            "and separate the others, replacing what former runs left of them.",
        ),
        click.option(
            "-j", "--jobs", "n_jobs", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
            help="Songs under way at once. They share the processor, and each takes memory.",
        ),
        click.option(
            "--progress", type=click.Choice(["auto", "json", "none"]), default="auto", show_default=True,
            help="auto shows a line that changes if a person is looking; json writes a line of JSON for "
            "every event to standard error.",
        ),
    )  # fmt: skip
    return _grouped(command, "batch", Batch, options)


def separation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --mwf and --bandwidth, as the argument `separation`."""
    options = (
        click.option(
            "--mwf", is_flag=True,
            help="Share sound among stems by its place in the stereo picture, too: a multi-channel Wiener "
            "filter, in two passes, and with temporary files of 64 MB for a minute in two stems.",
        ),
        click.option(
            "--bandwidth", type=click.Choice(["11k", "16k", "full"]),
            help="Up to which frequency stems have sound. 11k: as far as Spleeter's networks look. 16k: the "
            "same networks look further. full: above what they see, each stem gets its average share of the "
            "rest (not with --mwf).  [default: as the model]",
        ),
    )  # fmt: skip
    return _grouped(command, "separation", Separation, options)


def excerpt_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --start and --duration, as the argument `excerpt`."""
    options = (
        click.option(
            "-s", "--start", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS",
            help="Leave out what is before this.  [default: 0]",
        ),
        click.option(
            "-d", "--duration", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
            help="Take so much and leave out the rest.  [default: to the end, however long]",
        ),
    )  # fmt: skip
    return _grouped(command, "excerpt", Excerpt, options)


def model_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --model, as the argument `model`."""
    option = click.option(
        "-m", "--model", default="2stems", show_default=True, shell_complete=complete_models,
        help="Name of a model, or an .onnx file.",
    )  # fmt: skip
    return option(command)


def downmix_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --fold, as the argument `downmix`."""
    option = click.option(
        "--fold", "downmix", type=click.Choice(["auto", "front", "refuse"]), default="auto",
        show_default=True,
        help="What to do with surround sound: auto folds all channels but the LFE to stereo, front takes "
        "front left and right alone, as Spleeter does.",
    )  # fmt: skip
    return option(command)


def _bitrate(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """Kilobits per second, written as Spleeter writes them: 256k."""
    if text is None:
        return None
    digits = text.lower().removesuffix("k")
    if not (digits.isascii() and digits.isdigit()):
        raise click.BadParameter(f"{text!r} is no bit rate; write it as 256k.")
    return int(digits)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds what and how to write, as the argument `output`."""
    options = (
        click.option(
            "-c", "--codec", type=click.Choice(list(CODECS)), default="wav", show_default=True,
            help="How files are encoded; m4a takes ffmpeg.",
        ),
        click.option(
            "-b", "--bit-depth", type=click.Choice(["16", "24", "32f"]),
            help="Bits of a sample in wav and flac. 16 and 24 clip what exceeds full scale, 32f (floating "
            "point, wav only) does not.  [default: 32f in wav, 24 in flac]",
        ),
        click.option(
            "--bitrate", callback=_bitrate, metavar="RATE",
            help="Of mp3, ogg, opus and m4a, for example 192k.  [default: 256k, ogg 192k, opus 160k]",
        ),
        click.option(
            "--sample-rate", type=click.IntRange(SAMPLE_RATES[0], SAMPLE_RATES[-1]), metavar="HZ",
            help="Of the files.  [default: that of the song]",
        ),
        click.option(
            "--stems", metavar="STEM,STEM...", shell_complete=complete_stems,
            help='Write these stems only; "none" if mixes are all you want.  [default: all]',
        ),
        click.option(
            "--mix", "mixes", multiple=True, metavar="NAME=SUM",
            help="Write a sum of stems as well: karaoke=drums+bass, or karaoke=all-vocals for all but one. "
            "May be given several times.",
        ),
        click.option(
            "--prevent-clipping", is_flag=True,
            help="Turn all files of a song down by one gain if any of them would exceed full scale.",
        ),
        click.option("--no-tags", is_flag=True, help="Do not copy the song's tags and its cover."),
    )  # fmt: skip

    @wraps(command)
    def wrapped(
        *arguments: Any, stems: str | None, mixes: tuple[str, ...], no_tags: bool, **values: Any
    ) -> Any:
        names = ("codec", "bit_depth", "bitrate", "sample_rate", "prevent_clipping")
        output = Output(
            **{name: values.pop(name) for name in names},
            stems=None if stems is None else _stems(stems),
            mixes=_mixes(mixes),
            copy_tags=not no_tags,
        )
        codec_of(output)
        return command(*arguments, output=output, **values)

    return _with_options(wrapped, options)


def _stems(text: str) -> tuple[str, ...]:
    return () if text == "none" else tuple(stem.strip() for stem in text.split(","))


def _mixes(texts: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    mixes: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, terms = parse_mix(text)
        if name in mixes:
            raise OutputOptionError("mix", f"{name} is there twice", remedy="Give each mix its own name.")
        mixes[name] = terms
    return mixes


def destination_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds where to write, as the argument `destination`."""
    options = (
        click.option(
            "-o", "--output", "folder", default="separated", show_default=True, metavar="DIR",
            help="Folder for the results; - writes a single one to standard output.",
        ),
        click.option(
            "-f", "--template", default=DEFAULT_TEMPLATE, show_default=True,
            help=f"How files in it are named. Fields: {', '.join(FIELDS)}.",
        ),
    )  # fmt: skip

    @wraps(command)
    def wrapped(*arguments: Any, folder: str, template: str, **values: Any) -> Any:
        return command(*arguments, destination=Destination(folder=Path(folder), template=template), **values)

    return _with_options(wrapped, options)


def _grouped(
    command: Callable[..., Any],
    argument: str,
    group: type[Any],
    options: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...],
) -> Callable[..., Any]:
    """A command whose options arrive as one value of `group`, a dataclass of the same names."""

    @wraps(command)
    def wrapped(*arguments: Any, **values: Any) -> Any:
        value = group(**{field.name: values.pop(field.name) for field in fields(group)})
        return command(*arguments, **{argument: value}, **values)

    return _with_options(wrapped, options)


def _with_options(
    command: Callable[..., Any], options: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...]
) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command
