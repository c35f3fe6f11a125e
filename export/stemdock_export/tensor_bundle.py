"""The protobuf messages in a checkpoint's index, with the fields that matter here.

They are described at run time, since TensorFlow's generated classes would need TensorFlow. Integers are
declared unsigned: negative sizes, which are invalid, then become too large for any file.

References:
    tensorflow, `core/protobuf/tensor_bundle.proto`, `core/framework/tensor_shape.proto` and
    `core/framework/versions.proto`.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from stemdock_export.errors import FormatError

_PACKAGE: Final = "tensor_bundle"
_UINT64, _FIXED32 = FieldDescriptorProto.TYPE_UINT64, FieldDescriptorProto.TYPE_FIXED32
_BYTES, _MESSAGE = FieldDescriptorProto.TYPE_BYTES, FieldDescriptorProto.TYPE_MESSAGE
_MESSAGES: Final = {
    "Versions": (("min_consumer", 2, _UINT64),),
    "Header": (("num_shards", 1, _UINT64), ("endianness", 2, _UINT64), ("version", 3, "Versions")),
    "Dim": (("size", 1, _UINT64),),
    "Shape": (("dim", 2, "Dim"),),
    "Entry": (
        ("dtype", 1, _UINT64),
        ("shape", 2, "Shape"),
        ("shard_id", 3, _UINT64),
        ("offset", 4, _UINT64),
        ("size", 5, _UINT64),
        ("crc32c", 6, _FIXED32),
        ("slices", 7, _BYTES),
    ),
}
"""Name, number and type of the fields; a text is the name of another message."""
_REPEATED: Final = frozenset({"dim", "slices"})


def parse_header(content: bytes) -> Any:
    """A `BundleHeaderProto`, which describes the whole checkpoint.

    Raises:
        FormatError: The bytes are not such a message.
    """
    return _parse("Header", content)


def parse_entry(content: bytes) -> Any:
    """A `BundleEntryProto`, which describes one tensor.

    Raises:
        FormatError: The bytes are not such a message.
    """
    return _parse("Entry", content)


def _parse(message: str, content: bytes) -> Any:
    try:
        return _classes()[message].FromString(content)
    except DecodeError as error:
        raise FormatError("an entry is damaged") from error


@cache
def _classes() -> dict[str, Any]:
    file = FileDescriptorProto(name=f"{_PACKAGE}.proto", package=_PACKAGE, syntax="proto3")
    for message, fields in _MESSAGES.items():
        descriptor = file.message_type.add(name=message)
        for name, number, kind in fields:
            field = descriptor.field.add(name=name, number=number)
            field.label = field.LABEL_REPEATED if name in _REPEATED else field.LABEL_OPTIONAL
            if isinstance(kind, str):
                field.type, field.type_name = _MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = kind
    # A pool of its own does not clash with the messages that TensorFlow registers.
    pool = DescriptorPool()
    pool.Add(file)
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES}
