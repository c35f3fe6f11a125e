"""Checkpoints read without TensorFlow: intact, of other kinds, and damaged."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stemdock_export.bundle import Bundle
from stemdock_export.checkpoint import find_checkpoint
from stemdock_export.errors import CheckpointError, FormatError
from stemdock_export.table import read_table
from support.tf_bundle import bundle_entry, field, masked, table, varint, write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

VALUES: dict[str, NDArray[Any]] = {
    "conv2d/bias": np.arange(3, dtype=np.float32),
    "conv2d/kernel": np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 3, 4),
    "conv2d_1/bias": np.array([np.nan, -np.inf], np.float32),
    "empty": np.zeros((0, 4), np.float32),
    "global_step": np.array(7, np.int64),
    "rate": np.array(0.5, np.float32),
}
HEADER = field(1, 1) + field(3, field(1, 1))
FLOATS = [name for name, value in VALUES.items() if value.dtype == np.float32]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "checkpoint", VALUES, block_length=40)


def open_bundle(folder: Path) -> Bundle:
    return Bundle(find_checkpoint(folder))


def read_all(folder: Path) -> dict[str, bytes]:
    bundle = open_bundle(folder)
    return {name: bundle.read(name).tobytes() for name in FLOATS}


def test_tensors_are_read_bit_for_bit(folder: Path) -> None:
    bundle = open_bundle(folder)
    assert bundle.shapes == {name: value.shape for name, value in VALUES.items()}
    for name in FLOATS:
        value = bundle.read(name)
        assert value.dtype == np.float32
        assert value.shape == VALUES[name].shape
        assert value.tobytes() == VALUES[name].tobytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    shapes=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
        st.lists(st.integers(0, 5), max_size=4),
        max_size=40,
    ),
    n_shards=st.integers(1, 4),
    block_length=st.integers(1, 500),
)
def test_all_tensors_that_are_written_are_read(
    tmp_path: Path, shapes: dict[str, list[int]], n_shards: int, block_length: int
) -> None:
    random = np.random.default_rng(0)
    values = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    shutil.rmtree(tmp_path)
    bundle = open_bundle(write_bundle(tmp_path, values, n_shards=n_shards, block_length=block_length))
    assert bundle.shapes.keys() == values.keys()
    assert all(np.array_equal(bundle.read(name), value) for name, value in values.items())


@pytest.mark.parametrize("name", ["4stems-narrow", "5stems-narrow"])
def test_spleeter_s_own_checkpoints_are_read_completely(data: Path, name: str) -> None:
    # Every checksum is right, and the tensors cover the whole data file.
    folder = data / "checkpoints" / name
    bundle = open_bundle(folder)
    names = bundle.shapes.keys() - {"global_step"}
    assert bundle.shapes["global_step"] == ()
    assert (
        sum(bundle.read(each).nbytes for each in names) + 8
        == (folder / "model.data-00000-of-00001").stat().st_size
    )


@pytest.mark.export
def test_tensorflow_reads_the_same(data: Path, tmp_path: Path) -> None:
    from stemdock_export.extra import import_tensorflow  # noqa: PLC0415

    load = import_tensorflow().train.load_checkpoint
    theirs = data / "checkpoints" / "4stems-narrow"
    ours = write_bundle(tmp_path, {name: VALUES[name] for name in FLOATS}, n_shards=2, block_length=40)
    for folder in (theirs, ours):
        reader, bundle = load(str(folder / "model")), open_bundle(folder)
        shapes = reader.get_variable_to_shape_map()
        assert bundle.shapes == {name: tuple(shape) for name, shape in shapes.items()}
        for name in bundle.shapes.keys() - {"global_step"}:
            assert np.asarray(reader.get_tensor(name)).tobytes() == bundle.read(name).tobytes()


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[bytes], bytes]], None]:
    """Reads a checkpoint with one changed file: it is refused, or the tensors are the same."""
    folder = write_bundle(tmp_path_factory.mktemp("fuzzed"), VALUES, block_length=40)
    expected = read_all(folder)

    def check(file: str, change: Callable[[bytes], bytes]) -> None:
        path = folder / f"model.{file}"
        content = path.read_bytes()
        path.write_bytes(change(content))
        try:
            assert read_all(folder) == expected
        except CheckpointError as error:
            assert error.remedy  # noqa: PT017  either outcome is right
        finally:
            path.write_bytes(content)

    return check


FILES = st.sampled_from(["index", "data-00000-of-00001"])


@pytest.mark.slow
@given(file=FILES, position=st.integers(0, 10**6), mask=st.integers(1, 255))
@settings(max_examples=500, deadline=None)
def test_a_changed_byte_does_no_harm(fuzzed: Any, file: str, position: int, mask: int) -> None:
    def change(content: bytes) -> bytes:
        place = position % len(content)
        return content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :]

    fuzzed(file, change)


@pytest.mark.slow
@given(file=FILES, start=st.integers(0, 10**6), length=st.integers(1, 10**6), fill=st.binary(max_size=20))
@settings(max_examples=500, deadline=None)
def test_a_lost_or_replaced_part_does_no_harm(
    fuzzed: Any, file: str, start: int, length: int, fill: bytes
) -> None:
    def change(content: bytes) -> bytes:
        place = start % len(content)
        return content[:place] + fill + content[place + length :]

    fuzzed(file, change)


@given(
    blocks=st.lists(st.binary(max_size=80), max_size=4),
    handles=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=6),
)
@example(blocks=[b"\0\1\0a" + b"\0\0\0\0\1\0\0\0"], handles=[(0, 12), (0, 12)])
def test_any_blocks_are_a_table_or_refused(blocks: list[bytes], handles: list[tuple[int, int]]) -> None:
    # The checksums are right, so that the checks behind them are reached.
    content = b""
    places = []
    for block in blocks:
        places.append(varint(len(content)) + varint(len(block)))
        content += block + b"\0" + masked(block + b"\0").to_bytes(4, "little")
    places += [varint(offset) + varint(length) for offset, length in handles]
    try:
        keys = [key for key, _ in read_table(content + index(places, len(content)))]
    except FormatError:
        return
    assert keys == sorted(set(keys))


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        (b"\0\1\x50a", "an entry is cut off"),
        (b"\0\x80", "an entry is cut off"),
        (b"\0" + b"\xff" * 10 + b"\1", "a number is too large"),
        (b"\1\1\0a", "a key has an invalid length"),
    ],
)
def test_a_block_with_an_invalid_entry_is_refused(entries: bytes, reason: str) -> None:
    block = entries + (0).to_bytes(4, "little") + (1).to_bytes(4, "little") + b"\0"
    content = block + masked(block).to_bytes(4, "little")
    places = [varint(0) + varint(len(block) - 1)]
    with pytest.raises(FormatError, match=reason):
        list(read_table(content + index(places, len(content))))


def index(places: list[bytes], offset: int) -> bytes:
    """The index block of a table and its footer, to be put behind `offset` bytes of data blocks."""
    entries = b"".join(
        b"\0\1" + varint(len(place)) + bytes([position]) + place for position, place in enumerate(places)
    )
    block = entries + (0).to_bytes(4, "little") + (1).to_bytes(4, "little") + b"\0"
    footer = b"\0\0" + varint(offset) + varint(len(block) - 1)
    magic = (0xDB4775248B80FB57).to_bytes(8, "little")
    return block + masked(block).to_bytes(4, "little") + footer.ljust(40, b"\0") + magic


@given(message=st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_entry_is_read_or_refused(folder: Path, message: bytes) -> None:
    (folder / "model.index").write_bytes(table([(b"", HEADER), (b"x", message)]))
    with suppress(CheckpointError):
        assert open_bundle(folder).read("x").nbytes <= 200


def entry(**changes: Any) -> bytes:
    value = VALUES["conv2d/bias"]
    values = {"dtype": 1, "shape": value.shape, "size": value.nbytes, "crc32c": masked(value.tobytes())}
    return bundle_entry(**{**values, **changes})


@pytest.mark.parametrize("unknown", [field(99, b"text"), field(4, b"text"), field(2, 5)])
def test_unknown_fields_are_ignored(folder: Path, unknown: bytes) -> None:
    # As every protobuf reader does, TensorFlow's included, also for fields of another wire type.
    (folder / "model.index").write_bytes(table([(b"", HEADER), (b"x", entry() + unknown)]))
    assert np.array_equal(open_bundle(folder).read("x"), VALUES["conv2d/bias"])


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (entry(dtype=2), "tensor x is not float32"),
        (entry(dtype=7), "tensor x is not float32"),
        (entry(crc32c=1), "tensor x is damaged: its checksum is wrong"),
        (entry(shard=1), "tensor x is in a data file that does not exist"),
        (entry(shape=(4,)), "tensor x has 12 bytes, which does not match its shape"),
        (entry(shape=(2**63, 2**63), size=0), "tensor x has 0 bytes"),
        (entry(shape=[2**64 - 1]), "tensor x has 12 bytes"),
        (entry(shape=[2**60], size=2**62), "tensor x is beyond its end"),
        (entry(offset=2**64 - 8), "tensor x is beyond its end"),
        (entry(shape=[1] * 300), "a tensor has too many axes"),
        (entry() + field(7, b""), "tensor x is stored in pieces"),
        (entry()[:-1], "an entry is damaged"),
        (entry() + b"\x20" + b"\xff" * 11, "an entry is damaged"),
    ],
)
def test_an_unreadable_tensor_is_named(folder: Path, message: bytes, reason: str) -> None:
    (folder / "model.index").write_bytes(table([(b"", HEADER), (b"x", message)]))
    with pytest.raises(CheckpointError) as caught:
        open_bundle(folder).read("x")
    assert reason in str(caught.value)
    assert caught.value.path in {folder / "model.index", folder / "model.data-00000-of-00001"}


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (b"", "cut off, or not an index"),
        (b"PK" * 500, "cut off, or not an index"),
        (table([(b"", HEADER)])[:-1], "cut off, or not an index"),
        (table([(b"", HEADER)], compression=1), "is compressed"),
        (table([(b"", field(1, 3))]), "lists 3 data files, but there are 1"),
        (table([(b"x", entry())]), "lists 0 data files, but there are 1"),
        (table([(b"", HEADER + field(2, 1))]), "big-endian"),
        (table([(b"", field(1, 1) + field(3, field(2, 2)))]), "its format is newer"),
        (table([(b"", HEADER), (b"y", b""), (b"x", b"")]), "keys are not in order"),
        (table([(b"", HEADER), (b"x", b""), (b"x", b"")]), "keys are not in order"),
        (table([(b"", HEADER), (b"x" * 2000, b"")]), "a key has an invalid length"),
        (table([(b"", HEADER), (b"x", b"0" * (1 << 20))]), "larger than 1048576 bytes"),
    ],
)
def test_an_unreadable_index_says_why(folder: Path, index: bytes, reason: str) -> None:
    (folder / "model.index").write_bytes(index)
    with pytest.raises(CheckpointError) as caught:
        open_bundle(folder)
    assert reason in str(caught.value)
    assert caught.value.path == folder / "model.index"


def test_a_cut_off_data_file_is_named(folder: Path) -> None:
    path = folder / "model.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:50])
    bundle = open_bundle(folder)
    assert np.array_equal(bundle.read("conv2d/bias"), VALUES["conv2d/bias"])
    with pytest.raises(CheckpointError, match="the file is cut off: tensor conv2d/kernel is beyond its end"):
        bundle.read("conv2d/kernel")


def test_a_file_that_vanishes_is_reported(folder: Path) -> None:
    bundle = open_bundle(folder)
    (folder / "model.data-00000-of-00001").unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        bundle.read("rate")


def test_partitioned_variables_are_refused_by_name(folder: Path) -> None:
    # As TensorFlow writes them: the tensor has slices instead of data, and each slice has a binary key.
    whole = field(1, 1) + field(2, field(2, field(1, 6))) + field(7, b"") + field(7, b"")
    records = [(b"", HEADER), (b"\0v\0\x01\xff", entry()), (b"v", whole)]
    (folder / "model.index").write_bytes(table(records))
    bundle = open_bundle(folder)
    assert bundle.shapes["v"] == (6,)
    with pytest.raises(CheckpointError, match="tensor v is stored in pieces"):
        bundle.read("v")


def test_an_unknown_name_is_a_key_error(folder: Path) -> None:
    with pytest.raises(KeyError):
        open_bundle(folder).read("nothing")
