"""Builds the network in ONNX, node by node from the variables of a checkpoint, without TensorFlow.

Nodes, weights and names are the same as those of `tf_network` after its conversion. The layers are
connected in both independently, so that tests can compare the two.

Conventions:
    Inside the network, tensors are `(n_segments, n_channels, n_frames, n_bins)`, ONNX's order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from stemdock import INPUT_NAME
from stemdock_export.extra import import_extra
from stemdock_export.model_file import IR_VERSION, OPSET
from stemdock_export.onnx_graph import GraphWriter
from stemdock_export.unet import EPSILON, HEAD_DILATION, LEAKY_SLOPE, STRIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stemdock import FloatArray
    from stemdock_export.config import Activation, SpleeterConfig
    from stemdock_export.unet import Convolution, Network, Normalization, UNet

_PADS: Final = (1, 1, 2, 2)
"""Of every 5x5 kernel: before frames and bins, then after."""
_HEAD_PADS: Final = (3, 3, 3, 3)
_CHANNELS_FIRST: Final = (0, 3, 1, 2)
_CHANNELS_LAST: Final = (0, 2, 3, 1)
_KERNEL_ORDER: Final = (3, 2, 0, 1)
"""From TensorFlow's axes to ONNX's, for convolutions and transposed ones alike."""
_STACK_AXIS: Final = 4
"""Axis of the stems for a softmax across them, after all others."""


def build_model(config: SpleeterConfig, network: Network, read: Callable[[str], FloatArray]) -> Any:
    """An `onnx.ModelProto` with the inputs and outputs of `tf_conversion.convert_graph`.

    Args:
        config: Has the shape of a segment.
        network: The network to build.
        read: Reads a variable by name. Each is read when it is needed, and only then.

    Raises:
        ExtraMissingError: onnx is not installed.
    """
    onnx = import_extra("onnx")
    helper = onnx.helper
    shape = ("n_segments", config.n_frames, config.n_bins, config.n_channels)
    values = {
        name: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name in (INPUT_NAME, *(unet.stem for unet in network.unets))
    }
    source = values.pop(INPUT_NAME)
    graph = helper.make_graph([], "network", [source], list(values.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    _Builder(GraphWriter(model.graph), network, read).build()
    return model


class _Builder:
    """Adds the layers of a network to a graph."""

    def __init__(self, graph: GraphWriter, network: Network, read: Callable[[str], FloatArray]) -> None:
        self._node, self._constant = graph.node, graph.constant
        self._network = network
        self._read = read

    def build(self) -> None:
        network = self._network
        mixture = self._node("Transpose", INPUT_NAME, [INPUT_NAME], perm=_CHANNELS_FIRST)
        sigmoid = network.mask_function == "unet.unet"
        masks = []
        for unet in network.unets:
            logits = self._logits(unet, mixture)
            masks.append(self._sigmoid(unet.stem, logits) if sigmoid else logits)
        if not sigmoid:
            masks = self._softmax(masks)
        for unet, mask in zip(network.unets, masks, strict=True):
            self._node("Mul", unet.stem, [mask, INPUT_NAME], outputs=[unet.stem])

    def _logits(self, unet: UNet, mixture: str) -> str:
        network = self._network
        skips: list[str] = []
        hidden = mixture
        for depth, level in enumerate(unet.encoder):
            scope = f"{unet.stem}/encoder_{depth + 1}"
            if skips:
                # Before the next convolution, since the innermost one is not normalized.
                hidden = self._normalize(scope, hidden, unet.encoder[depth - 1].normalization)
                hidden = self._activate(scope, hidden, network.conv_activation)
            hidden = self._convolve(scope, "Conv", hidden, level.convolution, pads=_PADS, strides=STRIDE)
            skips.append(hidden)
        skips.pop()
        for depth, level in enumerate(unet.decoder):
            scope = f"{unet.stem}/decoder_{depth + 1}"
            if depth > 0:
                hidden = self._node("Concat", scope, [skips.pop(), hidden], axis=1)
            hidden = self._convolve(
                scope, "ConvTranspose", hidden, level.convolution, pads=_PADS, strides=STRIDE
            )
            hidden = self._activate(scope, hidden, network.deconv_activation)
            hidden = self._normalize(scope, hidden, level.normalization)
        return self._convolve(
            f"{unet.stem}/head", "Conv", hidden, unet.head, pads=_HEAD_PADS, dilations=HEAD_DILATION
        )

    def _sigmoid(self, stem: str, logits: str) -> str:
        # Not ONNX's Sigmoid: see `tidying.spell_out_sigmoids`.
        negative = self._node("Neg", stem, [logits])
        power = self._node("Exp", stem, [negative])
        total = self._node("Add", stem, [power, self._constant(f"{stem}/one", np.float32(1))])
        mask = self._node("Reciprocal", stem, [total])
        return self._node("Transpose", stem, [mask], perm=_CHANNELS_LAST)

    def _softmax(self, logits: Sequence[str]) -> list[str]:
        axis = self._constant("masks/axis", np.array([_STACK_AXIS]))
        stacked = [
            self._node("Unsqueeze", f"masks/{position}", [each, axis]) for position, each in enumerate(logits)
        ]
        together = self._node("Concat", "masks", stacked, axis=_STACK_AXIS)
        shares = self._node("Softmax", "masks", [together], axis=_STACK_AXIS)
        shares = self._node("Transpose", "masks", [shares], perm=(*_CHANNELS_LAST, _STACK_AXIS))
        parts = [f"masks/Split/{position}" for position in range(len(logits))]
        self._node("Split", "masks", [shares], outputs=parts, axis=_STACK_AXIS)
        return [
            self._node("Squeeze", f"masks/{position}", [part, axis]) for position, part in enumerate(parts)
        ]

    def _convolve(
        self,
        scope: str,
        operator: str,
        source: str,
        convolution: Convolution,
        *,
        pads: Sequence[int],
        strides: int = 1,
        dilations: int = 1,
    ) -> str:
        kernel = self._read(convolution.kernel.name).transpose(_KERNEL_ORDER)
        inputs = [
            source,
            self._constant(f"{scope}/{operator}/kernel", kernel),
            self._constant(f"{scope}/{operator}/bias", self._read(convolution.bias.name)),
        ]
        return self._node(
            operator,
            scope,
            inputs,
            kernel_shape=kernel.shape[2:],
            pads=pads,
            strides=(strides, strides),
            dilations=(dilations, dilations),
        )

    def _normalize(self, scope: str, source: str, normalization: Normalization) -> str:
        inputs = [source] + [
            self._constant(f"{scope}/BatchNormalization/{role}", self._read(variable.name))
            for role, variable in (
                ("gamma", normalization.gamma),
                ("beta", normalization.beta),
                ("mean", normalization.mean),
                ("variance", normalization.variance),
            )
        ]
        return self._node("BatchNormalization", scope, inputs, epsilon=EPSILON)

    def _activate(self, scope: str, source: str, activation: Activation) -> str:
        if activation == "ELU":
            return self._node("Elu", scope, [source])
        if activation == "LeakyReLU":
            return self._node("LeakyRelu", scope, [source], alpha=LEAKY_SLOPE)
        return self._node("Relu", scope, [source])
