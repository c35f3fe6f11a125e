"""plugin-cli spectrogram: a picture of the spectrograms of audio files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from stemdock.cli.terminal import echo_path
from stemdock.errors import OutputError, OutputExistsError, StemdockError
from stemdock.lib.paths import exists
from stemdock.lib.printing import printable

if TYPE_CHECKING:
    from stemdock.types import FloatArray

_FRAME_LENGTH: Final = 4096
_RANGE: Final = 90
"""dB from the loudest point down to the darkest colour."""


@click.command("spectrogram")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="Write the picture to this PNG file.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing picture.")
def command(files: tuple[Path, ...], output: Path, overwrite: bool) -> None:
    """Draw the spectrograms of audio files, one below the other, with the same level scale."""
    if exists(output) and not overwrite:
        raise OutputExistsError(output, choice="file with --output")
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise StemdockError(
            "matplotlib is not installed", remedy="Install it with: pip install 'stemdock[plot]'"
        ) from error
    levels = [_levels(path) for path in files]
    loudest = max(float(level.max()) for level, _, _ in levels)
    figure = Figure(figsize=(10, 2.6 * len(files)), layout="constrained")
    axes = figure.subplots(len(files), sharex=True, sharey=True, squeeze=False)[:, 0]
    for axis, path, (level, duration, sample_rate) in zip(axes, files, levels, strict=True):
        image = axis.imshow(
            level.T,
            origin="lower",
            aspect="auto",
            extent=(0, duration, 0, sample_rate / 2000),
            vmin=loudest - _RANGE,
            vmax=loudest,
            cmap="magma",
        )
        axis.set(ylabel="kHz")
        # A name is no formula, even with dollar signs.
        axis.set_title(printable(path.stem), parse_math=False)
    axes[-1].set_xlabel("seconds")
    figure.colorbar(image, ax=list(axes), label="dB", shrink=0.6)
    try:
        figure.savefig(output, dpi=80, format="png")
    except OSError as error:
        raise OutputError(
            output, f"cannot be written ({error.strerror})", remedy="Choose a folder that you may write to."
        ) from error
    echo_path(output)


def _levels(path: Path) -> tuple[FloatArray, float, int]:
    """Level of every bin in dB `(n_frames, n_bins)`, duration in seconds, and sample rate in Hz."""
    import numpy as np  # noqa: PLC0415  numpy loads slowly, and --help does not need it

    from stemdock.audio import open_audio  # noqa: PLC0415
    from stemdock.dsp.stft import stft  # noqa: PLC0415

    with open_audio(path) as audio:
        samples = np.concatenate([block.mean(axis=1) for block in audio.blocks])
        sample_rate = audio.sample_rate
    padded = np.pad(samples, (0, _FRAME_LENGTH))
    magnitude = np.abs(stft(padded[None], _FRAME_LENGTH)[0])
    return 20 * np.log10(magnitude + np.float32(1e-6)), len(samples) / sample_rate, sample_rate
