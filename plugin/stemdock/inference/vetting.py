"""A look into a model file before a runtime gets it.

A runtime believes a graph: it opens the files that weights are said to be in, runs loops for as long as
they are told to, and allots what an operator asks for. None of it is needed by a network that makes
estimates of magnitudes, so it is refused. What a graph of ordinary operators costs is not looked into.

References:
    onnx, `onnx/onnx.proto`.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Final

from stemdock.errors import ModelDamagedError
from stemdock.inference.protobuf import FormatError, as_message, read_fields, read_varint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Numbers of the fields that are looked at.
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
"""Operators that make as much as a number tells them to."""
_LENGTHS: Final = frozenset(
    {b"dilations", b"kernel_shape", b"output_padding", b"output_shape", b"pads", b"shape", b"strides"}
)
"""Attributes that sizes depend on."""
_MAX_LENGTH: Final = 4096
"""Of those; 512 frames by 1024 bins are what Spleeter's networks see."""


def check_graph(path: Path) -> None:
    """Refuses a model that would have a runtime do what no model of Stemdock's needs.

    Raises:
        ModelDamagedError: It refers to other files, has loops or other graphs within its graph, has an
            operator that can ask for any amount of memory, or is no ONNX file.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        try:
            # Mapped, so that weights are passed over without being read. Not to be closed here: parts of
            # it are still in the hands of an exception when there is one.
            view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            reason = next(_faults(view), "")
        except FormatError as error:
            reason = f"it {error}"
        except ValueError:
            reason = "it is empty"
    if reason:
        raise ModelDamagedError(
            str(path),
            f"no usable ONNX model ({reason})",
            remedy="Use a model that `plugin-cli export` wrote; if it did, export it again.",
        )


def _faults(model: memoryview) -> Iterator[str]:
    for field, value in read_fields(model):
        if field == _MODEL_GRAPH:
            yield from _graph_faults(as_message(value))
        elif field in {_MODEL_TRAINING, _MODEL_FUNCTIONS}:
            yield "it has functions of its own"


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
                yield f"it has the operator {operator}, which can ask for any amount of memory or time"
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
            # A list of integers may also come in one piece, which is a row of varints.
            lengths.extend(_integers(as_message(value)))
        elif field in _ATTRIBUTE_GRAPHS:
            yield "it has a graph within its graph"
        elif field in {_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS}:
            yield from _tensor_faults(as_message(value))
    # Negative ones are large here.
    if name in _LENGTHS and any(length > _MAX_LENGTH for length in lengths):
        yield f"its {name.decode()} are out of all proportion"


def _tensor_faults(tensor: memoryview) -> Iterator[str]:
    for field, value in read_fields(tensor):
        if field == _TENSOR_EXTERNAL or (field == _TENSOR_LOCATION and value != 0):
            yield "its weights are said to be in another file"


def _integers(row: memoryview) -> Iterator[int]:
    position = 0
    while position < len(row):
        value, position = read_varint(row, position)
        yield value
