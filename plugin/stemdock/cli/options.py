"""Options for models, sound and batches, which several commands share."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from stemdock.batch.shards import ALL, Shard
from stemdock.cli.completion import complete_models
from stemdock.cli.option_values import with_value
from stemdock.files.excerpts import Excerpt
from stemdock.inference.providers import AUTO, PROVIDERS
from stemdock.types import MAX_THREADS, Execution, Separation

if TYPE_CHECKING:
    from collections.abc import Callable


_UNITS: Final = {"M": 10**6, "G": 10**9}
"""Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How a batch runs."""

    resume: bool
    n_workers: int
    shard: Shard
    progress: Literal["auto", "json", "none"]
    report: bool
    price: float | None
    estimate: bool


class Finite(click.FloatRange):
    """A number; float accepts nan and inf, which are none."""

    unit = ""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, if it is finite and in the range."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number{self.unit}.", param, ctx)
        return number


class Seconds(Finite):
    """A number of seconds."""

    unit = " of seconds"


def batch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --resume, --workers, --shard, --progress and reports, as the argument `batch`."""
    options = (
        click.option(
            "--resume", is_flag=True,
            help="Continue a previous run: skip songs whose stems are complete and up to date, and separate "
            "the others, replacing damaged or outdated stems.",
        ),
        click.option(
            "-w", "--workers", "n_workers", type=click.IntRange(min=1, max=MAX_THREADS), default=1,
            show_default=True, metavar="N",
            help="Separate in this many processes. Each loads the model, and they share --threads and "
            "--memory. If one is killed, another takes its place.",
        ),
        click.option(
            "--shard", metavar="I/N", callback=_shard,
            help="Separate only part I of N. Together, the parts have each song once, whichever machines run "
            "them.  [default: all songs]",
        ),
        click.option(
            "--estimate", is_flag=True,
            help="Separate ten of the songs, without keeping the stems, and print what all of them would "
            "take.",
        ),
        click.option(
            "--report", is_flag=True,
            help="Print songs per hour, core-hours and the bottleneck at the end.",
        ),
        click.option(
            "--price", type=Finite(min=0, max=1e6), metavar="PRICE",
            help="Print the cost at this price of a core for an hour, in the report or the estimate.",
        ),
        click.option(
            "--progress", type=click.Choice(["auto", "json", "none"]), default="auto", show_default=True,
            help="Choose how to report progress on standard error. auto: a status line if it is a terminal. "
            "json: one line of JSON for each event. none: only errors, warnings and a summary.",
        ),
    )  # fmt: skip
    return with_value(command, "batch", BatchOptions, options)


def _size(_: click.Context, __: click.Parameter, text: str | None) -> int:
    """Bytes; 0 without a size."""
    if text is None:
        return 0
    match = re.fullmatch("([0-9]{1,6}(?:[.][0-9]{1,3})?)([MG])", text.upper(), re.ASCII)
    if match is None or not float(match[1]):
        raise click.BadParameter(f"{text!r} is no size. Write a number and M or G, such as 800M or 4G.")
    return round(float(match[1]) * _UNITS[match[2]])


def _shard(_: click.Context, __: click.Parameter, text: str | None) -> Shard:
    if text is None:
        return ALL
    # int accepts spaces, signs, underscores and digits of other scripts.
    match = re.fullmatch("([0-9]{1,9})/([0-9]{1,9})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise click.BadParameter(f"{text!r} is no part. Write I/N, with I from 1 to N, such as 3/20.")
    return Shard(number=int(match[1]), n_shards=int(match[2]))


def separation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --mwf and --bandwidth, as the argument `separation`."""
    options = (
        click.option(
            "--mwf", is_flag=True,
            help="Refine the stems with a multichannel Wiener filter, which also uses stereo position. This "
            "takes two passes and temporary files: 64 MB per minute for two stems.",
        ),
        click.option(
            "--bandwidth", type=click.Choice(["11k", "16k", "full"]),
            help="Set the highest frequency of the stems. 11k: the range of Spleeter's networks. 16k: the "
            "same networks, extended to about 16 kHz. full: above the range of the networks, each stem gets "
            "its average share of the mixture, and the stems add up to the mixture, but only in songs of "
            "44.1 kHz; cannot be combined with --mwf.  [default: set by the model]",
        ),
    )  # fmt: skip
    return with_value(command, "separation", Separation, options)


def execution_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --provider, --precision, --threads and --memory, as the argument `execution`."""
    options = (
        click.option(
            "-p", "--provider", type=click.Choice([AUTO, *PROVIDERS]), default=AUTO, show_default=True,
            help="Run the networks on this execution provider. auto uses the best one that works and is as "
            "exact as the CPU.",
        ),
        click.option(
            "--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True,
            help="Calculate with this precision. bfloat16 is faster and less exact: stems match those of "
            "float32 to 52 to 58 dB, measured on music with 2stems. It needs the provider openvino and a "
            "processor with AVX-512 BF16 or AMX.",
        ),
        click.option(
            "-t", "--threads", "n_threads", type=click.IntRange(min=0, max=MAX_THREADS), default=0,
            metavar="N",
            help="Use this many threads of the processor.  [default: one per core]",
        ),
        click.option(
            "--memory", metavar="SIZE", callback=_size,
            help="Plan with this much memory, such as 4G or 800M. It is no limit that the system enforces.  "
            "[default: what the machine has to spare]",
        ),
    )  # fmt: skip
    return with_value(command, "execution", Execution, options)


def excerpt_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --start and --duration, as the argument `excerpt`."""
    options = (
        click.option(
            "-s", "--start", type=Seconds(min=0), default=0.0, metavar="SECONDS",
            help="Start this many seconds into the song.  [default: 0]",
        ),
        click.option(
            "-d", "--duration", type=Seconds(min=0, min_open=True), metavar="SECONDS",
            help="Separate only this many seconds.  [default: up to the end of the song]",
        ),
    )  # fmt: skip
    return with_value(command, "excerpt", Excerpt, options)


def model_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --model, as the argument `model`."""
    option = click.option(
        "-m", "--model", default="2stems", show_default=True, callback=_model,
        shell_complete=complete_models,
        help="Use this model: a name, or the path of an .onnx file.",
    )  # fmt: skip
    return option(command)


def _model(_: click.Context, __: click.Parameter, name: str) -> str:
    if not name.strip():
        raise click.BadParameter("the model name is empty.")
    return name


def downmix_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --fold, as the argument `downmix`."""
    option = click.option(
        "--fold", "downmix", type=click.Choice(["auto", "front", "refuse"]), default="auto",
        show_default=True,
        help="Choose how to handle surround sound. auto: mix all channels except the LFE down to stereo. "
        "front: use only front left and right, as Spleeter does. refuse: report an error.",
    )  # fmt: skip
    return option(command)
