"""Checkpoints as TensorFlow writes them, written without TensorFlow, for tests."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import google_crc32c
import numpy as np

from stemdock_export.unet import describe_network

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from stemdock_export.config import SpleeterConfig

DATA_TYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "float16": 19}
"""TensorFlow's numbers for them."""
_RESTART_INTERVAL = 16


def seeded_values(config: SpleeterConfig) -> dict[str, NDArray[np.float32]]:
    """Weights for a configuration, as lively as trained ones."""
    random = np.random.default_rng(7)
    values = {}
    for variable in describe_network(config).variables():
        name, shape = variable.name, variable.shape
        if name.endswith("kernel"):
            value = random.normal(size=shape) * np.sqrt(2 / (shape[0] * shape[1] * min(shape[2:])))
        elif name.endswith(("gamma", "variance")):
            value = random.uniform(0.5, 1.5, shape)
        else:
            value = random.normal(size=shape) * 0.1
        values[name] = value.astype(np.float32)
    return values


def write_bundle(
    directory: Path, values: Mapping[str, NDArray[np.generic]], *, n_shards: int = 1, block_length: int = 4096
) -> Path:
    """Writes a checkpoint called `model` into a folder, which is returned."""
    directory.mkdir(parents=True, exist_ok=True)
    names = sorted(values, key=str.encode)
    records = [(b"", field(1, n_shards) + field(3, field(1, 1)))]
    for shard in range(n_shards):
        with (directory / f"model.data-{shard:05}-of-{n_shards:05}").open("wb") as file:
            for name in names[shard::n_shards]:
                value = values[name]
                content = value.tobytes()
                place = {"shard": shard, "offset": file.tell(), "size": len(content)}
                entry = bundle_entry(
                    DATA_TYPES[str(value.dtype)], value.shape, **place, crc32c=masked(content)
                )
                records.append((name.encode(), entry))
                file.write(content)
    (directory / "model.index").write_bytes(table(sorted(records), block_length))
    (directory / "checkpoint").write_text('model_checkpoint_path: "model"\n', encoding="utf-8")
    return directory


def bundle_entry(
    dtype: int, shape: Iterable[int], *, shard: int = 0, offset: int = 0, size: int, crc32c: int
) -> bytes:
    axes = b"".join(field(2, field(1, length)) for length in shape)
    entry = field(1, dtype) + field(2, axes)
    # Protobuf leaves out what is zero.
    for number, value in ((3, shard), (4, offset), (5, size)):
        entry += field(number, value) if value else b""
    return entry + bytes([6 << 3 | 5]) + struct.pack("<I", crc32c)


def field(number: int, value: int | bytes) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def table(records: Iterable[tuple[bytes, bytes]], block_length: int = 4096, *, compression: int = 0) -> bytes:
    """A table of sorted records in LevelDB's format."""
    content = bytearray()
    index: list[tuple[bytes, bytes]] = []

    def append(entries: list[tuple[bytes, bytes]]) -> bytes:
        block = _block(entries) + bytes([compression])
        handle = varint(len(content)) + varint(len(block) - 1)
        content.extend(block + struct.pack("<I", masked(block)))
        return handle

    pending: list[tuple[bytes, bytes]] = []
    for record in records:
        pending.append(record)
        if sum(len(key) + len(value) for key, value in pending) >= block_length:
            index.append((record[0], append(pending)))
            pending = []
    if pending:
        index.append((pending[-1][0], append(pending)))
    footer = append([]) + append(index)
    return bytes(content) + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def _block(records: list[tuple[bytes, bytes]]) -> bytes:
    content, restarts, last = bytearray(), [], b""
    for position, (key, value) in enumerate(records):
        shared = 0
        if position % _RESTART_INTERVAL == 0:
            restarts.append(len(content))
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        content += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    restarts = restarts or [0]
    return bytes(content) + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def masked(content: bytes) -> int:
    """Checksum as it is stored."""
    crc: int = google_crc32c.value(content)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(value: int) -> bytes:
    content = bytearray()
    while value >= 0x80:
        content.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*content, value])
