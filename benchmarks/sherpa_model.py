"""Converts a Spleeter checkpoint to the two models that sherpa-onnx expects.

Each stem has its own file. Its input `x` and output `y` are magnitudes `(n_channels, n_segments, n_frames,
n_bins)`; metadata give the type of the model. The graph is Spleeter's, with float32 weights and without
Stemdock's changes, like the result of sherpa-onnx's own conversion.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

import onnx
from onnx import helper

from stemdock.card import INPUT_NAME
from stemdock_export.bundle import Bundle
from stemdock_export.checkpoint import find_checkpoint
from stemdock_export.onnx_network import build_model
from stemdock_export.unet import describe_network

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_export.config import SpleeterConfig

_METADATA: Final = {"model_type": "spleeter", "sample_rate": "44100", "version": "1", "stems": "2"}
_FROM_SHERPA: Final = (1, 2, 3, 0)
_TO_SHERPA: Final = (3, 0, 1, 2)
_SIGMOID: Final = ("Neg", "Exp", "Add", "Reciprocal")
"""Stemdock's form of the sigmoid, which is more exact than onnxruntime's Sigmoid."""


def write_sherpa_models(checkpoint: Path, config: SpleeterConfig, folder: Path) -> None:
    """Writes `vocals.onnx` and `accompaniment.onnx` into a new folder."""
    network = describe_network(config)
    model = build_model(config, network, Bundle(find_checkpoint(checkpoint)).read)
    part = folder.with_name(f".{folder.name}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for stem in config.stems:
        onnx.save(_stem_model(model, stem, config), part / f"{stem}.onnx")
    part.rename(folder)


def _stem_model(model: Any, stem: str, config: SpleeterConfig) -> Any:
    """A model of one stem with the inputs, outputs and metadata that sherpa-onnx expects."""
    nodes = _one_sigmoid(_needed(model.graph.node, stem))
    shape = (config.n_channels, "n_segments", config.n_frames, config.n_bins)
    names = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        [
            helper.make_node("Transpose", ["x"], [INPUT_NAME], name="x/Transpose", perm=_FROM_SHERPA),
            *nodes,
            helper.make_node("Transpose", [stem], ["y"], name="y/Transpose", perm=_TO_SHERPA),
        ],
        stem,
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, shape)],
        [constant for constant in model.graph.initializer if constant.name in names],
    )
    made = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    helper.set_model_props(made, {**_METADATA, "comment": stem})
    onnx.checker.check_model(made, full_check=True)
    return made


def _needed(nodes: Any, output: str) -> list[Any]:
    """The nodes that an output depends on, in order."""
    tensors = {output}
    needed = []
    for node in reversed(nodes):
        if tensors.intersection(node.output):
            tensors.update(node.input)
            needed.append(node)
    return needed[::-1]


def _one_sigmoid(nodes: list[Any]) -> list[Any]:
    """Replaces Stemdock's sigmoid by a single Sigmoid node."""
    operators = [node.op_type for node in nodes]
    first = next(
        position for position in range(len(nodes)) if tuple(operators[position : position + 4]) == _SIGMOID
    )
    last = first + len(_SIGMOID) - 1
    sigmoid = helper.make_node("Sigmoid", [nodes[first].input[0]], list(nodes[last].output), name="Sigmoid")
    return [*nodes[:first], sigmoid, *nodes[last + 1 :]]
