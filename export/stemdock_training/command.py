"""plugin-cli train."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stemdock.cli import GroupedCommand, echo_path, interruptible
from stemdock_export.config import PREDEFINED, load_config
from stemdock_training.config import load_training_config
from stemdock_training.errors import DatasetError, TrainingOptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock import Plugins
    from stemdock_training.loop.starting import Source
    from stemdock_training.run import Training

_GROUPS = {
    "Songs": ("data", "allow_silence", "augment"),
    "Training": ("descriptor", "output", "n_steps", "dropout", "look_every"),
    "Start": ("origin", "origin_config", "branches"),
    "Model": ("name", "overwrite"),
}


@click.command("train", cls=GroupedCommand, groups=_GROUPS)
@click.option(
    "-d", "--data", required=True, type=click.Path(path_type=Path), metavar="DIR",
    help="Train with the songs in this folder. It has the layout of MUSDB18-HQ (train/SONG/mixture.wav, "
    "train/SONG/STEM.wav), or is the folder that the paths in Spleeter's lists start from.",
)  # fmt: skip
@click.option(
    "-c", "--config", "descriptor", required=True, metavar="NAME|FILE",
    help=f"Use this configuration of Spleeter: {', '.join(PREDEFINED)} (with or without the prefix "
    "'spleeter:'), or a JSON file.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="DIR",
    help="Write checkpoints, TensorBoard events and early looks to this folder. If it has a checkpoint, the "
    "training goes on from it. [default: model_dir of the configuration]",
)  # fmt: skip
@click.option(
    "--steps", "n_steps", type=click.IntRange(min=1), metavar="N",
    help="Stop after this many steps. [default: train_max_steps of the configuration]",
)  # fmt: skip
@click.option(
    "--from", "origin", type=click.Path(path_type=Path), metavar="CHECKPOINT_DIR",
    help="Start from this checkpoint in place of random weights. Each stem starts from the stem of the same "
    "name.",
)  # fmt: skip
@click.option(
    "--from-config", "origin_config", metavar="NAME|FILE",
    help="Configuration of that checkpoint. [default: the one of --config]",
)  # fmt: skip
@click.option(
    "--start", "branches", multiple=True, metavar="NEW=OLD",
    help="Start the stem NEW from the stem OLD of that checkpoint. Can be repeated.",
)  # fmt: skip
@click.option(
    "--dropout", type=click.FloatRange(min=0, max=1, max_open=True), default=0.0, show_default=True,
    help="Drop this share of values behind the first three levels of the decoder. Spleeter's models were "
    "trained without.",
)  # fmt: skip
@click.option("--augment", is_flag=True, help="Change speed by up to 10 % and pitch by up to a semitone.")
@click.option("--allow-silence", is_flag=True, help="Accept stems that are silent for a whole song.")
@click.option(
    "--look-every", type=click.FloatRange(min=0), metavar="MINUTES",
    help="Separate a minute of the first song for validation this often, after a checkpoint, and write a "
    "page that plays the stems.",
)  # fmt: skip
@click.option("--name", metavar="NAME", help="Give the model this name. [default: name of the output folder]")
@click.option("--overwrite", is_flag=True, help="Replace an installed model of the same name.")
@click.pass_obj
def command(
    plugins: Plugins,
    data: Path,
    descriptor: str,
    output: Path | None,
    n_steps: int | None,
    origin: Path | None,
    origin_config: str | None,
    branches: Sequence[str],
    dropout: float,
    augment: bool,
    allow_silence: bool,
    look_every: float | None,
    name: str | None,
    overwrite: bool,
) -> int:
    """Train a model with songs and their stems, and install it. Prints the model's path.

    Takes the configurations and lists of Spleeter as they are. Checks all songs before the first step. At the
    end it exports the checkpoint, compares the model with TensorFlow, and installs it for all commands and
    audio editors.

    Ctrl-C writes a checkpoint and stops. The same command goes on from there, with the same losses as if it
    had not stopped. Needs the export extra, with TensorFlow.
    """
    network, config = load_config(descriptor), load_training_config(descriptor)
    if output is None:
        if not config.model_dir:
            raise click.UsageError("The configuration names no folder (model_dir), so --output is needed.")
        output = Path(config.model_dir)
    from stemdock_training.run import Training  # noqa: PLC0415

    training = Training(
        data=data,
        folder=output,
        network=network,
        config=config,
        n_steps=n_steps or config.train_max_steps,
        name=name or output.absolute().name,
        overwrite=overwrite,
        source=_source(origin, origin_config or descriptor, branches),
        dropout=dropout,
        augment=augment,
        allow_silence=allow_silence,
        look_every=look_every,
    )
    return run(training, plugins)


def run(training: Training, plugins: Plugins) -> int:
    """Trains, with its progress on standard error and the model's path on standard output.

    Returns:
        The exit status: 0, or that of a signal that stopped the training.
    """
    # Imported here, so that --help does not load numpy.
    from stemdock_training.loop.checkpoints import has_checkpoint  # noqa: PLC0415
    from stemdock_training.run import train  # noqa: PLC0415

    with interruptible() as interrupted:
        try:
            model = train(
                training, plugins, echo=lambda line: click.echo(line, err=True), cancel=interrupted.cancel
            )
        except DatasetError as error:
            for problem in error.problems:
                click.echo(f"{problem.path}: {problem.reason}. {problem.remedy}", err=True)
            raise
        if model is None:
            is_begun = has_checkpoint(training.folder)
            later = "the same command goes on from the checkpoint" if is_begun else "no step was made"
            click.echo(f"stopped; {later}", err=True)
        elif model.path is not None:
            echo_path(model.path)
        return interrupted.exit_status


def _source(origin: Path | None, descriptor: str, branches: Sequence[str]) -> Source | None:
    if origin is None:
        if branches:
            raise click.UsageError("--start needs --from.")
        return None
    from stemdock_training.loop.starting import Source  # noqa: PLC0415

    pairs = {}
    for each in branches:
        new, equals, old = each.partition("=")
        if not equals or not new or not old:
            raise TrainingOptionError("--start", f"{each!r} is not NEW=OLD", remedy="Write guitar=other.")
        pairs[new] = old
    return Source(folder=origin, config=load_config(descriptor), branches=pairs)
