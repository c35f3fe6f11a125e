"""What is refused of a model before a runtime gets it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx
import onnx.defs
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import AttributeProto, TensorProto, helper

from stemdock.errors import ModelDamagedError
from stemdock.inference.onnx_file import read_model
from stemdock.inference.operators import OPERATORS
from stemdock_models.installed import embedded_models
from support.tf_bundle import varint

if TYPE_CHECKING:
    from collections.abc import Callable


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


def field(number: int, content: bytes) -> bytes:
    return bytes(varint(number << 3 | 2) + varint(len(content)) + content)


def pads_in_a_row(*lengths: int) -> bytes:
    """A model with an attribute of several integers in one field."""
    row = b"".join(map(bytes, map(varint, lengths)))
    return field(7, field(1, field(4, b"Relu") + field(5, field(1, b"pads") + field(8, row))))


def hidden_graph(tag: bytes) -> bytes:
    """A model whose graph, which has a loop, comes after a tag of five bytes."""
    hidden = model(helper.make_node("Loop", ["x"], ["y"])).graph.SerializeToString()
    plain = model()
    plain.ClearField("graph")
    return bytes(plain.SerializeToString() + tag + varint(len(hidden)) + hidden)


def typed_attribute(**fields: Any) -> Any:
    node = helper.make_node("Relu", ["x"], ["y"])
    node.attribute.add(name="a", **fields)
    return model(node)


def typed_input() -> Any:
    made = model()
    made.graph.input[0].type.Clear()
    made.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = 1
    return made


def typed_length(attribute: AttributeProto) -> Any:
    made = model(helper.make_node("Conv", ["x"], ["y"]))
    made.graph.node[0].attribute.append(attribute)
    return made


def weights(**fields: Any) -> Any:
    return model(initializers=(TensorProto(name="w", **fields),))


RELU = model(helper.make_node("Relu", ["x"], ["y"]))
GRAPH_TAG = 7 << 3 | 2


def content_of(made: Any) -> bytes:
    return made if isinstance(made, bytes) else bytes(made.SerializeToString())


def refusal(path: Path, made: Any) -> str:
    """Why a model is refused; empty if it is accepted."""
    path.write_bytes(content_of(made))
    try:
        read_model(path)
    except ModelDamagedError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: model(initializers=(outside(),)), "in another file"),
        (within_constant, "in another file"),
        (lambda: weights(data_location=TensorProto.EXTERNAL), "in another file"),
        (lambda: typed_length(AttributeProto(name="pads", i=4097)), "'pads' exceeds the limit of 4096"),
        (lambda: pads_in_a_row(1, 4097), "'pads' exceeds"),
        (lambda: pads_in_a_row(4097, 1), "'pads' exceeds"),
        (
            lambda: model(helper.make_node("Conv", ["x"], ["y"], pads=[0, 0, 1 << 40, 0])),
            "'pads' exceeds the limit of 4096",
        ),
        (lambda: model(helper.make_node("ConvTranspose", ["x"], ["y"], strides=[-1, 1])), "'strides'"),
        (conditional, "graph within its graph"),
        (functions, "defines functions"),
        (sparse, "sparse"),
        (lambda: typed_attribute(sparse_tensor=onnx.SparseTensorProto()), "sparse"),
        (lambda: typed_attribute(sparse_tensors=[onnx.SparseTensorProto()]), "sparse"),
        (lambda: typed_attribute(tp=onnx.TypeProto()), "other than tensors"),
        (lambda: typed_attribute(type_protos=[onnx.TypeProto()]), "other than tensors"),
        (lambda: typed_attribute(graphs=[onnx.GraphProto()]), "graph within its graph"),
        (lambda: typed_attribute(ref_attr_name="b"), "functions"),
        (typed_input, "other than tensors"),
        (lambda: weights(data_type=1, dims=[1 << 40]), "incomplete"),
        (lambda: weights(data_type=1, dims=[-1], raw_data=b"1234"), "incomplete"),
        (lambda: weights(data_type=1, dims=[1] * 100_000, raw_data=b"1234"), "incomplete"),
        (lambda: weights(data_type=8, dims=[1], string_data=[b"a"]), "texts"),
    ],
)
def test_parts_that_no_network_of_ours_needs_are_refused(
    make: Callable[[], Any], reason: str, tmp_path: Path
) -> None:
    assert reason in refusal(tmp_path / "m.onnx", make())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(hidden_graph(varint(1 << 32 | GRAPH_TAG)), "valid number", id="tag of 33 bits"),
        pytest.param(hidden_graph(varint(1 << 34 | GRAPH_TAG)), "valid number", id="tag of 35 bits"),
        pytest.param(hidden_graph(bytes([GRAPH_TAG | 0x80, 0x80, 0])), "superfluous", id="long tag"),
        pytest.param(content_of(RELU) + bytes(2), "valid number", id="field 0"),
        pytest.param(content_of(RELU) + b"\x0b\x0c", "unknown kind", id="group"),
        pytest.param(content_of(RELU) + b"\x3f", "unknown kind", id="wire type 7"),
        pytest.param(content_of(RELU) + field(7, b""), "several values for graph", id="two graphs"),
        pytest.param(content_of(RELU) + field(99, b"x"), "unknown field 99", id="unknown field"),
        pytest.param(b"\x38\x01", "graph of another type", id="graph as a number"),
        pytest.param(b"\x08\x88\x00" + content_of(RELU)[2:], "superfluous", id="long number"),
        pytest.param(b"\x08" + b"\x88" * 9 + b"\x02", "too large", id="number of 65 bits"),
        pytest.param(b"\x0d\x08\0\0\0" + content_of(RELU)[2:], "ir_version of another", id="fixed"),
        pytest.param(content_of(RELU) + field(2, b"\xff"), "producer_name that is not", id="no text"),
        pytest.param(
            content_of(RELU) + field(14, field(1, b"k")) + field(14, field(1, b"k")), "metadata", id="keys"
        ),
        pytest.param(
            field(7, field(1, field(4, b"Relu") + field(4, b"Loop"))), "values for op_type", id="operators"
        ),
        pytest.param(
            field(7, field(5, b"\x70" + varint(1 << 32 | 1))), "data_location that is too", id="location"
        ),
        pytest.param(
            field(7, field(5, b"\x70" + varint(1 << 31))), "data_location that is too", id="least negative"
        ),
        pytest.param(
            field(7, field(5, field(1, bytes([100, 3])) + b"\x10\x01" + field(9, bytes(40)))),
            "incomplete",
            id="dims in a row",
        ),
        pytest.param(field(7, field(5, b"\x0d" + bytes(4))), "dims of another type", id="fixed dims"),
        pytest.param(field(7, field(5, field(2, b"\x01"))), "data_type of another", id="a type in a row"),
        pytest.param(
            field(7, field(11, field(2, field(1, field(2, field(1, b"\x08\x01\x12\x01n")))))),
            "several values for one",
            id="length and name",
        ),
    ],
)
def test_encodings_that_readers_could_take_in_two_ways_are_refused(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    assert reason in refusal(tmp_path / "m.onnx", content)


def test_the_runtime_finds_the_hidden_graph(tmp_path: Path) -> None:
    """The attack works: without the check, the runtime would run a graph that the check did not see."""
    relu = RELU.graph.SerializeToString()
    plain = onnx.ModelProto()
    plain.CopyFrom(RELU)
    plain.ir_version = 8
    plain.opset_import[0].version = 17
    plain.ClearField("graph")
    hidden = plain.SerializeToString() + varint(1 << 32 | GRAPH_TAG) + varint(len(relu)) + relu
    session = onnxruntime.InferenceSession(hidden, providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["y"]
    assert refusal(tmp_path / "m.onnx", hidden)


@pytest.mark.parametrize(
    "operator",
    [
        "AffineGrid", "BlackmanWindow", "CenterCropPad", "Col2Im", "ConstantOfShape", "DFT", "EyeLike",
        "Expand", "Gather", "GridSample", "HammingWindow", "HannWindow", "If", "Loop", "MatMul", "MaxUnpool",
        "MelWeightMatrix", "Multinomial", "OneHot", "Pad", "RandomNormal", "RandomUniform", "Range", "Resize",
        "RoiAlign", "STFT", "Scan", "SequenceMap", "TfIdfVectorizer", "Tile", "Upsample", "Relu2", "",
    ],
)  # fmt: skip
def test_other_operators_are_refused(operator: str, tmp_path: Path) -> None:
    made = model(helper.make_node(operator, ["x"], ["y"]))
    assert f"its operator {operator} " in refusal(tmp_path / "m.onnx", made)


@pytest.mark.parametrize("domain", ["com.microsoft", "ai.onnx.ml", "Relu"])
def test_operators_of_other_sets_are_refused(domain: str, tmp_path: Path) -> None:
    made = model(helper.make_node("Relu", ["x"], ["y"], domain=domain))
    assert f"its operator {domain}.Relu is not" in refusal(tmp_path / "m.onnx", made)


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_accepted_operators_exist_and_have_no_graphs(operator: str, tmp_path: Path) -> None:
    attributes = onnx.defs.get_schema(operator).attributes.values()
    assert not {attribute.type.name for attribute in attributes} & {"GRAPH", "GRAPHS", "TYPE_PROTO"}
    made = model(helper.make_node(operator, ["x"], ["y"], domain="ai.onnx"))
    assert refusal(tmp_path / "m.onnx", made) == ""


def test_ordinary_operators_and_weights_pass(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    conv = helper.make_node("Conv", ["x", "w"], ["y"], pads=[2, 2], strides=[1])
    slices = helper.make_node("Slice", ["x"], ["y"], ends=[(1 << 63) - 1])
    onnx.save(model(conv, slices, initializers=(weight(),)), path)
    read_model(path)


@pytest.mark.parametrize("excess", [0, 1])
def test_limits_are_exact(excess: int, tmp_path: Path) -> None:
    conv = helper.make_node("Conv", ["x"], ["y"], pads=[4096 + excess])
    axes = weights(data_type=1, dims=[1] * (16 + excess), raw_data=b"1234")
    # A tensor of 100 bytes: 2 for its type, 3 for its one length, 3 for its name, 92 for the data's field.
    dims = weights(data_type=1, dims=[400 + excess], raw_data=bytes(90))
    assert len(dims.graph.initializer[0].SerializeToString()) == 100
    for made in (model(conv), axes, dims, pads_in_a_row(4096 + excess), pads_in_a_row(1, 4096 + excess)):
        assert bool(refusal(tmp_path / "m.onnx", made)) == bool(excess)


def test_an_empty_file_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.touch()
    with pytest.raises(ModelDamagedError, match="empty") as caught:
        read_model(path)
    assert caught.value.model == str(path)


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_pass_or_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(content)
    with suppress(ModelDamagedError):
        read_model(path)


def test_the_documents_list_the_accepted_operators() -> None:
    text = (Path(__file__).parents[3] / "docs" / "robustness.md").read_text("utf-8")
    section = text.partition("## Operators that a model may use")[2].partition("\n## ")[0]
    listed = section.strip().rpartition("\n\n")[2]
    assert listed.replace("\n", " ") == ", ".join(f"`{name}`" for name in sorted(OPERATORS)) + "."
