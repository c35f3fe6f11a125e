"""The messages of an ONNX file: which fields they have, and which of those a network of magnitudes may use.

References:
    onnx, `onnx/onnx.proto`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(Enum):
    """What a field holds."""

    INT32 = "a number of 32 bits, not negative"
    INT64 = "a number of 64 bits"
    FLOAT = "a float"
    TEXT = "text"
    BYTES = "bytes"
    NUMBERS = "numbers in one row of bytes"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message."""

    name: str
    kind: Kind | Message
    repeated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A message of the format."""

    name: str
    fields: Mapping[int, Field]
    """By number."""
    refused: Mapping[int, str]
    """Fields that no network of magnitudes needs, by number: what to say about them."""
    alternatives: frozenset[int] = frozenset()
    """Fields of which only one can be set."""


def _texts(name: str) -> Field:
    return Field(name, Kind.TEXT, repeated=True)


_GRAPH_WITHIN: Final = "it has a graph within its graph"
_SPARSE: Final = "it has sparse weights"
_TYPES: Final = "it has values other than tensors"
_FUNCTIONS: Final = "it defines functions"
_DEVICES: Final = "it assigns operators to devices"
_EXTERNAL: Final = "its weights are in another file"

_ENTRY: Final = Message(
    "StringStringEntryProto", {1: Field("key", Kind.TEXT), 2: Field("value", Kind.TEXT)}, {}
)
_ENTRIES: Final = Field("metadata_props", _ENTRY, repeated=True)
_OPERATOR_SET: Final = Message(
    "OperatorSetIdProto", {1: Field("domain", Kind.TEXT), 2: Field("version", Kind.INT64)}, {}
)
_DIMENSION: Final = Message(
    "TensorShapeProto.Dimension",
    {
        1: Field("dim_value", Kind.INT64),
        2: Field("dim_param", Kind.TEXT),
        3: Field("denotation", Kind.TEXT),
    },
    {},
    alternatives=frozenset({1, 2}),
)
_SHAPE: Final = Message("TensorShapeProto", {1: Field("dim", _DIMENSION, repeated=True)}, {})
_TENSOR_TYPE: Final = Message(
    "TypeProto.Tensor", {1: Field("elem_type", Kind.INT32), 2: Field("shape", _SHAPE)}, {}
)
_TYPE: Final = Message(
    "TypeProto",
    {1: Field("tensor_type", _TENSOR_TYPE), 6: Field("denotation", Kind.TEXT)},
    {4: _TYPES, 5: _TYPES, 7: _TYPES, 8: _TYPES, 9: _TYPES},
)
_VALUE: Final = Message(
    "ValueInfoProto",
    {
        1: Field("name", Kind.TEXT),
        2: Field("type", _TYPE),
        3: Field("doc_string", Kind.TEXT),
        4: _ENTRIES,
    },
    {},
)
TENSOR: Final = Message(
    "TensorProto",
    {
        1: Field("dims", Kind.INT64, repeated=True),
        2: Field("data_type", Kind.INT32),
        4: Field("float_data", Kind.NUMBERS),
        5: Field("int32_data", Kind.NUMBERS),
        7: Field("int64_data", Kind.NUMBERS),
        8: Field("name", Kind.TEXT),
        9: Field("raw_data", Kind.BYTES),
        10: Field("double_data", Kind.NUMBERS),
        11: Field("uint64_data", Kind.NUMBERS),
        12: Field("doc_string", Kind.TEXT),
        14: Field("data_location", Kind.INT32),
        16: _ENTRIES,
    },
    {3: "its weights are in segments", 6: "its weights are texts", 13: _EXTERNAL},
)
ATTRIBUTE: Final = Message(
    "AttributeProto",
    {
        1: Field("name", Kind.TEXT),
        2: Field("f", Kind.FLOAT),
        3: Field("i", Kind.INT64),
        4: Field("s", Kind.BYTES),
        5: Field("t", TENSOR),
        7: Field("floats", Kind.FLOAT, repeated=True),
        8: Field("ints", Kind.INT64, repeated=True),
        9: Field("strings", Kind.BYTES, repeated=True),
        10: Field("tensors", TENSOR, repeated=True),
        13: Field("doc_string", Kind.TEXT),
        20: Field("type", Kind.INT32),
    },
    {
        6: _GRAPH_WITHIN, 11: _GRAPH_WITHIN, 14: _TYPES, 15: _TYPES, 21: _FUNCTIONS, 22: _SPARSE,
        23: _SPARSE,
    },
)  # fmt: skip
NODE: Final = Message(
    "NodeProto",
    {
        1: _texts("input"),
        2: _texts("output"),
        3: Field("name", Kind.TEXT),
        4: Field("op_type", Kind.TEXT),
        5: Field("attribute", ATTRIBUTE, repeated=True),
        6: Field("doc_string", Kind.TEXT),
        7: Field("domain", Kind.TEXT),
        9: _ENTRIES,
    },
    {8: _FUNCTIONS, 10: _DEVICES},
)
_QUANTIZATION: Final = Message("TensorAnnotation", {1: Field("tensor_name", Kind.TEXT), 2: _ENTRIES}, {})
_GRAPH: Final = Message(
    "GraphProto",
    {
        1: Field("node", NODE, repeated=True),
        2: Field("name", Kind.TEXT),
        5: Field("initializer", TENSOR, repeated=True),
        10: Field("doc_string", Kind.TEXT),
        11: Field("input", _VALUE, repeated=True),
        12: Field("output", _VALUE, repeated=True),
        13: Field("value_info", _VALUE, repeated=True),
        14: Field("quantization_annotation", _QUANTIZATION, repeated=True),
        16: _ENTRIES,
    },
    {15: _SPARSE},
)
MODEL: Final = Message(
    "ModelProto",
    {
        1: Field("ir_version", Kind.INT64),
        2: Field("producer_name", Kind.TEXT),
        3: Field("producer_version", Kind.TEXT),
        4: Field("domain", Kind.TEXT),
        5: Field("model_version", Kind.INT64),
        6: Field("doc_string", Kind.TEXT),
        7: Field("graph", _GRAPH),
        8: Field("opset_import", _OPERATOR_SET, repeated=True),
        14: _ENTRIES,
    },
    {20: "it can be trained", 25: _FUNCTIONS, 26: _DEVICES},
)
