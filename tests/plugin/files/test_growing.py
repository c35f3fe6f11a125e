"""Files that can be played while they are written."""

from __future__ import annotations

import io
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from stemdock import AudioWriter, Observer, Output, separate_file
from stemdock.audio import read_tags
from stemdock.errors import OutputError, OutputExistsError, OutputOptionError
from stemdock.output.tags import Cover, Tags
from support.pictures import PNG

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Separator

CODECS: list[Any] = ["wav", "flac", "ogg", "opus", "raw"]
STREAMINFO = 42
"""Bytes of a FLAC file up to the end of its first block, which gets the length at the end."""


class Received:
    """Keeps the pieces of each file."""

    def __init__(self) -> None:
        self.pieces: dict[str, list[bytes]] = {}

    def __call__(self, name: str, data: bytes) -> None:
        assert data
        self.pieces.setdefault(name, []).append(data)

    def content(self, name: str) -> bytes:
        return b"".join(self.pieces[name])


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("growing", [False, True])
def test_the_pieces_are_the_file(
    small_separator: Separator, song: Path, tmp_path: Path, codec: Any, growing: bool
) -> None:
    received = Received()
    output = Output(codec=codec, mixes={"both": ("low:-3dB", "high")})
    made = separate_file(
        small_separator, song, tmp_path / "out", output=output, growing=growing,
        observer=Observer(on_encoded=received),
    )  # fmt: skip
    whole = separate_file(small_separator, song, tmp_path / "whole", output=output)
    assert set(received.pieces) == set(made.files) == {"low", "high", "both"}
    for name, path in made.files.items():
        begin = STREAMINFO if codec == "flac" else 0
        if codec in {"ogg", "opus"}:  # their serial numbers are random
            assert received.content(name) == path.read_bytes()
            assert len(received.content(name)) == whole.files[name].stat().st_size
        else:
            assert received.content(name)[begin:] == whole.files[name].read_bytes()[begin:]
            assert path.read_bytes() == whole.files[name].read_bytes()
        assert len(received.pieces[name]) > 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in made.files.values()
    )


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("codec", CODECS[:-1])
@pytest.mark.parametrize("total_length", [None, 90_000, 10**12])
def test_ffmpeg_plays_the_pieces(tmp_path: Path, codec: Any, total_length: int | None) -> None:
    """Whether the length is known, unknown or wrong, as of a damaged song."""
    pieces: list[bytes] = []
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (90_000, 2)).astype(np.float32)
    with AudioWriter(
        tmp_path / "x", output=Output(codec=codec), sample_rate=48000, n_channels=2,
        total_length=total_length, on_encoded=pieces.append,
    ) as writer:  # fmt: skip
        writer.write(noise)
    if codec == "wav":  # plain WAV, which players of pipes know
        size = 8 * 90_000 + 80 if total_length == 90_000 else 2**32 - 1
        assert pieces[0].startswith(b"RIFF" + size.to_bytes(4, "little"))
        assert b"ds64" not in pieces[0][:200]
    command = ["ffmpeg", "-v", "error", "-i", "-", "-f", "f32le", "-c:a", "pcm_f32le", "-"]
    done = subprocess.run(command, input=b"".join(pieces), capture_output=True, check=True)
    found = np.frombuffer(done.stdout, "<f4").reshape(-1, 2)
    assert found.shape == noise.shape
    if codec in {"wav", "flac"}:
        np.testing.assert_allclose(found, noise, atol=2**-23)


@pytest.mark.parametrize("depth", ["16", "24", "32f"])
def test_raw_samples(tmp_path: Path, depth: Any) -> None:
    block = np.array([[0.5, -0.5], [0.25, 0.0]], np.float32)
    with AudioWriter(
        tmp_path / "x.raw", output=Output(codec="raw", bit_depth=depth), sample_rate=44100, n_channels=2,
        total_length=2,
    ) as writer:  # fmt: skip
        writer.write(block)
    data = (tmp_path / "x.raw").read_bytes()
    if depth == "32f":
        assert data == block.astype("<f4").tobytes()
    else:
        size = int(depth) // 8
        values = [
            int.from_bytes(data[at : at + size], "little", signed=True) for at in range(0, 4 * size, size)
        ]
        assert values == [2 ** (8 * size - 2), -(2 ** (8 * size - 2)), 2 ** (8 * size - 3), 0]
        assert len(data) == 4 * size


@pytest.mark.parametrize("total_length", [None, 16000])
def test_a_file_is_valid_while_it_grows(tmp_path: Path, total_length: int | None) -> None:
    path = tmp_path / "x.wav"
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (16000, 2)).astype(np.float32)
    with AudioWriter(
        path, output=Output(), sample_rate=8000, n_channels=2, total_length=total_length,
        on_encoded=lambda _: None,
    ) as writer:  # fmt: skip
        for end in (8000, 16000):
            writer.write(noise[end - 8000 : end])
            np.testing.assert_array_equal(soundfile.read(path, dtype="float32")[0], noise[:end])


@pytest.mark.parametrize("codec", ["ogg", "opus"])
def test_long_files_grow_whatever_writes_them_otherwise(tmp_path: Path, codec: Any) -> None:
    """ffmpeg writes long Opus files, but not while they grow."""
    pieces: list[bytes] = []
    rate, length = 48000, 480_000
    with AudioWriter(
        tmp_path / "x", output=Output(codec=codec), sample_rate=rate, n_channels=1, total_length=length,
        on_encoded=pieces.append,
    ) as writer:  # fmt: skip
        for _ in range(10):
            writer.write(np.random.default_rng(1).uniform(-0.5, 0.5, (rate, 1)).astype(np.float32))
        assert len(pieces) > 5
    assert b"".join(pieces) == (tmp_path / "x").read_bytes()
    assert soundfile.info(tmp_path / "x").frames == length


def test_files_appear_with_the_first_segment(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    lengths: list[int] = []

    def on_progress(_: object) -> None:
        lengths.append(soundfile.info(tmp_path / "out" / "low.wav").frames)

    separate_file(
        small_separator, song, tmp_path / "out", growing=True, observer=Observer(on_progress=on_progress)
    )
    assert 0 < lengths[0] < 16000
    assert lengths == sorted(lengths)
    assert lengths[-1] == 16000


class Stop(Exception):  # noqa: N818  not an error
    pass


def fail(*_: object) -> None:
    raise Stop


@pytest.mark.parametrize("before", [None, b"precious"])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("codec", ["wav", "flac"])
def test_after_a_failure_all_is_as_it_was(
    small_separator: Separator, song: Path, tmp_path: Path, before: bytes | None, late: bool, codec: Any
) -> None:
    """Also if it happens in one of the threads that compress."""
    folder = tmp_path / "out"
    if before:
        folder.mkdir()
        (folder / f"low.{codec}").write_bytes(before)
    observer = Observer(before_placing=fail) if late else Observer(on_encoded=fail)
    with pytest.raises(Stop):
        separate_file(
            small_separator, song, folder, output=Output(codec=codec), growing=True, overwrite=True,
            observer=observer,
        )  # fmt: skip
    if before:
        assert [path.name for path in folder.iterdir()] == [f"low.{codec}"]
        assert (folder / f"low.{codec}").read_bytes() == before
    else:
        assert not folder.exists()


def test_growing_files_replace_others_only_on_request(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    (tmp_path / "low.wav").write_bytes(b"precious")
    with pytest.raises(OutputExistsError):
        separate_file(small_separator, song, tmp_path, growing=True)

    assert (tmp_path / "low.wav").read_bytes() == b"precious"
    separate_file(small_separator, song, tmp_path, growing=True, overwrite=True)
    assert soundfile.info(tmp_path / "low.wav").frames == 16000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["high.wav", "low.wav", "song.wav"]


def test_a_file_that_appears_at_the_last_moment_stays(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "high.wav"

    def appear(name: str, _: bytes) -> None:
        if name == "low":
            target.write_bytes(b"precious")

    with pytest.raises(OutputExistsError):
        separate_file(
            small_separator, song, tmp_path / "out", growing=True, observer=Observer(on_encoded=appear)
        )
    assert [path.name for path in target.parent.iterdir()] == ["high.wav"]
    assert target.read_bytes() == b"precious"


@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_file_that_takes_the_place_of_a_growing_one_stays(
    small_separator: Separator, song: Path, tmp_path: Path, before: bytes | None, fails: bool
) -> None:
    """Unless files may be replaced, and the separation succeeds."""
    target = tmp_path / "out" / "low.wav"
    target.parent.mkdir()
    if before:
        target.write_bytes(before)

    def take_place(_: object, __: object) -> None:
        target.unlink()
        target.write_bytes(b"precious")
        if fails:
            raise Stop

    def separate() -> None:
        separate_file(
            small_separator, song, target.parent, growing=True, overwrite=before is not None,
            observer=Observer(before_placing=take_place),
        )  # fmt: skip

    if before and not fails:
        separate()
        assert soundfile.info(target).frames == 16000
        return
    with pytest.raises(Stop if fails else OutputExistsError):
        separate()
    assert [path.name for path in target.parent.iterdir()] == ["low.wav"]
    assert target.read_bytes() == b"precious"


def test_a_growing_file_that_was_removed_comes_back(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "low.wav"
    separate_file(
        small_separator, song, target.parent, growing=True,
        observer=Observer(before_placing=lambda *_: target.unlink()),
    )  # fmt: skip
    assert soundfile.info(target).frames == 16000


def test_a_cover_comes_at_the_end(small_separator: Separator, tmp_path: Path) -> None:
    cover = Cover(mime_type="image/png", data=PNG)
    song = tmp_path / "song.flac"
    with AudioWriter(
        song, output=Output(codec="flac"), sample_rate=8000, n_channels=2, total_length=None,
        tags=Tags(title="Song", cover=cover),
    ) as writer:  # fmt: skip
        writer.write(np.full((16000, 2), 0.1, np.float32))
    output = Output(codec="flac", stems=("low",))
    made = separate_file(small_separator, song, tmp_path / "out", growing=True, output=output)
    whole = separate_file(small_separator, song, tmp_path / "whole", output=output)
    assert read_tags(made.stems["low"]).cover == cover
    assert made.stems["low"].read_bytes() == whole.stems["low"].read_bytes()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["low.flac"]


def test_a_disk_without_links(
    small_separator: Separator, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    with pytest.raises(OutputError, match="cannot grow in this folder") as caught:
        separate_file(small_separator, song, tmp_path / "out", growing=True)
    assert "--growing" in caught.value.remedy
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (Output(codec="mp3"), "codec: mp3 files cannot be played before"),
        (Output(codec="alac"), "codec: alac files cannot be played before"),
        (Output(format="zip"), "format: zip files cannot"),
        (Output(prevent_clipping=True), "prevent clipping: files whose level depends on the whole song"),
    ],
)
def test_what_cannot_grow(
    small_separator: Separator, song: Path, tmp_path: Path, output: Output, reason: str
) -> None:
    with pytest.raises(OutputOptionError, match=reason) as caught:
        separate_file(small_separator, song, tmp_path / "out", growing=True, output=output)
    assert "wav, flac, ogg, opus or raw" in caught.value.remedy
    with pytest.raises(OutputOptionError):
        separate_file(
            small_separator, song, tmp_path / "out", output=output, observer=Observer(on_encoded=fail)
        )


def test_bytes_of_a_stream(tmp_path: Path) -> None:
    """The header of a WAV file says its size before the samples are there."""
    pieces: list[bytes] = []
    with AudioWriter(
        tmp_path / "x.wav", output=Output(bit_depth="16"), sample_rate=8000, n_channels=1, total_length=1001,
        on_encoded=pieces.append,
    ) as writer:  # fmt: skip
        writer.write(np.zeros((7, 1), np.float32))
        assert len(pieces) == 1
        head = io.BytesIO(pieces[0].ljust(44 + 2002, b"\0"))
        assert soundfile.info(head).frames == 1001
        writer.write(np.zeros((994, 1), np.float32))
    assert b"".join(pieces) == (tmp_path / "x.wav").read_bytes()
