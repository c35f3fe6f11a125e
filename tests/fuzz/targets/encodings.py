"""Writes a model in unusual encodings, and compares what Stemdock and onnxruntime read."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import onnx
from google.protobuf.descriptor import FieldDescriptor
from onnx import TensorProto, helper

from fuzz.case import Target
from stemdock.errors import ModelDamagedError
from support.onnx_views import computation, onnx_view, runtime_reading, stemdock_message, stemdock_view
from support.tf_bundle import varint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from random import Random

_FILE: Final = "encoded.onnx"
_VARINT, _FIXED64, _BYTES, _GROUP, _END, _FIXED32 = range(6)
_WIRE_TYPES: Final = {
    FieldDescriptor.TYPE_INT32: _VARINT,
    FieldDescriptor.TYPE_INT64: _VARINT,
    FieldDescriptor.TYPE_UINT64: _VARINT,
    FieldDescriptor.TYPE_ENUM: _VARINT,
    FieldDescriptor.TYPE_FLOAT: _FIXED32,
    FieldDescriptor.TYPE_DOUBLE: _FIXED64,
}
_UNARY: Final = ("Abs", "Relu", "Elu", "Sigmoid", "Tanh", "Neg", "Exp", "Identity", "Softplus", "Sqrt")
_BINARY: Final = ("Add", "Mul", "Sub", "Max", "Min")


def damage(rng: Random, corpus: Path, folder: Path) -> None:  # noqa: ARG001  a target's signature
    """Writes a random model whose encoding is unusual in none, one or several places."""
    content = encoded(rng, random_model(rng), n_faults=rng.choice((0, 0, 0, 1, 1, 2, 4)))
    if rng.random() < 0.02:
        content = content[: rng.randrange(len(content))]
    (folder / _FILE).write_bytes(content)


def run(place: Any) -> None:
    """Compares the readers, if Stemdock and onnxruntime accept the model."""
    content = (place.input / _FILE).read_bytes()
    found = stemdock_view(place.input / _FILE)
    try:
        expected, loaded = runtime_reading(content)
    except Exception as error:
        # There is nothing to compare. The cases that count are those that load.
        raise ModelDamagedError(_FILE, str(error)[:80], remedy="None.") from error
    assert found == expected, f"{found} is not {expected}"
    assert found == onnx_view(content)
    model = onnx.load_from_string(content)
    assert stemdock_message(place.input / _FILE) == model
    assert computation(loaded) == computation(model)


def random_model(rng: Random) -> Any:
    """A small graph of elementwise operators and convolutions, with some of everything optional."""
    make = helper
    nodes, weights, current = [], [], "x"
    for number in range(rng.randint(1, 5)):
        output = f"t{number}"
        kind = rng.randrange(4)
        if kind == 0:
            nodes.append(make.make_node(rng.choice(_UNARY), [current], [output], name=f"n{number}"))
        elif kind == 1:
            nodes.append(make.make_node(rng.choice(_BINARY), [current, rng.choice(["x", current])], [output]))
        elif kind == 2:
            weights.append(_weights(rng, f"w{number}", [2, 2, 1, 1]))
            nodes.append(
                make.make_node(
                    "Conv", [current, f"w{number}"], [output], pads=[0] * 4, strides=[1, 1], group=1
                )
            )
        else:
            nodes.append(
                make.make_node("LeakyRelu", [current], [output], alpha=rng.random(), doc_string="leaky")
            )
        current = output
    info = make.make_tensor_value_info
    shape = [rng.choice(["batch", 1]), 2, 4, 4]
    graph = make.make_graph(
        nodes,
        "graph",
        [info("x", TensorProto.FLOAT, shape)],
        [info(current, TensorProto.FLOAT, shape)],
        weights,
        doc_string=rng.choice(["", "text"]),
    )
    model = make.make_model(
        graph,
        opset_imports=[make.make_opsetid(rng.choice(["", "ai.onnx"]), 17)],
        ir_version=8,
        producer_name=rng.choice(["", "tests", "ORTM"]),
        doc_string=rng.choice(["", "text", "ä" * 100]),
    )
    make.set_model_props(model, {f"key{number}": "v" * number for number in range(rng.randrange(4))})
    return model


def _weights(rng: Random, name: str, dims: Sequence[int]) -> Any:
    tensor = helper.make_tensor(name, TensorProto.FLOAT, dims, [rng.random() for _ in range(4)])
    return (
        onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor), name)
        if rng.random() < 0.5
        else tensor
    )


def encoded(rng: Random, model: Any, *, n_faults: int) -> bytes:
    """A model in an encoding that protobuf allows, apart from this number of fields."""
    encoder = _Encoder(rng)
    n_fields = encoder.message(model, [])[1]
    content, _ = encoder.message(model, [rng.randrange(n_fields) for _ in range(n_faults)])
    return content


class _Encoder:
    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def message(self, message: Any, places: list[int], first: int = 0) -> tuple[bytes, int]:
        """A message, and the number of fields so far. Fields at these places get a fault."""
        pieces_of_fields: list[bytes] = []
        count = first
        for descriptor, value in message.ListFields():
            values = list(value) if _is_repeated(descriptor) else [value]
            pieces = []
            wire_type = _WIRE_TYPES.get(descriptor.type, _BYTES)
            packs = _is_repeated(descriptor) and wire_type != _BYTES
            if packs and (_is_packed(descriptor) or self._rng.random() < 0.3):
                row = b"".join(_scalar(descriptor, each) for each in values)
                pieces.append(self._field(descriptor.number, _BYTES, row, count in places))
                count += 1
            else:
                for each in values:
                    place = count
                    count += 1
                    if descriptor.message_type:
                        content, count = self.message(each, places, count)
                    else:
                        content = _scalar(descriptor, each)
                    pieces.append(self._field(descriptor.number, wire_type, content, place in places))
            pieces_of_fields.append(b"".join(pieces))
        if self._rng.random() < 0.5:
            self._rng.shuffle(pieces_of_fields)  # fields can come in any order
        return b"".join(pieces_of_fields), count

    def _field(self, number: int, wire_type: int, content: bytes, faulty: bool) -> bytes:
        if faulty:
            return self._rng.choice(_FAULTS)(self._rng, number, wire_type, content)
        return _plain(number, wire_type, content)


def _scalar(descriptor: Any, value: Any) -> bytes:
    if descriptor.type == FieldDescriptor.TYPE_STRING:
        return str(value).encode()
    if descriptor.type == FieldDescriptor.TYPE_BYTES:
        return bytes(value)
    if descriptor.type == FieldDescriptor.TYPE_FLOAT:
        return struct.pack("<f", value)
    if descriptor.type == FieldDescriptor.TYPE_DOUBLE:
        return struct.pack("<d", value)
    return varint(int(value) % (1 << 64))


def _plain(number: int, wire_type: int, content: bytes) -> bytes:
    return _with_tag(varint(number << 3 | wire_type), wire_type, content)


def _longer(encoded: bytes, n_more: int) -> bytes:
    """A varint in more bytes than it needs."""
    return encoded[:-1] + bytes([encoded[-1] | 0x80]) + b"\x80" * (n_more - 1) + b"\0"


def _with_tag(tag: bytes, wire_type: int, content: bytes) -> bytes:
    length = varint(len(content)) if wire_type == _BYTES else b""
    return bytes(tag + length + content)


def _high_tag(rng: Random, number: int, wire_type: int, content: bytes) -> bytes:
    high = rng.choice((1 << 32, 1 << 33, 1 << 34, 7 << 32, 1 << 35, 1 << 40))
    return _with_tag(varint(high | number << 3 | wire_type), wire_type, content)


def _long_tag(rng: Random, number: int, wire_type: int, content: bytes) -> bytes:
    return _with_tag(_longer(varint(number << 3 | wire_type), rng.randint(1, 6)), wire_type, content)


def _long_number(rng: Random, number: int, wire_type: int, content: bytes) -> bytes:
    tag = varint(number << 3 | wire_type)
    if wire_type == _BYTES:
        return tag + _longer(varint(len(content)), rng.randint(1, 4)) + content
    return tag + (_longer(content, rng.randint(1, 3)) if wire_type == _VARINT else content)


def _high_number(rng: Random, number: int, wire_type: int, content: bytes) -> bytes:
    """A number with bits above those of its type."""
    if wire_type != _VARINT:
        return _plain(number, wire_type, content)
    value = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(content))
    return _plain(
        number, wire_type, varint(value | rng.choice((1 << 32, 1 << 40, 1 << 63, 1 << 64, 1 << 69)))
    )


def _twice(rng: Random, number: int, wire_type: int, content: bytes) -> bytes:
    """The field, and the same field with another value before or after it."""
    other = {_VARINT: b"\x01", _FIXED32: bytes(4), _FIXED64: bytes(8)}.get(
        wire_type, rng.choice((b"", content, content[: len(content) // 2]))
    )
    pieces = [_plain(number, wire_type, content), _plain(number, wire_type, other)]
    rng.shuffle(pieces)
    return b"".join(pieces)


def _in_two(rng: Random, number: int, wire_type: int, content: bytes) -> bytes:
    """A message in two fields, which a reader joins."""
    if wire_type != _BYTES:
        return _plain(number, wire_type, content)
    cut = rng.randint(0, len(content))
    return _plain(number, wire_type, content[:cut]) + _plain(number, wire_type, content[cut:])


def _unknown(rng: Random, number: int, wire_type: int, content: bytes) -> bytes:
    extra = rng.choice((17, 18, 19, 27, 99, 1000, (1 << 29) - 1))
    return _plain(number, wire_type, content) + _plain(extra, rng.choice((_VARINT, _BYTES)), b"\x01")


def _zero(rng: Random, number: int, wire_type: int, content: bytes) -> bytes:
    pieces = [_plain(number, wire_type, content), rng.choice((b"\0", b"\0\0", b"\x02\0", b"\x80\0"))]
    rng.shuffle(pieces)
    return b"".join(pieces)


def _group(rng: Random, number: int, wire_type: int, content: bytes) -> bytes:
    inside = _plain(number, wire_type, content)
    around = rng.choice((number, 99))
    group = varint(around << 3 | _GROUP) + inside + varint(around << 3 | _END)
    return group + (inside if rng.random() < 0.5 else b"")


def _other_type(rng: Random, number: int, wire_type: int, content: bytes) -> bytes:
    other = rng.choice((_VARINT, _FIXED64, _BYTES, _FIXED32))
    body = {_VARINT: b"\x01", _FIXED64: bytes(8), _FIXED32: bytes(4)}.get(other, content)
    extra = _plain(number, other, body)
    return extra + (_plain(number, wire_type, content) if rng.random() < 0.7 else b"")


def _no_text(rng: Random, number: int, wire_type: int, content: bytes) -> bytes:
    bad = rng.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\0"))
    return _plain(number, wire_type, content + bad if wire_type == _BYTES else content)


_FAULTS: Final[tuple[Callable[[Random, int, int, bytes], bytes], ...]] = (
    _high_tag,
    _long_tag,
    _long_number,
    _high_number,
    _twice,
    _in_two,
    _unknown,
    _zero,
    _group,
    _other_type,
    _no_text,
)

TARGET: Final = Target(build=lambda _: None, damage=damage, run=run)


def _is_repeated(descriptor: Any) -> bool:
    """Whether a field is a list. Older versions of protobuf have a label, which newer ones warn of."""
    repeated = getattr(descriptor, "is_repeated", None)
    return bool(descriptor.label == descriptor.LABEL_REPEATED if repeated is None else repeated)


def _is_packed(descriptor: Any) -> bool:
    """Whether a list of numbers is one field. Older versions of protobuf have an option instead."""
    packed = getattr(descriptor, "is_packed", None)
    return bool(descriptor.GetOptions().packed if packed is None else packed)
