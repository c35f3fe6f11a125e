"""Checks a model file before a runtime gets it.

A runtime trusts a graph: it opens the files that the graph names, runs its loops to the end, and allocates
what an operator requests. A network that estimates magnitudes needs none of this, so only known fields of
the format and known operators are accepted. The cost of a graph of these operators is not checked.

The runtime reads the file with another reader of protobuf. Both must see the same model. So everything is
refused that they could read in different ways: unknown fields, fields of another type, and repetitions of
a field that can have only one value.
"""

from __future__ import annotations

from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from stemdock.inference.onnx_format import ATTRIBUTE, MODEL, NODE, TENSOR, Kind, Message
from stemdock.inference.operators import OPERATORS
from stemdock.inference.protobuf import (
    BYTES,
    FIXED32,
    VARINT,
    FormatError,
    read_fields,
    read_typed_fields,
    read_varint,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from stemdock.inference.onnx_format import Field

Content: TypeAlias = bytes | memoryview
Values: TypeAlias = "Mapping[int, Sequence[int | Content]]"
"""Values of a message's fields by number."""

# Numbers of the fields that are read.
_NODE_OPERATOR, _NODE_DOMAIN = 4, 7
_ATTRIBUTE_NAME, _ATTRIBUTE_INTEGER, _ATTRIBUTE_INTEGERS = 1, 3, 8
_TENSOR_DIMS, _TENSOR_LOCATION = 1, 14
_MODEL_METADATA, _ENTRY_KEY = 14, 1

_SMALL: Final = 4096
"""Bytes. A message below this size is copied, since bytes are read twice as fast as a view."""
_STANDARD_DOMAINS: Final = frozenset({b"", b"ai.onnx"})
"""Names of ONNX's own set of operators."""
_LENGTHS: Final = frozenset(
    {b"dilations", b"kernel_shape", b"output_padding", b"output_shape", b"pads", b"shape", b"strides"}
)
"""Attributes that determine sizes."""
_MAX_LENGTH: Final = 4096
"""Largest value of those. The input of Spleeter's networks has 512 frames by 1024 bins."""
_MAX_AXES: Final = 16
"""Of a tensor of weights. Spleeter's have four at most."""
_MOST_PER_BYTE: Final = 4
"""Elements of a tensor in one byte of the file: the smallest type of ONNX has two bits."""
_WIRE_TYPES: Final[Mapping[Kind, int]] = MappingProxyType(
    {
        Kind.INT32: VARINT,
        Kind.INT64: VARINT,
        Kind.FLOAT: FIXED32,
        Kind.TEXT: BYTES,
        Kind.BYTES: BYTES,
        Kind.NUMBERS: BYTES,
    }
)


class _FaultError(Exception):
    """A part that a runtime must not get. The message is a sentence about the file."""


def find_fault(model: memoryview) -> str:
    """Looks for parts that a runtime must not get.

    Args:
        model: Content of a model file.

    Returns:
        The first fault; empty if there is none. Faults are parts that the format does not define, references
        to other files, graphs within the graph, and operators that are not in
        `stemdock.inference.operators`.

    Raises:
        FormatError: The content is not an ONNX model.
    """
    try:
        _check_message(model, MODEL)
    except _FaultError as fault:
        return str(fault)
    return ""


def _check_message(content: Content, message: Message) -> None:
    values: dict[int, list[int | Content]] = {}
    for number, wire_type, value in read_typed_fields(content):
        field = message.fields.get(number)
        if field is None:
            raise _FaultError(
                message.refused.get(number, f"its {message.name} has an unknown field {number}")
            )
        if number not in values:
            values[number] = [value]
        elif field.repeated:
            values[number].append(value)
        else:
            raise _FaultError(f"its {message.name} has several values for {field.name}")
        kind = field.kind
        if not isinstance(kind, Message):
            _check_value(field, kind, wire_type, value)
        elif isinstance(value, int):
            raise FormatError(f"has a field {field.name} of another type")
        else:
            _check_message(bytes(value) if len(value) < _SMALL else value, kind)
    if len(message.alternatives & values.keys()) > 1:
        raise _FaultError(f"its {message.name} has several values for one")
    rule = _RULES.get(message.name)
    if rule:
        rule(content, values)


def _check_value(field: Field, kind: Kind, wire_type: int, value: int | Content) -> None:
    expected = _WIRE_TYPES[kind]
    # Lists of numbers can also be one field, a row of numbers.
    if wire_type != expected and not (wire_type == BYTES and field.repeated):
        raise FormatError(f"has a field {field.name} of another type")
    if kind is Kind.TEXT:
        try:
            str(value, "utf-8")  # type: ignore[arg-type]
        except UnicodeDecodeError as error:
            raise FormatError(f"has a field {field.name} that is not text") from error
    elif kind is Kind.INT32 and isinstance(value, int) and value >> 31:
        raise FormatError(f"has a field {field.name} that is too large")


def _check_model(_: Content, values: Values) -> None:
    entries = [
        dict(read_fields(bytes(entry)))
        for entry in values.get(_MODEL_METADATA, ())
        if not isinstance(entry, int)
    ]
    if len({entry.get(_ENTRY_KEY, b"") for entry in entries}) < len(entries):
        raise _FaultError("its metadata have several values for one name")


def _check_node(_: Content, values: Values) -> None:
    operator, domain = (_text(values, number) for number in (_NODE_OPERATOR, _NODE_DOMAIN))
    standard = domain in _STANDARD_DOMAINS
    if not (standard and operator in _OPERATOR_NAMES):
        name = (operator if standard else domain + b"." + operator).decode()
        raise _FaultError(f"its operator {name} is not one of those that Stemdock accepts")


def _check_attribute(_: Content, values: Values) -> None:
    name = _text(values, _ATTRIBUTE_NAME)
    if name in _LENGTHS:
        for number in (_ATTRIBUTE_INTEGER, _ATTRIBUTE_INTEGERS):
            # Negative ones are large here.
            if any(length > _MAX_LENGTH for length in _integers(values.get(number, ()))):
                raise _FaultError(f"its attribute {name.decode()!r} exceeds the limit of {_MAX_LENGTH}")


def _check_tensor(content: Content, values: Values) -> None:
    if any(values.get(_TENSOR_LOCATION, ())):
        raise _FaultError("its weights are in another file")
    dims = list(_integers(values.get(_TENSOR_DIMS, ())))
    # Negative ones are large here.
    if len(dims) > _MAX_AXES or prod(dims) > _MOST_PER_BYTE * len(content):
        raise _FaultError("its weights are incomplete")


_OPERATOR_NAMES: Final = frozenset(name.encode() for name in OPERATORS)
_RULES: Final[Mapping[str, Callable[[Content, Values], None]]] = MappingProxyType(
    {
        MODEL.name: _check_model,
        NODE.name: _check_node,
        ATTRIBUTE.name: _check_attribute,
        TENSOR.name: _check_tensor,
    }
)


def _text(values: Values, number: int) -> bytes:
    """The value of a field that can have one."""
    return next((bytes(value) for value in values.get(number, ()) if not isinstance(value, int)), b"")


def _integers(values: Iterable[int | Content]) -> Iterator[int]:
    """Integers, each in a field of its own or in a row."""
    for value in values:
        if isinstance(value, int):
            yield value
            continue
        position = 0
        while position < len(value):
            integer, position = read_varint(value, position)
            yield integer
