"""The loss of each stem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock_training.config import Loss


def stem_losses(tf: Any, kind: Loss, estimates: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    """The loss of each stem; their sum is what training lowers.

    Args:
        tf: The module.
        kind: `loss_type` of the configuration.
        estimates: For each stem, `(n_segments, n_frames, n_bins, n_channels)`.
        targets: The true magnitudes, of the same shapes.
    """
    losses = []
    for estimate, target in zip(estimates, targets, strict=True):
        difference = tf.abs(estimate - target)
        if kind == "weighted_L1_mask":
            difference *= tf.reduce_mean(target, axis=[1, 2, 3], keepdims=True)
        losses.append(tf.reduce_mean(difference))
    return losses
