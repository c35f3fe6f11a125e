"""One step of training: loss, gradients, Adam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from stemdock_export.extra import import_tensorflow
from stemdock_training.loss.losses import stem_losses
from stemdock_training.loss.network import estimates, make_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stemdock import FloatArray
    from stemdock_export.unet import Network
    from stemdock_training.config import TrainingConfig
    from stemdock_training.data.batches import Batch

BETA_1: Final = 0.9
BETA_2: Final = 0.999
EPSILON: Final = 1e-8
"""Of `tf.compat.v1.train.AdamOptimizer`, which the original uses."""
MEAN_SLOT: Final = "Adam"
VARIANCE_SLOT: Final = "Adam_1"
"""What that optimizer adds to a variable's name for its two moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The loss of one step or of a validation."""

    total: float
    """The sum over the stems."""
    stems: Mapping[str, float]


class Trainer:
    """The network, its optimizer, and the number of steps that were made.

    Attributes:
        step: Steps that were made, also before this process.
    """

    def __init__(
        self,
        network: Network,
        config: TrainingConfig,
        values: Mapping[str, FloatArray],
        *,
        moments: Mapping[str, FloatArray] | None = None,
        step: int = 0,
        dropout: float = 0.0,
    ) -> None:
        """Makes the variables.

        Args:
            network: The network.
            config: Learning rate, loss and seed.
            values: Every variable of the network, by name.
            moments: Adam's moments by variable and slot, such as "conv2d/kernel/Adam"; zeros if not given.
            step: Steps that were made before.
            dropout: Share of values that are dropped in each step, 0 to below 1.
        """
        self._tf = tf = import_tensorflow(for_reference=False)
        # Float32 throughout, and the same sums in the same order each time.
        tf.config.experimental.enable_tensor_float_32_execution(False)
        tf.config.experimental.enable_op_determinism()
        self.step = step
        self._network = network
        self._config = config
        self._dropout = dropout
        self._stems = tuple(unet.stem for unet in network.unets)
        self._variables = make_variables(tf, values)
        self._moments = {
            f"{name}/{slot}": tf.Variable(
                (moments or {}).get(f"{name}/{slot}", np.zeros(variable.shape, np.float32)), trainable=False
            )
            for name, variable in self._variables.items()
            if variable.trainable
            for slot in (MEAN_SLOT, VARIANCE_SLOT)
        }
        self._train = tf.function(self._train_eagerly)
        self._measure = tf.function(self._losses)

    def train(self, batch: Batch) -> Losses:
        """Makes one step; returns the loss before it."""
        tf = self._tf
        number = tf.constant(self.step + 1, tf.int64)
        losses = self._train(tf.constant(batch.mixture), tf.constant(batch.targets), number)
        self.step += 1
        return self._values(losses)

    def measure(self, batch: Batch) -> Losses:
        """The loss of a batch, without dropout and without a step."""
        tf = self._tf
        return self._values(self._measure(tf.constant(batch.mixture), tf.constant(batch.targets)))

    def gradients(self, batch: Batch) -> dict[str, FloatArray]:
        """The gradient of the loss by each variable that influences it, without a step."""
        tf = self._tf
        trained = self._trained()
        with tf.GradientTape() as tape:
            loss = tf.add_n(self._losses(tf.constant(batch.mixture), tf.constant(batch.targets)))
        found = tape.gradient(loss, trained)
        return {name: each.numpy() for name, each in found.items() if each is not None}

    def state(self) -> dict[str, Any]:
        """All that a checkpoint holds, by name: variables, Adam's moments and powers, the step."""
        values = {name: each.numpy() for name, each in (self._variables | self._moments).items()}
        return values | {
            # TensorFlow's optimizer stores the powers that the next step uses.
            "beta1_power": np.float32(BETA_1 ** (self.step + 1)),
            "beta2_power": np.float32(BETA_2 ** (self.step + 1)),
            "global_step": np.int64(self.step),
        }

    def _losses(self, mixture: Any, targets: Any, *, dropout: float = 0.0, number: Any = 0) -> list[Any]:
        tf = self._tf
        seed = tf.stack([tf.constant(self._config.random_seed, tf.int64), tf.cast(number, tf.int64)])
        made = estimates(tf, self._network, self._variables, mixture, dropout=dropout, seed=seed)
        return stem_losses(tf, self._config.loss_type, made, tf.unstack(targets))

    def _train_eagerly(self, mixture: Any, targets: Any, number: Any) -> list[Any]:
        tf = self._tf
        trained = self._trained()
        with tf.GradientTape() as tape:
            losses = self._losses(mixture, targets, dropout=self._dropout, number=number)
            total = tf.add_n(losses)
        power = tf.cast(number, tf.float64)
        for name, gradient in tape.gradient(total, trained).items():
            if gradient is None:  # the innermost normalization, which is not used
                continue
            tf.raw_ops.ResourceApplyAdam(
                var=trained[name].handle,
                m=self._moments[f"{name}/{MEAN_SLOT}"].handle,
                v=self._moments[f"{name}/{VARIANCE_SLOT}"].handle,
                beta1_power=tf.cast(tf.pow(tf.constant(BETA_1, tf.float64), power), tf.float32),
                beta2_power=tf.cast(tf.pow(tf.constant(BETA_2, tf.float64), power), tf.float32),
                lr=self._config.learning_rate,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=EPSILON,
                grad=gradient,
            )
        return losses

    def _trained(self) -> dict[str, Any]:
        return {name: each for name, each in self._variables.items() if each.trainable}

    def _values(self, losses: list[Any]) -> Losses:
        stems = {stem: float(each) for stem, each in zip(self._stems, losses, strict=True)}
        return Losses(total=sum(stems.values()), stems=stems)
