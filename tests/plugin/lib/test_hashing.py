"""Hashes are those of files; what has no end is refused."""

from __future__ import annotations

import hashlib
import os
import sys
import zlib
from pathlib import Path

import pytest

from stemdock.lib.hashing import file_sha256, files_checksum, files_sha256


def test_the_hash_of_files_is_that_of_their_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"ab" * (5 << 20))
    second.write_bytes(b"c")
    assert file_sha256(second) == hashlib.sha256(b"c").hexdigest()
    assert files_sha256([first, second]) == hashlib.sha256(b"ab" * (5 << 20) + b"c").hexdigest()


@pytest.mark.timeout(20)
@pytest.mark.skipif(sys.platform == "win32", reason="no pipes with names")
def test_a_pipe_or_a_device_has_no_hash(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError, match=r"not a file|directory"):
            file_sha256(path)


def test_hashing_can_be_stopped(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        file_sha256(tmp_path / "file", stop)


def test_a_checksum_is_that_of_all_files_one_after_the_other(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode() * 1000)
    whole = zlib.crc32(b"a" * 1000 + b"b" * 1000)
    assert files_checksum([tmp_path / "a", tmp_path / "b"]) == f"{whole:08x}"
