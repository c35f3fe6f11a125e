"""Where a training starts: at random weights, or with the stems of another checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemdock_export.bundle import Bundle
from stemdock_export.checkpoint import check_variables, find_checkpoint
from stemdock_export.errors import CheckpointError, VariableError
from stemdock_export.extra import import_tensorflow
from stemdock_export.unet import describe_network
from stemdock_training.errors import TrainingOptionError
from stemdock_training.loss.network import initial_values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stemdock import FloatArray
    from stemdock_export.checkpoint import Checkpoint
    from stemdock_export.config import SpleeterConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A checkpoint to start from."""

    folder: Path
    config: SpleeterConfig
    """What it was trained with."""
    branches: Mapping[str, str]
    """For stems that start from a stem of another name: that name."""


def random_start(config: SpleeterConfig, seed: int) -> dict[str, FloatArray]:
    """Random weights for a network, by name: those of the original for the same seed.

    Raises:
        ExtraMissingError: TensorFlow is not installed.
    """
    tf = import_tensorflow(for_reference=False)
    return initial_values(tf, describe_network(config).variables(), seed)


def check_start(source: Source, config: SpleeterConfig) -> Checkpoint:
    """Checks that a network can start from a checkpoint; returns its files.

    Raises:
        TrainingOptionError: The networks cannot share weights, or a stem does not exist.
        CheckpointError: The checkpoint is damaged or does not match its configuration.
    """
    _check(source, config)
    checkpoint = find_checkpoint(source.folder)
    try:
        check_variables(checkpoint.prefix, describe_network(source.config), Bundle(checkpoint).shapes)
    except VariableError as error:
        # The option that the error names belongs to the network to train.
        reason = str(error).removeprefix(f"{error.path}: ")
        remedy = "Name the configuration that the checkpoint was trained with (--from-config)."
        raise CheckpointError(error.path, reason, remedy=remedy) from error
    return checkpoint


def start_from(source: Source, config: SpleeterConfig, seed: int) -> dict[str, FloatArray]:
    """The weights of a checkpoint, rearranged for another list of stems.

    A stem starts from the stem of the same name, or of the name in `Source.branches`, else at random.

    Args:
        source: The checkpoint.
        config: The network to train.
        seed: Of the random weights.

    Raises:
        TrainingOptionError: The networks cannot share weights, or a stem does not exist.
        CheckpointError: The checkpoint is damaged or does not match its configuration.
    """
    bundle = Bundle(check_start(source, config))
    network = describe_network(config)
    branches = {unet.stem: unet for unet in describe_network(source.config).unets}
    values = random_start(config, seed)
    for unet in network.unets:
        branch = branches.get(source.branches.get(unet.stem, unet.stem))
        if branch is not None:
            for variable, origin in zip(unet.variables(), branch.variables(), strict=True):
                values[variable.name] = bundle.read(origin.name)
    return values


def _check(source: Source, config: SpleeterConfig) -> None:
    for stem, origin in source.branches.items():
        for option, name, stems in (
            ("--start", stem, config.stems),
            ("--start", origin, source.config.stems),
        ):
            if name not in stems:
                reason = f"there is no stem {name}"
                raise TrainingOptionError(option, reason, remedy=f"Choose one of {', '.join(stems)}.")
    if config.filters != source.config.filters:
        raise TrainingOptionError(
            "--from",
            "its network has layers of other widths (conv_n_filters)",
            remedy="Use the same widths in the configuration of the training.",
        )
    if not {source.branches.get(stem, stem) for stem in config.stems} & {*source.config.stems}:
        raise TrainingOptionError(
            "--from",
            "no stem of the checkpoint is used",
            remedy="Name the stem that another starts from: --start NEW=OLD.",
        )
