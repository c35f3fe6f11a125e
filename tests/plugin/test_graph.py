"""What is refused of a model before a runtime gets it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import AttributeProto, TensorProto, helper

from stemdock.errors import ModelDamagedError
from stemdock.inference.onnx_file import read_model
from stemdock_models.installed import embedded_models

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def model(*nodes: Any, initializers: tuple[Any, ...] = ()) -> Any:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph(list(nodes), "g", [value], [result], list(initializers))
    return helper.make_model(graph)


def weight() -> Any:
    return helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])


def outside() -> Any:
    tensor = weight()
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    return tensor


def functions() -> Any:
    made = model(helper.make_node("Identity", ["x"], ["y"]))
    made.functions.add(name="f", domain="d")
    return made


def within_constant() -> Any:
    node = helper.make_node("Constant", [], ["w"])
    node.attribute.add(name="value", type=AttributeProto.TENSOR).t.CopyFrom(outside())
    return model(node)


def conditional() -> Any:
    inner = helper.make_graph([], "inner", [], [])
    return model(helper.make_node("Anything", ["x"], ["y"], then_branch=inner))


def sparse() -> Any:
    made = model()
    made.graph.sparse_initializer.add()
    return made


def test_the_models_of_ours_are_in_order() -> None:
    for entry in embedded_models():
        assert entry.path
        read_model(entry.path)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: model(initializers=(outside(),)), "in another file"),
        (within_constant, "in another file"),
        (lambda: model(helper.make_node("Loop", ["x"], ["y"])), "operator Loop"),
        (lambda: model(helper.make_node("ConstantOfShape", ["x"], ["y"])), "operator ConstantOfShape"),
        (
            lambda: model(helper.make_node("Conv", ["x"], ["y"], pads=[0, 0, 1 << 40, 0])),
            "'pads' exceeds the limit of 4096",
        ),
        (
            lambda: model(helper.make_node("ConvTranspose", ["x"], ["y"], strides=[-1, 1])),
            "'strides'",
        ),
        (conditional, "graph within its graph"),
        (functions, "defines functions"),
        (sparse, "sparse"),
    ],
)
def test_what_no_network_of_ours_needs_is_refused(
    make: Callable[[], Any], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(make().SerializeToString())
    with pytest.raises(ModelDamagedError, match=reason) as caught:
        read_model(path)
    assert caught.value.model == str(path)


def test_ordinary_operators_and_weights_pass(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    conv = helper.make_node("Conv", ["x", "w"], ["y"], pads=[2, 2], strides=[1])
    slices = helper.make_node("Slice", ["x"], ["y"], ends=[(1 << 63) - 1])
    onnx.save(model(conv, slices, initializers=(weight(),)), path)
    read_model(path)


def test_an_empty_file_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.touch()
    with pytest.raises(ModelDamagedError, match="empty"):
        read_model(path)


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_pass_or_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(content)
    with suppress(ModelDamagedError):
        read_model(path)
