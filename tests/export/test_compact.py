from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stemdock_export.compact import LARGE, compact_weights, encode

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_SHAPE = (256, 32, 5, 5)


@pytest.fixture
def kernel() -> NDArray[np.float32]:
    random = np.random.default_rng(3)
    return (random.normal(size=_SHAPE) * random.exponential(size=(*_SHAPE[:2], 1, 1))).astype(np.float32)


def _decode(codes: tuple[NDArray[Any], ...]) -> NDArray[np.float32]:
    integers, patches, units = codes
    kernel: NDArray[np.float32] = integers.astype(np.float32) * (patches.astype(np.float32) * units)
    return kernel


def _model(kernel: NDArray[np.float32], op_type: str = "Conv") -> Any:
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    n_inputs = kernel.shape[1] if op_type == "Conv" else kernel.shape[0]
    return helper.make_model(
        helper.make_graph(
            [helper.make_node(op_type, ["x", "kernel"], ["y"])],
            "one layer",
            [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, n_inputs, 8, 8])],
            [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", "c", "h", "w"])],
            [numpy_helper.from_array(kernel, "kernel")],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )


@pytest.mark.parametrize("output_axis", [0, 1])
def test_weights_survive_to_93_db(kernel: NDArray[np.float32], output_axis: int) -> None:
    codes = encode(kernel, output_axis)
    assert [code.dtype for code in codes] == [np.int16, np.uint8, np.float32]
    assert codes[1].shape == (256, 32, 1, 1)
    assert codes[2].shape == ((256, 1, 1, 1) if output_axis == 0 else (1, 32, 1, 1))
    noise = np.sum((_decode(codes) - kernel.astype(np.float64)) ** 2)
    assert 10 * np.log10(np.sum(kernel.astype(np.float64) ** 2) / noise) > 92


def test_patches_keep_their_sums(kernel: NDArray[np.float32]) -> None:
    integers, patches, units = encode(kernel, 0)
    sums = (kernel / (patches * units.astype(np.float64))).sum(axis=(2, 3))
    # Half a unit; a weight that reaches the integers' end may lack one.
    assert np.quantile(np.abs(integers.sum(axis=(2, 3), dtype=np.int64) - sums), 0.99) <= 0.5 + 1e-6
    assert np.max(np.abs(kernel / (patches * units) - integers)) < 1.01


@given(
    arrays(np.float32, (3, 2, 5, 5), elements=st.floats(-1e3, 1e3, width=32, allow_subnormal=False)),
    st.sampled_from([0, 1]),
)
def test_every_weight_is_rounded_to_a_neighbour(kernel: NDArray[np.float32], output_axis: int) -> None:
    integers, patches, units = encode(kernel, output_axis)
    steps = np.broadcast_to(patches * units.astype(np.float64), kernel.shape)
    assert np.all(np.abs(integers * steps - kernel) <= 1.001 * steps)


def test_zeros_stay_zeros(kernel: NDArray[np.float32]) -> None:
    kernel[3] = 0
    kernel[:, 5] = 0
    decoded = _decode(encode(kernel, 0))
    assert not decoded[3].any()
    assert not decoded[:, 5].any()
    assert np.isfinite(decoded).all()


@pytest.mark.parametrize("op_type", ["Conv", "ConvTranspose"])
def test_onnxruntime_restores_the_kernel_when_it_loads_the_model(
    kernel: NDArray[np.float32], op_type: str, tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx")
    ort = pytest.importorskip("onnxruntime")
    model = _model(kernel, op_type)
    n_bytes = model.ByteSize()
    compact_weights(model)
    onnx.checker.check_model(model, full_check=True)
    assert model.ByteSize() < 0.53 * n_bytes

    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    optimized = onnx.load(tmp_path / "optimized.onnx").graph
    assert [node.op_type for node in optimized.node] == [op_type]
    restored = onnx.numpy_helper.to_array(
        next(constant for constant in optimized.initializer if constant.name == optimized.node[0].input[1])
    )
    np.testing.assert_array_equal(restored, _decode(encode(kernel, 0 if op_type == "Conv" else 1)))


def test_small_kernels_stay_as_they_are() -> None:
    model = _model(np.ones((LARGE // 25 // 64, 64, 5, 5), np.float32))
    before = model.SerializeToString()
    compact_weights(model)
    assert model.SerializeToString() == before
