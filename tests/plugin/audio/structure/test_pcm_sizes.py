"""WAV, Wave64, AIFF, CAF and AU whose headers announce wrong sizes, compared with the samples in the file."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pytest
import soundfile

from stemdock import open_audio
from stemdock.errors import AudioFileError
from support import other_peoples_files as files

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Damage

RATE: Final = 8000
N: Final = 2 * RATE
"""Samples of the file, in stereo."""
BLOCK: Final = 4
"""Bytes of a sample of both channels."""
GUID_END: Final = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Where a format has the size of its samples."""

    mark: bytes
    """What is before the size."""
    n_bytes: int
    """Bytes of the size."""
    order: Literal["big", "little"]
    counted: int = 0
    """What the size counts besides the samples."""
    skipped: int = 0
    """Bytes between the size and the samples."""


HEADERS: Final = {
    "wav": Header(mark=b"data", n_bytes=4, order="little"),
    "w64": Header(mark=b"data" + GUID_END, n_bytes=8, order="little", counted=24),
    "aiff": Header(mark=b"SSND", n_bytes=4, order="big", counted=8, skipped=8),
    "caf": Header(mark=b"data", n_bytes=8, order="big", counted=4, skipped=4),
    "au": Header(mark=b".snd\0\0\0\x18", n_bytes=4, order="big"),
}  # fmt: skip
SAMPLES: Final = np.random.default_rng(0).uniform(-0.5, 0.5, (N, 2)).astype(np.float32)


def intact(folder: Path, kind: str) -> Path:
    path = folder / f"song.{kind}"
    soundfile.write(path, SAMPLES, RATE, subtype="PCM_16", format=kind.upper())
    return path


def announcing(path: Path, size: int | bytes) -> Path:
    """Changes the announced size: bytes of samples, or the field itself."""
    header = HEADERS[path.suffix[1:]]
    data = path.read_bytes()
    start = data.index(header.mark) + len(header.mark)
    if isinstance(size, int):
        size = (size + header.counted).to_bytes(header.n_bytes, header.order)
    path.write_bytes(data[:start] + size + data[start + header.n_bytes :])
    return path


def samples_start(path: Path) -> int:
    header = HEADERS[path.suffix[1:]]
    if path.suffix == ".au":
        return 24
    return path.read_bytes().index(header.mark) + len(header.mark) + header.n_bytes + header.skipped


def read(path: Path) -> tuple[int, list[Damage]]:
    with open_audio(path) as audio:
        return sum(len(block) for block in audio.blocks), audio.damage


@pytest.mark.parametrize("kind", HEADERS)
def test_a_right_size(tmp_path: Path, kind: str) -> None:
    assert read(intact(tmp_path, kind)) == (N, [])


@pytest.mark.parametrize("kind", HEADERS)
def test_a_file_that_is_cut_ends_early(tmp_path: Path, kind: str) -> None:
    path = intact(tmp_path, kind)
    if kind == "caf" and not shutil.which("ffmpeg"):
        pytest.skip("needs ffmpeg")
    path.write_bytes(path.read_bytes()[: samples_start(path) + N // 4 * BLOCK])
    length, damage = read(path)
    assert length == N // 4
    assert [(place.start, place.duration, place.kind) for place in damage] == [(0.5, 1.5, "end")]


@pytest.mark.parametrize("kind", HEADERS)
def test_a_size_that_is_too_large_is_reported(tmp_path: Path, kind: str) -> None:
    path = announcing(intact(tmp_path, kind), 2 * N * BLOCK)
    if kind == "caf" and not shutil.which("ffmpeg"):
        pytest.skip("needs ffmpeg")
    length, damage = read(path)
    assert length == N
    assert [(place.start, place.duration, place.kind) for place in damage] == [(2, 2, "end")]


@pytest.mark.parametrize("kind", HEADERS)
def test_a_size_that_is_too_small_is_ignored_or_reported(tmp_path: Path, kind: str) -> None:
    length, damage = read(announcing(intact(tmp_path, kind), N // 4 * BLOCK))
    if length < N:
        # An AU file's samples fill it whatever its header says, and libsndfile alone stops there.
        kind_of_damage = "end" if kind == "au" else "invalid"
        assert [(place.start, place.duration, place.kind) for place in damage] == [(0.5, 1.5, kind_of_damage)]


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
@pytest.mark.parametrize("kind", ["wav", "au", "caf"])
def test_no_size_of_a_crashed_recorder(tmp_path: Path, kind: str) -> None:
    assert read(announcing(intact(tmp_path, kind), 0)) == (N, [])


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
@pytest.mark.parametrize(("kind", "field"), [
    ("wav", b"\xff" * 4), ("wav", b"\xff\xff\xff\x7f"), ("aiff", b"\xff" * 4), ("au", b"\xff" * 4),
    ("caf", b"\xff" * 8), ("w64", b"\xff" * 7 + b"\x7f"), ("w64", bytes(8)),
])  # fmt: skip
def test_the_mark_of_an_unknown_size(tmp_path: Path, kind: str, field: bytes) -> None:
    assert read(announcing(intact(tmp_path, kind), field)) == (N, [])


def test_an_empty_file_with_a_chunk_behind_has_no_samples(tmp_path: Path) -> None:
    path = announcing(intact(tmp_path, "wav"), 0)
    path.write_bytes(path.read_bytes()[: samples_start(path)] + b"LIST\x04\0\0\0INFO")
    with pytest.raises(AudioFileError, match="no samples"):
        read(path)


@pytest.mark.parametrize("tail", [
    b"LIST\x05\0\0\0INFO!\0", b"LIST\x05\0\0\0INFO!", bytes(2000), b"TAG" + bytes(125), b"noise" * 10,
    b"LIST\x04\0\0\0INFOid3 \x02\0\0\0ab",
])  # fmt: skip
def test_what_may_follow_the_samples(tmp_path: Path, tail: bytes) -> None:
    path = files.with_tail(intact(tmp_path, "wav"), tail)
    assert read(path) == (N, [])


@pytest.mark.parametrize("kind", ["wav", "aiff", "caf"])
def test_what_may_not_follow_the_samples(tmp_path: Path, kind: str) -> None:
    length, damage = read(files.with_tail(intact(tmp_path, kind), b"\x12\x34\x56\x78" * RATE))
    assert length == N
    assert [(place.start, place.kind) for place in damage] == [(2, "invalid")]


@pytest.mark.parametrize(("kind", "subtype"), [
    ("wav", "ULAW"), ("wav", "IMA_ADPCM"), ("wav", "GSM610"), ("aiff", "IMA_ADPCM"), ("au", "ULAW"),
    ("au", "G721_32"), ("w64", "MS_ADPCM"),
])  # fmt: skip
def test_the_end_of_compressed_samples(tmp_path: Path, kind: str, subtype: str) -> None:
    path = tmp_path / f"song.{kind}"
    mono = SAMPLES[:, :1]
    soundfile.write(path, mono, RATE, subtype=subtype, format=kind.upper())
    length, damage = read(path)
    assert length == pytest.approx(N, abs=4096)
    assert damage == []
    length, damage = read(files.cut(path))
    assert damage[-1].kind == "end"
    assert damage[-1].start == pytest.approx(1, abs=0.15)
    assert damage[-1].start + damage[-1].duration == pytest.approx(2, abs=0.15)
