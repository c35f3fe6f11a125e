from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from stemdock_export.phases import split_transposed_convolutions


def make_model(n_outputs: int, **changes: Any) -> Any:
    random = np.random.default_rng(n_outputs)
    attributes = {"kernel_shape": [5, 5], "strides": [2, 2], "pads": [1, 1, 2, 2], **changes}
    constants = {"kernel": (3, n_outputs, 5, 5), "bias": (n_outputs,)}
    return helper.make_model(
        helper.make_graph(
            [helper.make_node("ConvTranspose", ["x", "kernel", "bias"], ["y"], **attributes)],
            "one layer",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 6, 10])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", n_outputs, "h", "w"])],
            [
                numpy_helper.from_array(random.standard_normal(shape).astype(np.float32), name)
                for name, shape in constants.items()
            ],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )


def run(model: Any) -> np.ndarray:
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    samples = np.random.default_rng(0).standard_normal((2, 3, 6, 10)).astype(np.float32)
    output: np.ndarray = session.run(None, {"x": samples})[0]
    return output


def test_four_convolutions_compute_what_the_transposed_one_does() -> None:
    model = make_model(16)
    before = run(model)
    split_transposed_convolutions(model)
    assert "ConvTranspose" not in {node.op_type for node in model.graph.node}
    after = run(model)
    assert after.shape == before.shape == (2, 16, 12, 20)
    np.testing.assert_allclose(after, before, atol=2e-5)


@pytest.mark.parametrize(
    ("n_outputs", "changes"),
    [(15, {}), (16, {"pads": [2, 2, 1, 1]}), (16, {"strides": [1, 1], "pads": [1, 1, 2, 2]})],
)
def test_others_are_left_alone(n_outputs: int, changes: dict[str, Any]) -> None:
    model = make_model(n_outputs, **changes)
    before = model.SerializeToString()
    split_transposed_convolutions(model)
    assert model.SerializeToString() == before


def test_the_kernel_stays_in_the_file_as_it_was() -> None:
    model = make_model(32)
    before = {each.name: each.SerializeToString() for each in model.graph.initializer}
    split_transposed_convolutions(model)
    after = {each.name: each.SerializeToString() for each in model.graph.initializer}
    assert before.items() <= after.items()
