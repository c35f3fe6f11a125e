"""A graph of onnx whose nodes are replaced by others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from onnx import ModelProto, NodeProto


class EditedGraph:
    """The graph of a model. Its nodes stay as they are found until `finish`.

    Attributes:
        is_changed: Whether a node was removed.
    """

    def __init__(self, model: ModelProto) -> None:
        self.is_changed = False
        self._graph = model.graph
        self._makers = {output: node for node in model.graph.node for output in node.output}
        self._users: dict[str, list[NodeProto]] = {}
        for node in model.graph.node:
            for name in node.input:
                self._users.setdefault(name, []).append(node)
        self._weights = {weight.name: weight for weight in model.graph.initializer}
        self._removed: set[str] = set()
        """First outputs of nodes."""
        self._added: list[NodeProto] = []
        self._renamed: dict[str, str] = {}

    @property
    def nodes(self) -> Sequence[NodeProto]:
        """The nodes as they were found, each after those that it needs."""
        return list(self._graph.node)

    def maker(self, tensor: str, kind: str = "") -> NodeProto | None:
        """The node that makes a tensor, if there is one with this operator."""
        node = self._makers.get(tensor)
        return node if node is not None and kind in {"", node.op_type} else None

    def users(self, tensor: str) -> Sequence[NodeProto]:
        """The nodes that take a tensor."""
        return self._users.get(tensor, ())

    def user(self, tensor: str, *kinds: str) -> NodeProto | None:
        """The only node that takes a tensor, if it has one of these operators."""
        users = self.users(tensor)
        return users[0] if len(users) == 1 and users[0].op_type in kinds else None

    def weights(self, tensor: str) -> np.ndarray:
        """The values of a weight that is in the graph."""
        values: np.ndarray = numpy_helper.to_array(self._weights[tensor])
        return values

    def add_weights(self, name: str, values: np.ndarray) -> str:
        """Adds a weight; returns its name."""
        self._graph.initializer.append(numpy_helper.from_array(values, name))
        return name

    def add(self, kind: str, inputs: Sequence[str], output: str, domain: str = "", **attributes: Any) -> str:
        """Adds a node; returns its output."""
        self._added.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def add_copy(self, node: NodeProto, source: str, output: str) -> str:
        """Adds a node with the operator and attributes of another, for another tensor; returns its output."""
        self._added.append(helper.make_node(node.op_type, [source], [output], domain=node.domain))
        self._added[-1].attribute.extend(node.attribute)
        return output

    def remove(self, *nodes: NodeProto) -> None:
        """Removes nodes."""
        self.is_changed = True
        self._removed |= {node.output[0] for node in nodes}

    def replace(self, nodes: Iterable[NodeProto], tensor: str) -> None:
        """Removes nodes, and gives their users another tensor."""
        for node in nodes:
            self._renamed[node.output[0]] = tensor
            self.remove(node)

    def finish(self) -> None:
        """Changes the model: each node follows those that it needs, and what nobody uses is gone.

        Raises:
            ValueError: A node needs itself, or a tensor that no node makes.
        """
        graph = self._graph
        nodes = [node for node in self.nodes if node.output[0] not in self._removed] + self._added
        for node in nodes:
            for number, name in enumerate(node.input):
                node.input[number] = self._renamed.get(name, name)
        needed: set[str] = set()
        outputs = {output.name for output in graph.output}
        while needed != (needed := outputs.union(*(node.input for node in nodes))):
            nodes = [node for node in nodes if needed.intersection(node.output)]
        weights = [weight for weight in graph.initializer if weight.name in needed]
        del graph.initializer[:], graph.node[:]
        graph.initializer.extend(weights)
        known = {"", *(each.name for each in graph.input), *(weight.name for weight in weights)}
        while nodes:
            ready = [node for node in nodes if known.issuperset(node.input)]
            if not ready:
                raise ValueError("a node needs a tensor that does not exist before it")
            graph.node.extend(ready)
            known.update(name for node in ready for name in node.output)
            nodes = [node for node in nodes if node.output[0] not in known]


def attribute(node: NodeProto, name: str, default: Any) -> Any:
    """An attribute of a node."""
    for each in node.attribute:
        if each.name == name:
            return helper.get_attribute_value(each)
    return default


def sizes_of(model: ModelProto) -> dict[str, tuple[int, int]]:
    """Frames and bins of the tensors in a Spleeter network, in the plain or the blocked layout."""
    (mixture,) = model.graph.input
    dimensions = [dimension.dim_value for dimension in mixture.type.tensor_type.shape.dim]
    sizes = {mixture.name: (dimensions[1], dimensions[2])}
    for node in model.graph.node:
        size = next((sizes[name] for name in node.input if name in sizes), None)
        if size is None:
            continue
        if node.op_type == "Conv":
            size = _convolved(node, size)
        elif node.op_type in {"DepthToSpace", "ConvTranspose"}:
            size = (2 * size[0], 2 * size[1])
        sizes[node.output[0]] = size
    return sizes


def _convolved(node: NodeProto, size: tuple[int, int]) -> tuple[int, int]:
    """Frames and bins after a convolution."""
    pads, kernel = attribute(node, "pads", [0] * 4), attribute(node, "kernel_shape", [1, 1])
    strides, dilations = attribute(node, "strides", [1, 1]), attribute(node, "dilations", [1, 1])
    rows, columns = (
        (size[axis] + pads[axis] + pads[axis + 2] - dilations[axis] * (kernel[axis] - 1) - 1) // strides[axis]
        + 1
        for axis in range(2)
    )
    return rows, columns
