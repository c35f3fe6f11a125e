"""The options of the command `spleeter`, with Spleeter's names, letters and defaults."""

from __future__ import annotations

from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, Final

import click

from stemdock_spleeter.codecs import Codec
from stemdock_spleeter.settings import DEFAULT_ADAPTER, DEFAULT_FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable

FILES: Final = click.argument("files", nargs=-1, required=True, metavar="FILES...")
INPUTS: Final = click.option(
    "-i", "--inputs", "deprecated_files", metavar="TEXT", help="Not supported any more, as in Spleeter."
)
ADAPTER: Final = click.option(
    "-a", "--adapter", default=DEFAULT_ADAPTER, show_default=True,
    metavar="TEXT", help="Load songs and save stems with this class.",
)  # fmt: skip
BITRATE: Final = click.option(
    "-b", "--bitrate", default="128k", show_default=True, metavar="TEXT",
    help="Encode lossy formats at this bit rate.",
)  # fmt: skip
CODEC: Final = click.option(
    "-c", "--codec", type=click.Choice([each.value for each in Codec]), default="wav", show_default=True,
    help="Write files in this format. All except wav need ffmpeg.",
)  # fmt: skip
DURATION: Final = click.option(
    "-d", "--duration", type=float, metavar="FLOAT",
    help="Separate at most this many seconds.  [default: the whole song; 600 with SPLEETER_STRICT=1]",
)  # fmt: skip
OFFSET: Final = click.option(
    "-s", "--offset", type=float, default=0.0, show_default=True, metavar="FLOAT",
    help="Start this many seconds into the song.",
)  # fmt: skip
OUTPUT: Final = click.option(
    "-o", "--output_path", default=lambda: str(Path(gettempdir()) / "separated_audio"), metavar="TEXT",
    show_default="separated_audio in the folder for temporary files", help="Write files to this folder.",
)  # fmt: skip
FORMAT: Final = click.option(
    "-f", "--filename_format", default=DEFAULT_FORMAT, show_default=True, metavar="TEXT",
    help="Name the files after this template. Fields: filename, instrument, foldername, codec.",
)  # fmt: skip
MODEL: Final = click.option(
    "-p", "--params_filename", default="spleeter:2stems", show_default=True, metavar="TEXT",
    help="Use this model: a name, or a JSON configuration.",
)  # fmt: skip
MWF: Final = click.option("--mwf", is_flag=True, help="Refine the stems with a multichannel Wiener filter.")
DATASET: Final = click.option(
    "--mus_dir", required=True, metavar="DIRECTORY",
    help="Use the songs in this folder, which has the layout of MUSDB18-HQ.",
)  # fmt: skip
DATA: Final = click.option(
    "-d", "--data", required=True, metavar="DIRECTORY",
    help="Train with the songs in this folder.",
)  # fmt: skip
VERBOSE: Final = click.option("--verbose", is_flag=True, help="Print more messages.")


def options(*each: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds options to a command, in this order."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(each):
            command = option(command)
        return command

    return add
