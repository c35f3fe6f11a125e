"""Builds the network in TensorFlow, to convert it, to compare models with it, and to train it.

The layers are connected here and in `onnx_network` independently, so that tests can compare the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stemdock import INPUT_NAME
from stemdock_export.extra import import_tensorflow
from stemdock_export.unet import EPSILON, HEAD_DILATION, LEAKY_SLOPE, STRIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stemdock import FloatArray
    from stemdock_export.config import Activation, SpleeterConfig
    from stemdock_export.unet import Convolution, Network, Normalization, UNet

_N_DROPOUTS: Final = 3
"""Levels of the decoder, from the inside out, whose output is thinned out in training."""


def build_graph(config: SpleeterConfig, network: Network, values: Mapping[str, FloatArray]) -> Any:
    """The network as a `tf.Graph` with constant weights.

    The input is named `stemdock.INPUT_NAME` and has the shape `(n_segments, n_frames, n_bins,
    n_channels)` with any `n_segments`. The outputs are named by `output_names` and have the same shape.

    Args:
        config: Has the shape of a segment.
        network: The network to build.
        values: Every variable of the network, by name.

    Raises:
        ExtraMissingError: TensorFlow is not installed.
    """
    tf = import_tensorflow()
    graph = tf.Graph()
    with graph.as_default():
        shape = (None, config.n_frames, config.n_bins, config.n_channels)
        mixture = tf.compat.v1.placeholder(tf.float32, shape, name=INPUT_NAME)
        builder = NetworkBuilder(tf, network, values)
        logits = []
        for scope, unet in zip(scopes(network), network.unets, strict=True):
            with tf.name_scope(scope):
                logits.append(builder.logits(unet, mixture))
        with tf.name_scope("masks"):
            masks = builder.masks(logits)
        for name, mask in zip(output_names(network), masks, strict=True):
            tf.multiply(mask, mixture, name=name)
    return graph


def output_names(network: Network) -> tuple[str, ...]:
    """Names of the graph's outputs, in the order of the stems. Stem names may be invalid in TensorFlow."""
    return tuple(f"estimate_{position}" for position in range(len(network.unets)))


def scopes(network: Network) -> tuple[str, ...]:
    """Name scopes of the stems' layers, in the order of the stems."""
    return tuple(f"unet_{position}" for position in range(len(network.unets)))


class NetworkBuilder:
    """Adds the layers of a network to the default graph."""

    def __init__(
        self,
        tf: Any,
        network: Network,
        values: Mapping[str, Any],
        *,
        has_gradients: bool = False,
        drop: Callable[[Any], Any] | None = None,
    ) -> None:
        """Takes the weights.

        Args:
            tf: The module.
            network: The network to build.
            values: Every variable of the network, by name: arrays or `tf.Variable`s.
            has_gradients: Whether gradients will be needed. Then the head is made of operators that have
                some on a CPU, with the same results.
            drop: Thins out the outputs of the first levels of the decoder, as training does.
        """
        self._tf = tf
        self._network = network
        self._values = values
        self._has_gradients = has_gradients
        self._drop = drop

    def logits(self, unet: UNet, mixture: Any) -> Any:
        """`(n_segments, n_frames, n_bins, n_channels)` for one stem."""
        tf, network = self._tf, self._network
        skips: list[Any] = []
        hidden = mixture
        for depth, level in enumerate(unet.encoder):
            with tf.name_scope(f"encoder_{depth + 1}"):
                if skips:
                    # Before the next convolution, since the innermost one is not normalized.
                    before = unet.encoder[depth - 1].normalization
                    hidden = self._activate(self._normalize(hidden, before), network.conv_activation)
                hidden = self._convolve(hidden, level.convolution, strides=STRIDE)
                skips.append(hidden)
        skips.pop()
        for depth, level in enumerate(unet.decoder):
            with tf.name_scope(f"decoder_{depth + 1}"):
                if depth > 0:
                    hidden = tf.concat([skips.pop(), hidden], axis=-1)
                hidden = self._deconvolve(hidden, level.convolution)
                hidden = self._normalize(
                    self._activate(hidden, network.deconv_activation), level.normalization
                )
                if self._drop is not None and depth < _N_DROPOUTS:
                    hidden = self._drop(hidden)
        with tf.name_scope("head"):
            if not self._has_gradients:
                return self._convolve(hidden, unet.head, strides=1, dilations=HEAD_DILATION)
            kernel, bias = self._values[unet.head.kernel.name], self._values[unet.head.bias.name]
            convolved = tf.nn.convolution(hidden, kernel, padding="SAME", dilations=HEAD_DILATION)
            return tf.nn.bias_add(convolved, bias)

    def masks(self, logits: list[Any]) -> list[Any]:
        """The masks of all stems, from the logits of all stems."""
        tf = self._tf
        if self._network.mask_function == "unet.unet":
            return [tf.sigmoid(each) for each in logits]
        masks: list[Any] = tf.unstack(tf.nn.softmax(tf.stack(logits, axis=-1), axis=-1), axis=-1)
        return masks

    def _convolve(self, source: Any, convolution: Convolution, **steps: int) -> Any:
        tf = self._tf
        kernel, bias = self._values[convolution.kernel.name], self._values[convolution.bias.name]
        return tf.nn.bias_add(tf.nn.conv2d(source, kernel, padding="SAME", **steps), bias)

    def _deconvolve(self, source: Any, convolution: Convolution) -> Any:
        tf = self._tf
        kernel, bias = self._values[convolution.kernel.name], self._values[convolution.bias.name]
        _, n_frames, n_bins, _ = source.shape
        shape = tf.stack([tf.shape(source)[0], n_frames * STRIDE, n_bins * STRIDE, kernel.shape[2]])
        deconvolved = tf.nn.conv2d_transpose(source, kernel, shape, strides=STRIDE, padding="SAME")
        return tf.nn.bias_add(deconvolved, bias)

    def _normalize(self, source: Any, normalization: Normalization) -> Any:
        values = self._values
        gamma, beta = values[normalization.gamma.name], values[normalization.beta.name]
        mean, variance = values[normalization.mean.name], values[normalization.variance.name]
        normalized, *_ = self._tf.compat.v1.nn.fused_batch_norm(
            source, gamma, beta, mean, variance, epsilon=EPSILON, is_training=False
        )
        return normalized

    def _activate(self, source: Any, activation: Activation) -> Any:
        tf = self._tf
        if activation == "ELU":
            return tf.nn.elu(source)
        if activation == "LeakyReLU":
            return tf.nn.leaky_relu(source, alpha=LEAKY_SLOPE)
        return tf.nn.relu(source)
