"""Splits a model into parts that can run side by side.

A model contains a network for each stem. Most of these networks share only the mixture. One thread for each
network wastes less time than all threads at every layer, where each thread waits for the slowest.

Nothing is computed here: nodes and weights are sorted by the stems that need them, and kept as they are.

References:
    onnx, `onnx/onnx.proto`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stemdock.inference.onnx_file import texts_of
from stemdock.inference.protobuf import as_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.inference.onnx_file import Field, OnnxModel

# Numbers of the fields that are read.
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_OUTPUT = 1, 5, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR = 1, 2, 4
_TENSOR_NAME, _VALUE_NAME = 8, 1


def split_model(model: OnnxModel, n_parts: int) -> Sequence[OnnxModel]:
    """Splits a model between its networks, the same number in each part.

    Args:
        model: The model.
        n_parts: How many parts to make.

    Returns:
        Models that all take the mixture, and of which each makes other stems. Empty if the networks cannot
        be divided evenly, or depend on one another.

    Raises:
        FormatError: The graph is damaged.
    """
    graph = _Graph(model)
    networks = graph.networks_of(graph.outputs)
    size, rest = divmod(len(networks), n_parts)
    if rest or not size:
        return ()
    groups = [networks[first : first + size] for first in range(0, len(networks), size)]
    stems = [
        [name for name in graph.outputs if set(graph.networks_of([name])) <= set(group)] for group in groups
    ]
    if sum(map(len, stems)) != len(graph.outputs):
        return ()
    return [
        replace(graph.part(names), variant=model.variant_with(f"part {number} of {n_parts}"))
        for number, names in enumerate(stems)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    content: memoryview
    inputs: Sequence[str]
    outputs: Sequence[str]


class _Graph:
    """The graph of a model, and which networks its nodes belong to.

    Attributes:
        outputs: Names of the stems.
    """

    def __init__(self, model: OnnxModel) -> None:
        self.outputs: list[str] = []
        self._model = model
        self._others: list[Field] = []
        """Fields of the graph that are not nodes."""
        self._nodes: list[_Node] = []
        """Each follows the nodes that it needs, as ONNX demands."""
        self._networks: dict[str, frozenset[int]] = {}
        """For each tensor the networks that it needs, each identified by the number of its first node."""
        for number, value in model.graph:
            if number == _GRAPH_NODE:
                self._add_node(as_message(value))
            else:
                self._others.append((number, value))
            if number == _GRAPH_OUTPUT:
                self.outputs += texts_of(value, _VALUE_NAME)

    def _add_node(self, content: memoryview) -> None:
        node = _Node(
            content=content, inputs=texts_of(content, _NODE_INPUT), outputs=texts_of(content, _NODE_OUTPUT)
        )
        networks = frozenset(self.networks_of(node.inputs))
        # The first convolution begins a network.
        if not networks and texts_of(content, _NODE_OPERATOR) == ["Conv"]:
            networks = frozenset([len(self._nodes)])
        self._networks.update(dict.fromkeys(node.outputs, networks))
        self._nodes.append(node)

    def networks_of(self, tensors: Sequence[str]) -> Sequence[int]:
        """The networks that tensors need, in order."""
        return sorted(frozenset[int]().union(*(self._networks.get(name, ()) for name in tensors)))

    def part(self, outputs: Sequence[str]) -> OnnxModel:
        """The model that makes only these outputs."""
        needed = set(outputs)
        nodes: list[_Node] = []
        for node in reversed(self._nodes):
            if needed.intersection(node.outputs):
                nodes.append(node)
                needed.update(node.inputs)
        names = {_GRAPH_INITIALIZER: _TENSOR_NAME, _GRAPH_OUTPUT: _VALUE_NAME}
        graph: list[Field] = [(_GRAPH_NODE, node.content) for node in reversed(nodes)]
        graph += [
            (number, value)
            for number, value in self._others
            if number not in names or needed.intersection(texts_of(value, names[number]))
        ]
        return replace(self._model, graph=graph)
