"""plugin-cli export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stemdock_export.config import PREDEFINED, load_config

if TYPE_CHECKING:
    from stemdock_export.compact import WeightStorage
    from stemdock_export.exporting import ExportedModel
    from stemdock_export.figures import StemFigures


@click.command("export")
@click.argument("checkpoint", type=click.Path(path_type=Path), metavar="CHECKPOINT_DIR")
@click.option(
    "-c", "--config", "descriptor", required=True, metavar="NAME|FILE",
    help=f"Use this configuration, which the checkpoint was trained with: {', '.join(PREDEFINED)} (with or "
    "without the prefix 'spleeter:'), or a JSON file of Spleeter.",
)  # fmt: skip
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="MODEL.onnx",
    help="Write the model to this file.",
)  # fmt: skip
@click.option(
    "--name", default="", help="Give the model this name. [default: name of the configuration or file]"
)
@click.option(
    "--licence", default="",
    help="Store this licence and holder of the weights in the model. [default: Deezer's for Deezer's own "
    "2stems checkpoint, else 'unknown']",
)  # fmt: skip
@click.option(
    "--weights", type=click.Choice(["float32", "int16"]), default="float32", show_default=True,
    help="Store large kernels in this format. int16 halves the file; computation still uses float32.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an existing model file.")
def command(
    checkpoint: Path,
    descriptor: str,
    output: Path,
    name: str,
    licence: str,
    weights: WeightStorage,
    overwrite: bool,
) -> None:
    """Export a Spleeter checkpoint to an ONNX model.

    Reads the folder of a TensorFlow checkpoint that Spleeter downloaded or trained. Converts its
    networks and compares them with TensorFlow. Writes the model only if the results match.

    Prints the differences for each signal and stem, as a signal-to-noise ratio and the largest error
    relative to the peak. "estimate" compares the networks' estimates, "masked" the magnitudes after
    ratio masks, and "batch" a batch of two segments with one segment at a time.
    """
    config = load_config(descriptor)
    # Imported here, so that --help does not load numpy.
    from stemdock_export.exporting import export_checkpoint  # noqa: PLC0415
    from stemdock_export.reference import ReferenceConverter  # noqa: PLC0415

    exported = export_checkpoint(
        checkpoint,
        config,
        output,
        converter=ReferenceConverter(weights=weights),
        name=name,
        licence=licence,
        overwrite=overwrite,
        on_step=lambda step: click.echo(f"{step} ...", err=True),
    )
    _report(exported)


def _report(exported: ExportedModel) -> None:
    card = exported.card
    click.echo(f"{exported.path}: {card.name}, {exported.n_bytes / 1e6:.1f} MB, {', '.join(card.stems)}")
    click.echo(f"licence of the weights: {card.licence}")
    cells = {(each.signal, each.stem, each.quantity): each for each in exported.figures}
    quantities = list(dict.fromkeys(each.quantity for each in exported.figures))
    rows = [["signal", "stem", *quantities]]
    for signal, stem in dict.fromkeys((each.signal, each.stem) for each in exported.figures):
        rows.append([signal, stem, *(_cell(cells.get((signal, stem, each))) for each in quantities)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(figures: StemFigures | None) -> str:
    if figures is None:
        return "-"
    return f"{figures.snr:.1f} dB, {figures.max_error:.0e}" if figures.max_error else "identical"
