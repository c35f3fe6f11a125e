"""Changes the graph and the card of a model; the file remains a valid message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import onnx

from fuzz.mutation import any_json, any_number, any_text, mutated, mutated_json
from stemdock.card import INPUT_NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_OPERATORS: Final = (
    "Add",
    "Conv",
    "ConvTranspose",
    "Reshape",
    "Transpose",
    "Concat",
    "Identity",
    "Elu",
    "Tile",
    "Expand",
    "ConstantOfShape",
    "Pad",
    "Resize",
    "Range",
    "NonZero",
    "Loop",
    "If",
    "Gather",
    "RandomNormal",
    "MatMul",
    "Cast",
    "Unknown",
    "",
    "com.microsoft.FusedConv",
)
_ELSEWHERE: Final = ("../../secret", "/etc/passwd", "/dev/zero", "song.wav", "", ".", "a" * 5000, "\0")


def change(rng: Random, model: Any) -> None:
    """Makes one change."""
    rng.choice(_CHANGES)(rng, model)


def _integer(rng: Random) -> int:
    while True:
        number = any_number(rng)
        if isinstance(number, int) and abs(number) < 1 << 63:
            return number


def _text(rng: Random) -> str:
    return any_text(rng).encode("utf-8", "ignore").decode()


def _card(rng: Random, model: Any) -> None:
    if model.metadata_props:
        entry = rng.choice(model.metadata_props)
        kind = rng.random()
        if kind < 0.1:
            entry.key = _text(rng)
        elif kind < 0.5:
            entry.value = mutated_json(rng, any_json(rng)).decode("utf-8", "ignore")
        else:
            try:
                old = json.loads(entry.value)
            except (ValueError, RecursionError):
                old = 1  # already damaged
            entry.value = mutated_json(rng, old).decode("utf-8", "ignore")


def _sizes(rng: Random, model: Any) -> None:
    """Sets the same extreme size in the card and in the graph."""
    key, axis = rng.choice(
        (("n_frames", 1), ("n_bins", 2), ("n_channels", 3), ("frame_length", None), ("sample_rate", None))
    )
    size = rng.choice((64, 1 << 20, 1 << 30, 1 << 40, (1 << 62), 0, -64, _integer(rng)))
    for entry in model.metadata_props:
        if entry.key == f"stemdock.{key}":
            entry.value = str(size)
        if key == "frame_length" and entry.key == "stemdock.hop_length":
            entry.value = str(size // 4)
    if axis is not None:
        for value in (*model.graph.input, *model.graph.output):
            value.type.tensor_type.shape.dim[axis].dim_value = max(min(size, (1 << 63) - 1), -(1 << 63))


def _stem_names(rng: Random, model: Any) -> None:
    """Renames a stem in the card and in the graph."""
    name = rng.choice(
        ("../escaped", "/escaped/x", "a/b", "..", "\n", "\x1b[2J", "", " ", "x" * 300, "voice", _text(rng))
    )
    output = model.graph.output[0]
    for node in model.graph.node:
        node.output[:] = [name if each == output.name else each for each in node.output]
    for entry in model.metadata_props:
        if entry.key == "stemdock.stems":
            entry.value = json.dumps([name, *(each.name for each in model.graph.output[1:])])
    output.name = name


def _graph_shape(rng: Random, model: Any) -> None:
    value = rng.choice([*model.graph.input, *model.graph.output])
    axis = rng.choice(value.type.tensor_type.shape.dim)
    if rng.random() < 0.5:
        axis.dim_value = _integer(rng)
    else:
        axis.dim_param = _text(rng)


def _weights(rng: Random, model: Any) -> None:
    tensor = rng.choice(model.graph.initializer)
    kind = rng.randrange(4)
    if kind == 0 and tensor.dims:
        tensor.dims[rng.randrange(len(tensor.dims))] = _integer(rng)
    elif kind == 1:
        tensor.data_type = rng.randrange(30)
    elif kind == 2:
        tensor.raw_data = mutated(rng, tensor.raw_data)
    else:
        tensor.dims.extend([_integer(rng)] * rng.choice((1, 3, 300)))


def _external(rng: Random, model: Any) -> None:
    tensor = rng.choice(model.graph.initializer)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    if rng.random() < 0.7:
        tensor.ClearField("raw_data")
    entries = {"location": rng.choice(_ELSEWHERE), "offset": str(_integer(rng)), "length": str(_integer(rng))}
    for key in rng.sample(list(entries), rng.randint(1, 3)):
        tensor.external_data.add(key=key, value=entries[key].encode("utf-8", "ignore").decode())


def _node(rng: Random, model: Any) -> None:
    if not model.graph.node:
        return
    place = rng.randrange(len(model.graph.node))
    node = model.graph.node[place]
    kind = rng.randrange(6)
    if kind == 0:
        node.op_type = rng.choice(_OPERATORS)
    elif kind == 1:
        del model.graph.node[place]
    elif kind == 2:
        model.graph.node.add().CopyFrom(node)
    elif kind == 3 and node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice([*node.output, "", "nowhere", INPUT_NAME])
    elif kind == 4 and node.attribute:
        attribute = rng.choice(node.attribute)
        if attribute.ints:
            attribute.ints[rng.randrange(len(attribute.ints))] = _integer(rng)
        else:
            attribute.i = _integer(rng)
    else:
        node.domain = rng.choice(("com.microsoft", "ai.onnx.ml", "nowhere", ""))


def _bomb(rng: Random, model: Any) -> None:
    """Adds an operator with an output of extreme size before the first output."""
    output = model.graph.output[0].name
    size = rng.choice((1 << 10, 1 << 28, 1 << 31, 1 << 40))
    make = onnx.helper
    shape = make.make_tensor("bomb/shape", onnx.TensorProto.INT64, [1], [size])
    model.graph.initializer.append(shape)
    kind = rng.randrange(4)
    if kind == 0:
        nodes = [make.make_node("ConstantOfShape", ["bomb/shape"], ["bomb"])]
    elif kind == 1:
        one = make.make_tensor("bomb/one", onnx.TensorProto.FLOAT, [1], [1.0])
        model.graph.initializer.append(one)
        nodes = [make.make_node("Expand", ["bomb/one", "bomb/shape"], ["bomb"])]
    elif kind == 2:
        nodes = [make.make_node("RandomNormal", [], ["bomb"], shape=[size])]
    else:
        count = make.make_tensor("bomb/count", onnx.TensorProto.INT64, [], [size])
        start = make.make_tensor("bomb/start", onnx.TensorProto.FLOAT, [1], [1.0])
        yes = make.make_tensor("bomb/yes", onnx.TensorProto.BOOL, [], [True])
        model.graph.initializer.extend([count, start, yes])
        info = make.make_tensor_value_info
        body = make.make_graph(
            [make.make_node("Identity", ["going"], ["on"]), make.make_node("Sin", ["value"], ["next"])],
            "body",
            [
                info("turn", onnx.TensorProto.INT64, []),
                info("going", onnx.TensorProto.BOOL, []),
                info("value", onnx.TensorProto.FLOAT, [1]),
            ],
            [info("on", onnx.TensorProto.BOOL, []), info("next", onnx.TensorProto.FLOAT, [1])],
        )
        nodes = [make.make_node("Loop", ["bomb/count", "bomb/yes", "bomb/start"], ["bomb"], body=body)]
    nodes += [
        make.make_node("ReduceMean", ["bomb"], ["bomb/mean"], keepdims=0),
        make.make_node("Add", ["bomb/output", "bomb/mean"], [output]),
    ]
    for node in model.graph.node:
        node.output[:] = ["bomb/output" if each == output else each for each in node.output]
    model.graph.node.extend(nodes)


def _versions(rng: Random, model: Any) -> None:
    if rng.random() < 0.5:
        model.ir_version = _integer(rng)
    else:
        model.opset_import[0].version = _integer(rng)


def _nesting(rng: Random, model: Any) -> None:
    """Nests graphs as deeply as the writer allows."""
    graph = model.graph
    for _ in range(rng.choice((2, 30, 90))):
        node = graph.node.add(op_type="If", name="deep", input=["x"], output=["y"])
        attribute = node.attribute.add(name="then_branch", type=onnx.AttributeProto.GRAPH)
        graph = attribute.g


_CHANGES: Final[tuple[Callable[[Random, Any], None], ...]] = (
    _card,
    _card,
    _sizes,
    _stem_names,
    _graph_shape,
    _weights,
    _weights,
    _external,
    _node,
    _node,
    _bomb,
    _versions,
    _nesting,
)
