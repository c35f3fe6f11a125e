"""Reads damaged model files without running them; the library onnx must read the same in what is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper

from fuzz.case import Target
from fuzz.targets import models
from stemdock.card import INPUT_NAME, card_to_metadata
from stemdock.inference.onnx_file import read_model
from support.onnx_views import onnx_view, stemdock_message, stemdock_view
from support.small_model import small_card

if TYPE_CHECKING:
    from pathlib import Path

    from fuzz.case import Place

_WEIGHTS: Final = {"k": (2, 2, 5, 5), "b": (2,), "scale": (2,), "u": (2, 2, 5, 5)}


def build(folder: Path) -> None:
    """Writes a model with the operators of Spleeter's networks, each once; reading it takes a millisecond."""
    card = small_card()
    shape = ["n_segments", card.n_frames, card.n_bins, card.n_channels]
    info = helper.make_tensor_value_info
    weights = [_tensor(name, np.full(dims, 0.1, np.float32)) for name, dims in _WEIGHTS.items()]
    weights.append(_tensor("sizes", np.array([-1, 64, 64, 2], np.int64)))
    graph = helper.make_graph(
        [
            helper.make_node("Transpose", [INPUT_NAME], ["t"], perm=[0, 3, 1, 2]),
            helper.make_node("Conv", ["t", "k", "b"], ["c"], strides=[2, 2], pads=[1, 1, 2, 2]),
            helper.make_node("BatchNormalization", ["c", "scale", "b", "b", "scale"], ["n"], epsilon=1e-3),
            helper.make_node("LeakyRelu", ["n"], ["l"], alpha=0.2),
            helper.make_node(
                "ConvTranspose",
                ["l", "u"],
                ["d"],
                strides=[2, 2],
                pads=[1, 1, 2, 2],
                output_padding=[1, 1],
            ),
            helper.make_node("Concat", ["d", "t"], ["j"], axis=1),
            helper.make_node("ReduceMean", ["j"], ["r"], keepdims=0),
            helper.make_node("Reshape", [INPUT_NAME, "sizes"], ["m"]),
            helper.make_node("Mul", ["m", "r"], [card.stems[0]]),
            helper.make_node("Sub", ["m", card.stems[0]], [card.stems[1]]),
        ],
        "example",
        [info(INPUT_NAME, TensorProto.FLOAT, shape)],
        [info(stem, TensorProto.FLOAT, shape) for stem in card.stems],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, card_to_metadata(card))
    onnx.save(model, folder / models.MODEL)
    (folder / "song.wav").touch()


def _tensor(name: str, values: Any) -> Any:
    return onnx.numpy_helper.from_array(values, name)


def run(place: Place) -> None:
    """Vets the model, reads it by the library onnx, and reads the card."""
    path = place.input / models.MODEL
    model = read_model(path)
    content = path.read_bytes()
    assert stemdock_view(path) == onnx_view(content)
    expected = onnx.load_from_string(content)
    expected.graph.SetInParent()  # Stemdock passes on an empty graph if there is none
    assert stemdock_message(path) == expected
    model.card()


TARGET: Final = Target(build=build, damage=models.damage, run=run)
