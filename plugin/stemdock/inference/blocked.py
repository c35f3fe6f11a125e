"""Keeps the data of a prepared network in onnxruntime's blocked layout.

onnxruntime convolves in a layout of its own, NCHWc: blocks of 8 or 16 channels, whose values for a bin are
neighbours. Around all other operators it changes to the plain layout and back. In Spleeter's networks that is
unnecessary: activations do not depend on the layout, channels are concatenated by whole blocks, and the
phases of a transposed convolution are interleaved by moving blocks instead of single numbers.

References:
    onnxruntime, `core/optimizer/nchwc_transformer.cc`: operators of the domain com.microsoft.nchwc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import onnx
from onnx import helper

from stemdock.inference.graph_editing import EditedGraph, attribute, sizes_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from onnx import ModelProto, NodeProto

_DOMAIN: Final = "com.microsoft.nchwc"
_FUSED: Final = ("Relu", "LeakyRelu")
"""Activations that a blocked convolution can do itself."""
_ACTIVATIONS: Final = (*_FUSED, "Elu")
_LEAK: Final = 0.01
"""LeakyRelu's default."""
_N_PHASES: Final = 4
_MOST_CHANNELS: Final = 64
"""More than a block has."""


def block_probe() -> bytes:
    """A model that brings a tensor `(1, 64, 1, 2)`, "plain", into the blocked layout, "blocked"."""
    shape = [1, _MOST_CHANNELS, 1, 2]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("ReorderInput", ["plain"], ["blocked"], domain=_DOMAIN)],
        "probe",
        [value("plain", onnx.TensorProto.FLOAT, shape)],
        [value("blocked", onnx.TensorProto.FLOAT, shape)],
    )
    domains = [helper.make_opsetid("", 17), helper.make_opsetid(_DOMAIN, 1)]
    content: bytes = helper.make_model(graph, opset_imports=domains, ir_version=8).SerializeToString()
    return content


def block_size(blocked: np.ndarray) -> int:
    """Channels of a block.

    Args:
        blocked: What the probe makes of a tensor that is 0 in the first bin and 1 in the second.
    """
    return int(np.argmax(blocked.ravel()))


def keep_blocked(path: Path, block: int) -> bool:
    """Rewrites the graph of a prepared model; its weights stay where they are.

    Args:
        path: The graph, changed in place.
        block: Channels of a block on this machine.

    Returns:
        Whether anything was changed. The new network computes the same, but for the rounding of
        normalizations.
    """
    model = onnx.load(path, load_external_data=False)
    rewriting = _Rewriting(model, block)
    for node in rewriting.graph.nodes:
        if node.op_type in _ACTIVATIONS:
            rewriting.keep_activation(node)
        elif node.op_type == "DepthToSpace" and (level := rewriting.level_of(node)):
            rewriting.keep_level(level)
    if not rewriting.graph.is_changed:
        return False
    rewriting.graph.finish()
    path.write_bytes(model.SerializeToString())
    return True


class _Level(NamedTuple):
    """The nodes of one level of the decoder, in order, and its skip connection."""

    phases: NodeProto
    """Concatenates four convolutions."""
    plain: NodeProto
    """Changes the layout."""
    interleaving: NodeProto
    activation: NodeProto
    normalization: NodeProto
    skip: NodeProto
    """Changes the layout of the encoder's channels."""
    joined: NodeProto
    """Concatenates those and the decoder's."""


class _Rewriting:
    def __init__(self, model: ModelProto, block: int) -> None:
        self.graph = EditedGraph(model)
        self._block = block
        self._sizes = sizes_of(model)

    def keep_activation(self, node: NodeProto) -> None:
        """Lets an activation between two changes of the layout work on blocks."""
        graph, output = self.graph, node.output[0]
        plain = graph.maker(node.input[0], "ReorderOutput")
        users = graph.users(output)
        if plain is None or not self._is_whole(plain) or {user.op_type for user in users} != {"ReorderInput"}:
            return
        blocked = plain.input[0]
        if graph.user(plain.output[0], node.op_type) and self._can_fuse([blocked], node):
            self._fuse([blocked], node)
        else:
            blocked = graph.add_copy(node, blocked, f"{output}/blocked")
        graph.replace(users, blocked)

    def level_of(self, interleaving: NodeProto) -> _Level | None:
        """The level of the decoder whose phases a node interleaves, if it is built as expected."""
        graph = self.graph
        plain = graph.maker(interleaving.input[0], "ReorderOutput")
        phases = graph.maker(plain.input[0], "Concat") if plain else None
        activation = graph.user(interleaving.output[0], *_ACTIVATIONS)
        normalization = graph.user(activation.output[0], "BatchNormalization") if activation else None
        joined = graph.user(normalization.output[0], "Concat") if normalization else None
        skip = graph.maker(joined.input[0], "ReorderOutput") if joined else None
        if not (plain and phases and activation and normalization and joined and skip):
            return None
        level = _Level(phases, plain, interleaving, activation, normalization, skip, joined)
        is_usual = (
            len(phases.input) == _N_PHASES
            and list(joined.input) == [skip.output[0], normalization.output[0]]
            and attribute(interleaving, "blocksize", 0) == 2  # noqa: PLR2004
            and attribute(interleaving, "mode", b"DCR") == b"DCR"
            and graph.user(phases.output[0], "ReorderOutput") and graph.user(plain.output[0], "DepthToSpace")
            and self._is_whole(skip) and self._n_channels(level) % self._block == 0
            and phases.input[0] in self._sizes
        )  # fmt: skip
        return level if is_usual else None

    def keep_level(self, level: _Level) -> None:
        """Interleaves the phases of a level by blocks, and normalizes and concatenates them as blocks."""
        graph, name = self.graph, level.interleaving.output[0]
        convolutions = list(level.phases.input)
        can_fuse = self._can_fuse(convolutions, level.activation)
        if can_fuse:
            self._fuse(convolutions, level.activation)
        up = self._interleaved(level)
        if not can_fuse:
            up = graph.add_copy(level.activation, up, f"{name}/active")
        up = self._normalized(level, up)
        whole = graph.add("Concat", [level.skip.input[0], up], f"{name}/joined", axis=1)
        users = graph.users(level.joined.output[0])
        blocked = [user for user in users if user.op_type == "ReorderInput"]
        if len(blocked) < len(users):
            n_channels = self._n_channels(level) + attribute(level.skip, "channels", 0)
            graph.add("ReorderOutput", [whole], level.joined.output[0], domain=_DOMAIN, channels=n_channels)
        graph.replace(blocked, whole)
        graph.remove(*level[:5], level.joined)

    def _interleaved(self, level: _Level) -> str:
        """The phases of even and odd rows and columns as one tensor."""
        height, width = self._sizes[level.phases.input[0]]
        name = level.interleaving.output[0]
        rows = []
        for row in range(2):
            columns = [
                self._reshaped(
                    f"{name}/{row}{column}", level.phases.input[2 * row + column], -1, 1, self._block
                )
                for column in range(2)
            ]
            both = self.graph.add("Concat", columns, f"{name}/columns_{row}", axis=1)
            rows.append(self._reshaped(f"{name}/row_{row}", both, -1, 1, 2 * width * self._block))
        whole = self.graph.add("Concat", rows, f"{name}/rows", axis=1)
        return self._reshaped(f"{name}/blocked", whole, -1, self._n_channels(level), 2 * height, 2 * width)

    def _reshaped(self, name: str, source: str, *shape: int) -> str:
        target = self.graph.add_weights(f"{name}/shape", np.array(shape, np.int64))
        return self.graph.add("Reshape", [source, target], name)

    def _normalized(self, level: _Level, source: str) -> str:
        """Normalizes by a convolution of each channel with one weight, as onnxruntime does elsewhere."""
        node, name = level.normalization, level.normalization.output[0]
        gamma, beta, mean, variance = map(self.graph.weights, node.input[1:])
        scale = gamma / np.sqrt(variance + np.float32(attribute(node, "epsilon", 1e-5)))
        weights = [
            self.graph.add_weights(f"{name}/scale", scale.astype(np.float32).reshape(-1, 1, 1, 1)),
            self.graph.add_weights(f"{name}/shift", (beta - mean * scale).astype(np.float32)),
        ]
        return self.graph.add("Conv", [source, *weights], name, domain=_DOMAIN, group=len(scale))

    def _can_fuse(self, tensors: Sequence[str], activation: NodeProto) -> bool:
        """Whether the convolutions that make tensors can do an activation, and are not needed without it."""
        makers = [self.graph.maker(tensor, "Conv") for tensor in tensors]
        return activation.op_type in _FUSED and all(
            maker and maker.domain == _DOMAIN and len(self.graph.users(tensor)) == 1
            and not attribute(maker, "activation", None)
            for tensor, maker in zip(tensors, makers, strict=True)
        )  # fmt: skip

    def _fuse(self, tensors: Sequence[str], activation: NodeProto) -> None:
        settings: dict[str, object] = {"activation": activation.op_type}
        if activation.op_type == "LeakyRelu":
            settings["activation_params"] = [float(attribute(activation, "alpha", _LEAK))]
        for maker in filter(None, map(self.graph.maker, tensors)):
            maker.attribute.extend(helper.make_attribute(name, value) for name, value in settings.items())

    def _is_whole(self, plain: NodeProto) -> bool:
        """Whether a change from the blocked layout has whole blocks only."""
        n_channels: int = attribute(plain, "channels", 0)
        return n_channels % self._block == 0

    @staticmethod
    def _n_channels(level: _Level) -> int:
        """Channels of a level's decoder."""
        n_channels: int = attribute(level.plain, "channels", 0)
        return n_channels // _N_PHASES
