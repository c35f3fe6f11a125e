"""Checks a model file before a runtime gets it.

A runtime trusts a graph: it opens the files that the graph names, runs its loops to the end, and allocates
what an operator requests. A network that estimates magnitudes needs none of this, so it is refused. The
cost of a graph of ordinary operators is not checked.

References:
    onnx, `onnx/onnx.proto`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock.inference.protobuf import as_message, read_fields, read_varint

if TYPE_CHECKING:
    from collections.abc import Iterator

# Numbers of the fields that are read.
_MODEL_GRAPH, _MODEL_TRAINING, _MODEL_FUNCTIONS = 7, 20, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_OPERATOR, _NODE_ATTRIBUTE = 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_INTEGER, _ATTRIBUTE_INTEGERS = 1, 3, 8
_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS = 5, 10
_ATTRIBUTE_GRAPHS: Final = frozenset({6, 11, 22, 23})
"""Graphs within graphs and sparse tensors."""
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14

_GROWING: Final = frozenset(
    {
        "ConstantOfShape", "EyeLike", "Expand", "If", "Loop", "OneHot", "Pad", "RandomNormal",
        "RandomUniform", "Range", "Resize", "Scan", "SequenceMap", "Tile", "Upsample",
    }
)  # fmt: skip
"""Operators whose output can have any size, whatever the size of the input."""
_LENGTHS: Final = frozenset(
    {b"dilations", b"kernel_shape", b"output_padding", b"output_shape", b"pads", b"shape", b"strides"}
)
"""Attributes that determine sizes."""
_MAX_LENGTH: Final = 4096
"""Largest value of those. The input of Spleeter's networks has 512 frames by 1024 bins."""


def find_fault(model: memoryview) -> str:
    """Looks for parts that a runtime must not get.

    Args:
        model: Content of a model file.

    Returns:
        The first fault; empty if there is none. Faults are references to other files, loops or graphs within
        the graph, and operators that can request any amount of memory.

    Raises:
        FormatError: The content is not an ONNX model.
    """
    return next(_faults(model), "")


def _faults(model: memoryview) -> Iterator[str]:
    for field, value in read_fields(model):
        if field == _MODEL_GRAPH:
            yield from _graph_faults(as_message(value))
        elif field in {_MODEL_TRAINING, _MODEL_FUNCTIONS}:
            yield "it defines functions"


def _graph_faults(graph: memoryview) -> Iterator[str]:
    for field, value in read_fields(graph):
        if field == _GRAPH_INITIALIZER:
            yield from _tensor_faults(as_message(value))
        elif field == _GRAPH_NODE:
            yield from _node_faults(as_message(value))
        elif field == _GRAPH_SPARSE:
            yield "it has sparse weights"


def _node_faults(node: memoryview) -> Iterator[str]:
    for field, value in read_fields(node):
        if field == _NODE_OPERATOR:
            operator = bytes(as_message(value)).decode("utf-8", "replace")
            if operator in _GROWING:
                yield f"its operator {operator} can request any amount of memory or time"
        elif field == _NODE_ATTRIBUTE:
            yield from _attribute_faults(as_message(value))


def _attribute_faults(attribute: memoryview) -> Iterator[str]:
    name = b""
    lengths: list[int] = []
    for field, value in read_fields(attribute):
        if field == _ATTRIBUTE_NAME:
            name = bytes(as_message(value))
        elif field in {_ATTRIBUTE_INTEGER, _ATTRIBUTE_INTEGERS} and isinstance(value, int):
            lengths.append(value)
        elif field == _ATTRIBUTE_INTEGERS:
            # A list of integers can also be one field, a row of varints.
            lengths.extend(_integers(as_message(value)))
        elif field in _ATTRIBUTE_GRAPHS:
            yield "it has a graph within its graph"
        elif field in {_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS}:
            yield from _tensor_faults(as_message(value))
    # Negative ones are large here.
    if name in _LENGTHS and any(length > _MAX_LENGTH for length in lengths):
        yield f"its attribute {name.decode()!r} exceeds the limit of {_MAX_LENGTH}"


def _tensor_faults(tensor: memoryview) -> Iterator[str]:
    for field, value in read_fields(tensor):
        if field == _TENSOR_EXTERNAL or (field == _TENSOR_LOCATION and value != 0):
            yield "its weights are in another file"


def _integers(row: memoryview) -> Iterator[int]:
    position = 0
    while position < len(row):
        value, position = read_varint(row, position)
        yield value
