"""Options for the files that a separation writes."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stemdock.cli.completion import complete_stems
from stemdock.cli.mix_files import mix_texts
from stemdock.cli.option_values import with_options
from stemdock.errors import OutputOptionError
from stemdock.lib.locations import OUTPUT_SCHEMES, Location, place_of
from stemdock.output.codecs import CODECS, SAMPLE_RATES, codec_of
from stemdock.output.formats import FORMATS, default_codec, format_of
from stemdock.output.mixes import parse_mix
from stemdock.output.naming import DEFAULT_TEMPLATE, FIELDS, Destination
from stemdock.output.options import Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock.output.options import CodecName, FormatName


def destination_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --output and --template, as the argument `destination`."""
    options = (
        click.option(
            "-o", "--output", "folder", default="separated", show_default=True, metavar="DIR",
            help="Write the stems to this folder, on this machine or in an object store (s3://, gs://), or a "
            "single stem to standard output (-): wav, flac, ogg, opus and raw as they grow, others when they "
            "are complete.",
        ),
        click.option(
            "-f", "--template", default=DEFAULT_TEMPLATE,
            help=f"Name the files after this template. Fields: {', '.join(FIELDS)}.  [default: "
            f"{DEFAULT_TEMPLATE}; "
            + "; ".join(f"{form.template} with --as {form.name}" for form in FORMATS.values())
            + "]",
        ),
    )  # fmt: skip

    @wraps(command)
    def wrapped(*arguments: Any, folder: str, template: str, **values: Any) -> Any:
        return command(*arguments, destination=_destination(folder, template), **values)

    return with_options(wrapped, options)


def _destination(folder: str, template: str) -> Destination:
    try:
        place = place_of(folder)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--output") from error
    if not isinstance(place, Location):
        return Destination(folder=place, template=template)
    if place.scheme not in OUTPUT_SCHEMES or not place.has_bucket or place.address != str(place):
        schemes = ", ".join(f"{scheme}://" for scheme in (*OUTPUT_SCHEMES, "file"))
        raise click.BadParameter(
            f"stems cannot be written to {place}. Name a folder or an address that starts with {schemes}, "
            "with a bucket, without a user or a query.",
            param_hint="--output",
        )
    return Destination(folder=Path(), template=template, location=place)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the stems to write and their format, as the argument `output`.

    The argument `mix_places` says where each mix comes from, for errors.
    """
    options = (
        click.option(
            "-c", "--codec", type=click.Choice(list(CODECS)),
            help="Write files in this format. m4a (AAC) and alac (lossless, in .m4a files) need ffmpeg. "
            "raw: samples without a header.  "
            f"[default: wav; {FORMATS['stem'].codecs[0]} with --as stem]",
        ),
        click.option(
            "--as", "format_name", type=click.Choice(list(FORMATS)),
            help="Write one file for each song instead of one for each stem. stem: a DJ stem file for "
            "Traktor, Mixxx and others, with the mixture and four stems, in m4a or alac. dawproject: a "
            "project for Bitwig, Studio One, Cubase and others, with a track for each stem, in wav or flac. "
            "rpp: a project for REAPER, with the stems beside it. ardour: a session of Ardour, in wav or "
            "flac. audacity: a project that Audacity 3 opens. zip: an archive of the stems. video: the film "
            "with one stem or mix as its sound, in m4a, alac or flac.",
        ),
        click.option(
            "-b", "--bit-depth", type=click.Choice(["16", "24", "32f"]),
            help="Write wav, flac, alac and raw files with this many bits per sample. 16 and 24 clip samples "
            "above full scale; 32f (floating point, wav and raw only) does not.  [default: 32f in wav and "
            "raw, else 24]",
        ),
        click.option(
            "--bitrate", metavar="RATE",
            help="Encode mp3, ogg, opus and m4a files at this bit rate, for example 192k.  [default: 256k, "
            "ogg 192k, opus 160k]",
        ),
        click.option(
            "--sample-rate", type=click.IntRange(SAMPLE_RATES[0], SAMPLE_RATES[-1]), metavar="HZ",
            help="Convert the stems to this sample rate.  [default: that of the song]",
        ),
        click.option(
            "--stems", metavar="STEM,STEM...", shell_complete=complete_stems,
            help='Write only these stems; "none" writes only the mixes (--mix).  [default: all]',
        ),
        click.option(
            "--mix", "mixes", multiple=True, metavar="NAME=SUM",
            help="Write a sum of stems as well: karaoke=drums+bass, or karaoke=all-vocals for all stems "
            "except vocals. Stems can have a gain and a pan: practice=vocals:-12dB:L50+drums. @FILE reads "
            "mixes from a text file, one in each line. Repeat the option for more mixes.",
        ),
        click.option(
            "--prevent-clipping", is_flag=True,
            help="Lower all stems of a song by the same gain if any of them would exceed full scale.",
        ),
        click.option("--no-tags", is_flag=True, help="Do not copy the song's tags and cover picture."),
    )  # fmt: skip

    @wraps(command)
    def wrapped(
        *arguments: Any,
        codec: CodecName | None,
        format_name: FormatName | None,
        stems: str | None,
        mixes: tuple[str, ...],
        bitrate: str | None,
        no_tags: bool,
        **values: Any,
    ) -> Any:
        names = ("bit_depth", "sample_rate", "prevent_clipping")
        written = _mixes(mixes)
        output = Output(
            **{name: values.pop(name) for name in names},
            format=format_name,
            codec=codec or default_codec(format_name),
            bitrate=_bitrate(bitrate),
            stems=None if stems is None else _stems(stems),
            mixes={name: terms for name, (terms, _) in written.items()},
            copy_tags=not no_tags,
        )
        if output.stems == () and not output.mixes:
            raise click.UsageError("--stems none needs at least one --mix.")
        format_of(output)
        codec_of(output, typed_bitrate=bitrate)
        mix_places = {name: place for name, (_, place) in written.items()}
        return command(*arguments, output=output, mix_places=mix_places, **values)

    return with_options(wrapped, options)


def _bitrate(text: str | None) -> int | None:
    """Kilobits per second, in Spleeter's notation: 256k."""
    if text is None:
        return None
    digits = text.lower().removesuffix("k")
    if not (digits.isascii() and digits.isdigit()):
        raise click.BadParameter(f"{text!r} is not a bit rate. Write it like 256k.", param_hint="--bitrate")
    return int(digits)


def _stems(text: str) -> tuple[str, ...]:
    return () if text == "none" else tuple(stem.strip() for stem in text.split(","))


def _mixes(texts: tuple[str, ...]) -> dict[str, tuple[tuple[str, ...], str]]:
    """The terms of each mix, and where it comes from."""
    mixes: dict[str, tuple[tuple[str, ...], str]] = {}
    for text, option in mix_texts(texts):
        name, terms = parse_mix(text, option)
        if name in mixes:
            raise OutputOptionError(
                option, f"{name} is defined twice", remedy="Give each mix a different name."
            )
        mixes[name] = terms, option
    return mixes
