"""A model cut into parts that can run side by side.

A model holds a network for each stem, and most have only the mixture in common. With a thread for each
network less is wasted than with all threads at every layer, where each waits for the slowest.

Nothing is computed here: nodes and weights are told apart by who needs them, and copied as they are.

References:
    onnx, `onnx/onnx.proto`.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from stemdock.inference.protobuf import as_message, field_header, integer_field, read_fields

if TYPE_CHECKING:
    from pathlib import Path

# Numbers of the fields that are looked at.
_MODEL_GRAPH: Final = 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_OUTPUT = 1, 5, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR = 1, 2, 4
_TENSOR_NAME, _VALUE_NAME = 8, 1

Pieces: TypeAlias = Sequence[bytes | memoryview]
"""What adds up to an ONNX file."""


def split_model(path: Path, n_parts: int) -> Sequence[Pieces]:
    """Cuts a model between its networks, as many to each part.

    Args:
        path: A model file that `stemdock.inference.vetting` has found in order.
        n_parts: How many parts to make.

    Returns:
        Models that each take the mixture, and make other stems than the others; they refer to the file's
        bytes. Empty if the networks do not come out even, or need one another.

    Raises:
        FormatError: It is no ONNX model.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        model = _Model(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
    networks = model.networks_of(model.outputs)
    size, rest = divmod(len(networks), n_parts)
    if rest or not size:
        return ()
    groups = [networks[first : first + size] for first in range(0, len(networks), size)]
    stems = [
        [name for name in model.outputs if set(model.networks_of([name])) <= set(group)] for group in groups
    ]
    return [model.part(names) for names in stems] if sum(map(len, stems)) == len(model.outputs) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    content: memoryview
    inputs: Sequence[str]
    outputs: Sequence[str]


class _Model:
    """A model file, taken apart.

    Attributes:
        outputs: Names of the stems.
    """

    def __init__(self, content: memoryview) -> None:
        self.outputs: list[str] = []
        self._around: list[bytes | memoryview] = []
        """Fields of the model that are not its graph."""
        self._within: list[tuple[int, int | memoryview]] = []
        """Fields of the graph that are not nodes."""
        self._nodes: list[_Node] = []
        """None comes before what it needs, as ONNX has it."""
        self._networks: dict[str, frozenset[int]] = {}
        """For each tensor, which networks it needs, each told by the number of its first node."""
        for number, value in read_fields(content):
            if number == _MODEL_GRAPH:
                self._read_graph(as_message(value))
            else:
                self._around += _field(number, value)

    def _read_graph(self, graph: memoryview) -> None:
        for number, value in read_fields(graph):
            if number == _GRAPH_NODE:
                self._read_node(as_message(value))
            else:
                self._within.append((number, value))
            if number == _GRAPH_OUTPUT:
                self.outputs += _texts(value, _VALUE_NAME)

    def _read_node(self, content: memoryview) -> None:
        node = _Node(
            content=content, inputs=_texts(content, _NODE_INPUT), outputs=_texts(content, _NODE_OUTPUT)
        )
        networks = frozenset(self.networks_of(node.inputs))
        # Where nothing has been convolved yet, a network begins.
        if not networks and _texts(content, _NODE_OPERATOR) == ["Conv"]:
            networks = frozenset([len(self._nodes)])
        self._networks.update(dict.fromkeys(node.outputs, networks))
        self._nodes.append(node)

    def networks_of(self, tensors: Sequence[str]) -> Sequence[int]:
        """The networks that tensors need, in order."""
        return sorted(frozenset[int]().union(*(self._networks.get(name, ()) for name in tensors)))

    def part(self, outputs: Sequence[str]) -> Pieces:
        """The model that makes these outputs and nothing else."""
        needed = set(outputs)
        nodes: list[_Node] = []
        for node in reversed(self._nodes):
            if needed.intersection(node.outputs):
                nodes.append(node)
                needed.update(node.inputs)
        graph: list[bytes | memoryview] = []
        for node in reversed(nodes):
            graph += _field(_GRAPH_NODE, node.content)
        names = {_GRAPH_INITIALIZER: _TENSOR_NAME, _GRAPH_OUTPUT: _VALUE_NAME}
        for number, value in self._within:
            if number not in names or needed.intersection(_texts(value, names[number])):
                graph += _field(number, value)
        return [*self._around, field_header(_MODEL_GRAPH, sum(map(len, graph))), *graph]


def _field(number: int, value: int | memoryview) -> Pieces:
    """A field, its content not copied."""
    return (
        [integer_field(number, value)]
        if isinstance(value, int)
        else [field_header(number, len(value)), value]
    )


def _texts(message: int | memoryview, wanted: int) -> list[str]:
    """The texts in a message's fields of that number, in order."""
    return [
        bytes(as_message(value)).decode("utf-8", "replace")
        for number, value in read_fields(as_message(message))
        if number == wanted
    ]
