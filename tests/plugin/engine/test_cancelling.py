"""A cancelled separation stops inside a segment, not at the end of it."""

from __future__ import annotations

from threading import Event, Timer
from typing import TYPE_CHECKING

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from stemdock import CancelledError, Separation, Separator
from stemdock.card import INPUT_NAME, card_to_metadata
from stemdock.inference.session import OnnxSession
from support.small_model import small_card

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock.types import FloatArray

N_LAYERS = 3000
"""So many that the network computes for seconds."""


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose network computes for seconds: a chain of layers, each of a moment."""
    card = small_card()
    shape = ["batch", card.n_frames, card.n_bins, card.n_channels]
    size = card.n_frames * card.n_bins * card.n_channels
    nodes = [
        helper.make_node("Reshape", [INPUT_NAME, "row"], ["flat"]),
        helper.make_node("Mul", ["column", "flat"], ["x0"]),
    ]
    nodes += [helper.make_node("Tanh", [f"x{n}"], [f"x{n + 1}"]) for n in range(N_LAYERS)]
    nodes += [helper.make_node("ReduceSum", [f"x{N_LAYERS}"], ["sum"], keepdims=0)]
    nodes += [helper.make_node("Add", [INPUT_NAME, "sum"], [stem]) for stem in card.stems]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "endless",
        [value(INPUT_NAME, TensorProto.FLOAT, shape)],
        [value(stem, TensorProto.FLOAT, shape) for stem in card.stems],
        [
            numpy_helper.from_array(np.array([1, size], np.int64), "row"),
            numpy_helper.from_array(np.full((1000, 1), 1e-6, np.float32), "column"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, card_to_metadata(card))
    path = tmp_path_factory.mktemp("endless") / "endless.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.slow
@pytest.mark.parametrize("mwf", [False, True])
def test_a_segment_is_stopped_inside(endless: Path, mwf: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = OnnxSession.run
    ends = []

    def run(session: OnnxSession, magnitude: FloatArray, cancel: Event | None = None) -> Sequence[FloatArray]:
        try:
            made = genuine(session, magnitude, cancel)
        except CancelledError:
            ends.append("stopped")
            raise
        ends.append("computed")
        return made

    monkeypatch.setattr(OnnxSession, "run", run)
    separator = Separator(endless, separation=Separation(mwf=mwf))
    cancel = Event()
    timer = Timer(0.5, cancel.set)
    timer.start()
    mixture = np.zeros((separator.sample_rate // 10, 2), np.float32)
    with pytest.raises(CancelledError):
        separator.separate(mixture, cancel=cancel)
    timer.join()
    assert ends == ["stopped"]
