"""Tidies the graphs that tf2onnx makes: no idle nodes, an exact sigmoid, and a stable order."""

from __future__ import annotations

from typing import Any, Final

from stemdock_export.extra import import_extra

_ONE: Final = "one"


def drop_idle_reshapes(model: Any) -> None:
    """Removes every Reshape whose input already has the target shape, in place.

    tf2onnx leaves them at the last decoder level, whose single channel it moves from one axis order
    to the other and back.
    """
    onnx = import_extra("onnx")
    graph = model.graph
    inferred = onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in inferred.value_info
    }
    constants = {constant.name: constant for constant in graph.initializer}
    replaced: dict[str, str] = {}
    for node in list(graph.node):
        for position, name in enumerate(node.input):
            node.input[position] = replaced.get(name, name)
        if node.op_type != "Reshape" or node.input[1] not in constants:
            continue
        target = onnx.numpy_helper.to_array(constants[node.input[1]]).tolist()
        n_unknown = sum(length <= 0 for length in target)
        # Only the number of segments is variable (0 or -1).
        if n_unknown <= 1 and [max(length, 0) for length in target] == shapes.get(node.input[0]):
            replaced[node.output[0]] = node.input[0]
            graph.node.remove(node)


def spell_out_sigmoids(model: Any) -> None:
    """Replaces every Sigmoid by `1 / (1 + exp(-x))`, which is more exact in onnxruntime, in place.

    onnxruntime's Sigmoid is an approximation that reaches 0 well before the logistic function does. A
    ratio mask divides the estimates by their sum. Where all stems have tiny estimates, the masks would
    therefore be arbitrary: a network of four stems reaches 56 to 67 dB against Spleeter's output with
    Sigmoid, and more than 100 dB with this formula.
    """
    onnx = import_extra("onnx")
    node, graph = onnx.helper.make_node, model.graph
    nodes = list(graph.node)
    graph.ClearField("node")
    for each in nodes:
        if each.op_type != "Sigmoid":
            graph.node.append(each)
            continue
        (source,), (target,) = each.input, each.output
        negative, power, total = (f"{target}/{part}" for part in ("negative", "power", "total"))
        for op_type, inputs, output in (
            ("Neg", [source], negative),
            ("Exp", [negative], power),
            ("Add", [power, _ONE], total),
            ("Reciprocal", [total], target),
        ):
            graph.node.append(node(op_type, inputs, [output], name=each.name))
    if len(graph.node) > len(nodes):
        graph.initializer.append(onnx.helper.make_tensor(_ONE, onnx.TensorProto.FLOAT, [], [1.0]))


def sort_graph(model: Any) -> None:
    """Orders nodes stem by stem and constants by first use, and removes unused constants, in place.

    tf2onnx's order changes from run to run, but the same checkpoint must give the same file.
    """
    graph = model.graph
    producers = {name: node for node in graph.node for name in node.output}
    nodes: list[Any] = []
    used: dict[str, None] = {}
    visited: set[str] = set()

    def visit(name: str) -> None:
        if name not in producers:
            used.setdefault(name)
            return
        node = producers[name]
        if node.output[0] not in visited:
            visited.add(node.output[0])
            for source in node.input:
                visit(source)
            nodes.append(node)

    for value in graph.output:
        visit(value.name)
    constants = {constant.name: constant for constant in graph.initializer}
    kept = [constants[name] for name in used if name in constants]
    for field, values in (("node", nodes), ("initializer", kept)):
        copies = [type(value).FromString(value.SerializeToString()) for value in values]
        graph.ClearField(field)
        getattr(graph, field).extend(copies)
