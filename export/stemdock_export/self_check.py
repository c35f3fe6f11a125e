"""Checks a model for which there is no reference: it must at least separate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stemdock import ModelDamagedError
from stemdock_export.errors import SelfCheckError
from stemdock_export.running import load_model

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_export.config import SpleeterConfig


def check_estimates(path: Path, config: SpleeterConfig, checkpoint: Path) -> None:
    """Separates one segment of noise.

    Args:
        path: The ONNX file.
        config: Has the shape of a segment.
        checkpoint: Prefix of the checkpoint, for error messages.

    Raises:
        SelfCheckError: The model fails, or estimates are invalid or the same for all stems. The last
            happens if a network runs without its trained weights.
        ModelError: The model cannot be loaded.
    """
    session = load_model(path)
    # Magnitudes of white noise have a Rayleigh distribution; these are of a tenth of full scale.
    scale = 0.1 * np.sqrt(config.frame_length) / 2
    shape = (1, config.n_frames, config.n_bins, config.n_channels)
    mixture = np.random.default_rng(0).rayleigh(scale, shape).astype(np.float32)
    try:
        estimates = session.run(mixture)
    except ModelDamagedError as error:
        raise SelfCheckError(checkpoint, str(error)) from error
    if all(np.array_equal(estimate, estimates[0]) for estimate in estimates):
        raise SelfCheckError(checkpoint, "all stems get the same estimates")
