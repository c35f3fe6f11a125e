"""onnxruntime reads a model in the format in which it was checked."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from stemdock import ModelError, Separator
from stemdock.card import INPUT_NAME, card_to_metadata
from stemdock.inference.session import OnnxSession
from support.small_model import small_card


def write_model(path: Path, *, producer: str = "") -> None:
    card = small_card()
    shape = ["batch", card.n_frames, card.n_bins, card.n_channels]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Abs", [INPUT_NAME], [stem]) for stem in card.stems],
        "network",
        [value(INPUT_NAME, TensorProto.FLOAT, shape)],
        [value(stem, TensorProto.FLOAT, shape) for stem in card.stems],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name=producer
    )
    helper.set_model_props(model, card_to_metadata(card))
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize("n_bins", [64, 128])
@pytest.mark.parametrize(("name", "producer"), [("m.ort", ""), ("m.onnx", "ORTM"), ("m.ort", "ORTM")])
def test_names_and_marks_of_another_format_change_nothing(
    name: str, producer: str, n_bins: int, tmp_path: Path
) -> None:
    """Content can be valid in both formats, and the check reads only one of them."""
    write_model(tmp_path / name, producer=producer)
    assert ((tmp_path / name).read_bytes()[4:8] == b"ORTM") == bool(producer)
    session = OnnxSession(tmp_path / name, n_bins=n_bins)
    magnitude = np.full((1, 64, n_bins, 2), 2, np.float32)
    assert all(np.array_equal(estimate, magnitude) for estimate in session.run(magnitude))


@pytest.mark.parametrize(
    ("seed", "outcome"),
    [
        ("short-weight", pytest.raises(ModelError)),
        # onnxruntime 1.24 does not refuse it yet.
        ("bias-of-another-shape", suppress(ModelError)),
    ],
)
def test_a_refused_model_prints_nothing_by_itself(
    seed: str, outcome: AbstractContextManager[object], capfd: pytest.CaptureFixture[str]
) -> None:
    """Its names could contain control characters, and onnxruntime's own messages do."""
    path = Path(__file__).parents[2] / "fuzz" / "seeds" / "process" / seed / "tiny.onnx"
    with outcome:
        Separator(path).separate(np.zeros((5000, 2), np.float32), sample_rate=8000)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
