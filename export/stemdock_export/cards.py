"""The card of a model that is made of a checkpoint."""

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
"""Licence and holder of the checkpoints that can be told by their hash."""
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
    """What the model tells of itself.

    Args:
        config: What the checkpoint was trained with.
        checkpoint: Where the weights come from.
        output: The model file.
        name: What people will call the model; if empty, the predefined configuration's name, or
            else the output file's.
        licence: Licence and holder of the weights; if empty, told by the checkpoint's hash.
        exporter: Program and version that makes the model.
    """
    checkpoint_sha256 = checkpoint.sha256()
    # Not a file's own name: those of configurations are mostly called base_config.json.
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
