"""plugin-cli export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stemdock_export.config import PREDEFINED, load_config

if TYPE_CHECKING:
    from stemdock_export.exporting import ExportedModel, WeightStorage


@click.command("export")
@click.argument("checkpoint", type=click.Path(path_type=Path), metavar="CHECKPOINT_DIR")
@click.option(
    "-c", "--config", "descriptor", required=True, metavar="NAME|FILE",
    help=f"What the checkpoint was trained with: {', '.join(PREDEFINED)} (with or without 'spleeter:' "
    "in front), or Spleeter's JSON file.",
)  # fmt: skip
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="MODEL.onnx",
    help="The model to write.",
)  # fmt: skip
@click.option("--name", default="", help="What the model is called. [default: as its configuration or file]")
@click.option(
    "--licence", default="",
    help="Licence and holder of the weights. [default: Deezer's, if the checkpoint is known to be Deezer's]",
)  # fmt: skip
@click.option(
    "--weights", type=click.Choice(["float32", "int16"]), default="float32", show_default=True,
    help="How weights are stored. int16 halves the file; it is computed with in float32 all the same.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace the model if it is there already.")
def command(
    checkpoint: Path,
    descriptor: str,
    output: Path,
    name: str,
    licence: str,
    weights: WeightStorage,
    overwrite: bool,
) -> None:
    """Make an ONNX model of a Spleeter checkpoint.

    Reads the folder of a TensorFlow checkpoint as Spleeter downloads or trains it, converts its
    networks, and writes the model only if it computes what TensorFlow computes. Prints how close
    it comes for each signal and stem: the signal-to-noise ratio against TensorFlow in dB, and the
    largest error relative to the peak, of the networks' estimates and of the stems made of them.
    """
    config = load_config(descriptor)
    # The steps are imported here, since asking for help must not wait for numpy.
    from stemdock_export.exporting import export_model  # noqa: PLC0415

    exported = export_model(
        checkpoint,
        config,
        output,
        name=name,
        licence=licence,
        weights=weights,
        overwrite=overwrite,
        on_step=lambda step: click.echo(f"{step} ...", err=True),
    )
    _report(exported)


def _report(exported: ExportedModel) -> None:
    card = exported.card
    click.echo(f"{exported.path}: {card.name}, {exported.n_bytes / 1e6:.1f} MB, {', '.join(card.stems)}")
    click.echo(f"licence of the weights: {card.licence}")
    rows = [
        (each.signal, each.quantity, each.stem, f"{each.snr:.1f} dB", f"{each.max_error:.1e}")
        if each.max_error
        else (each.signal, each.quantity, each.stem, "identical", "0")
        for each in exported.figures
    ]
    rows.insert(0, ("signal", "quantity", "stem", "SNR", "max error"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
