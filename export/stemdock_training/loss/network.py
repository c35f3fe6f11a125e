"""The network as variables that can be trained, under the names that they have in a checkpoint."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from stemdock_export.tf_network import NetworkBuilder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stemdock import FloatArray
    from stemdock_export.unet import Network, Variable

_KERNEL_SEED: Final = 50
_STATISTICS: Final = ("moving_mean", "moving_variance")
"""Not trained. The original never updates them either: it trains with Keras's phase of inference, so
normalization is `gamma * x / sqrt(1 + EPSILON) + beta` unless the checkpoint has other statistics."""


def initial_values(tf: Any, variables: tuple[Variable, ...], seed: int) -> dict[str, FloatArray]:
    """The weights with which the original begins: He's uniform distribution for kernels.

    It draws every kernel anew from one seed of its own beside that of the training. So the stems begin equal.

    Args:
        tf: The module.
        variables: The variables to make.
        seed: Of the training. The same seed gives the same values as in the original.

    References:
        Spleeter 2.4.2, `model/functions/unet.py` (`he_uniform(seed=50)`). K. He et al., "Delving deep into
        rectifiers", 2015. Keras counts the inputs of a kernel as all its axes but the last, also for
        transposed convolutions.
    """
    values: dict[str, FloatArray] = {}
    kernels: dict[str, Any] = {}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.set_random_seed(seed)
        for variable in variables:
            shape, role = variable.shape, variable.name.rsplit("/", 1)[-1]
            if role == "kernel":
                limit = math.sqrt(6 / math.prod(shape[:-1]))
                drawn = tf.compat.v1.random_uniform(shape, -limit, limit, seed=_KERNEL_SEED)
                kernels[variable.name] = drawn
            else:
                is_one = role in {"gamma", "moving_variance"}
                values[variable.name] = np.full(shape, float(is_one), np.float32)
        values.update(session.run(kernels))
    return values


def make_variables(tf: Any, values: Mapping[str, FloatArray]) -> dict[str, Any]:
    """A `tf.Variable` for each value, by name."""
    return {
        name: tf.Variable(value, trainable=not name.endswith(_STATISTICS), dtype=tf.float32)
        for name, value in values.items()
    }


def estimates(
    tf: Any, network: Network, variables: Mapping[str, Any], mixture: Any, *, dropout: float, seed: Any
) -> list[Any]:
    """The network's estimates, `mask * mixture` for each stem.

    Args:
        tf: The module.
        network: The network.
        variables: From `make_variables`.
        mixture: Magnitudes, `(n_segments, n_frames, n_bins, n_channels)`.
        dropout: Share of values that are dropped behind the first three levels of the decoder, 0 to below 1.
        seed: Two whole numbers, as a tensor. They decide which values are dropped.
    """
    count = 0

    def drop(hidden: Any) -> Any:
        nonlocal count
        count += 1
        return tf.nn.experimental.stateless_dropout(
            hidden, dropout, seed=tf.stack([seed[0], seed[1] + (count << 40)])
        )

    builder = NetworkBuilder(tf, network, variables, has_gradients=True, drop=drop if dropout else None)
    logits = [builder.logits(unet, mixture) for unet in network.unets]
    return [mask * mixture for mask in builder.masks(logits)]
