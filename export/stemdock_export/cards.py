"""Makes the card of an exported model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock import ModelCard
from stemdock_export.config import PREDEFINED

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_export.checkpoint import Checkpoint
    from stemdock_export.config import SpleeterConfig

_LICENCES: Final = {
    # Tensor data of the released 2stems, whose repository is under the MIT licence throughout.
    "7747f9fd2c782306dbec1504360fbb645a097a48446f23486c3ff9c89bc11788": "MIT, Deezer SA",
}
"""Licence and holder of known checkpoints, by their hash."""
_UNKNOWN_LICENCE: Final = "unknown"


def make_card(
    config: SpleeterConfig,
    checkpoint: Checkpoint,
    output: Path,
    *,
    name: str,
    licence: str,
    exporter: str,
) -> ModelCard:
    """Makes the model card.

    Args:
        config: The configuration that the checkpoint was trained with.
        checkpoint: The source of the weights.
        output: The model file.
        name: The model's name; if empty, that of the predefined configuration or of the output file.
        licence: Licence and holder of the weights; if empty, looked up by the checkpoint's hash.
        exporter: Program and version that writes the model.

    Raises:
        ModelContractError: The runtime does not support a value of the configuration.
    """
    checkpoint_sha256 = checkpoint.sha256()
    # Not the name of a configuration file, which is usually base_config.json.
    default_name = config.source if config.source in PREDEFINED else output.stem
    return ModelCard(
        name=name or default_name,
        stems=config.stems,
        sample_rate=config.sample_rate,
        n_channels=config.n_channels,
        frame_length=config.frame_length,
        hop_length=config.hop_length,
        n_frames=config.n_frames,
        n_bins=config.n_bins,
        separation_exponent=config.separation_exponent,
        mask_extension=config.mask_extension,
        licence=licence or _LICENCES.get(checkpoint_sha256, _UNKNOWN_LICENCE),
        checkpoint_sha256=checkpoint_sha256,
        exporter=exporter,
    )
