from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemdock.lib.array_file import ArrayFile
from stemdock.lib.hashing import files_sha256


class DiskError(Exception):
    pass


def open_full() -> IO[bytes]:
    return Path("/dev/full").open("r+b", buffering=0)


@given(lengths=st.lists(st.integers(0, 300), min_size=1), n_rows=st.integers(1, 200))
def test_values_come_back_in_blocks_of_any_length(lengths: list[int], n_rows: int) -> None:
    rng = np.random.default_rng(0)
    blocks = [rng.standard_normal((length, 2)).astype(np.float32) for length in lengths]
    with ArrayFile(None, DiskError) as file:
        for block in blocks:
            file.append(block)
        for _ in range(2):
            file.rewind()
            read = []
            while len(rows := file.read(n_rows, 2)):
                assert rows.shape[1:] == (2,)
                read.append(rows)
            assert all(len(rows) == n_rows for rows in read[:-1])
            np.testing.assert_array_equal(np.concatenate([*read, np.zeros((0, 2))]), np.concatenate(blocks))


def test_arrays_of_other_kinds_become_float32() -> None:
    array = np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)
    with ArrayFile(None, DiskError) as file:
        file.append(array)
        file.rewind()
        np.testing.assert_array_equal(file.read(4, 2, 3), array.astype(np.float32))


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    with ArrayFile(tmp_path, DiskError) as file:
        file.append(np.zeros(100_000))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: open_full())
    with ArrayFile(None, DiskError) as file, pytest.raises(DiskError, match="No space"):
        file.append(np.zeros(10))


def test_values_that_a_full_disk_could_not_take_do_not_hide_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def close(self) -> None:
            raise OSError(28, os.strerror(28))

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    with pytest.raises(ZeroDivisionError), ArrayFile(None, DiskError):
        _ = 1 / 0


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="No such file"):
        ArrayFile(tmp_path / "missing", DiskError)


def test_the_hash_of_several_files_is_that_of_their_contents_joined(tmp_path: Path) -> None:
    contents = [b"a" * 10_000_000, b"", b"bc"]
    paths = [tmp_path / str(number) for number in range(3)]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    assert files_sha256(paths) == hashlib.sha256(b"".join(contents)).hexdigest()
