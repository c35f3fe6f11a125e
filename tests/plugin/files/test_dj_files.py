"""DJ stem files from the song to the file, read back by ffmpeg and by a strict reader of boxes."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from stemdock import AudioWriter, Observer, Output, Plugins, Separator, separate_file
from stemdock.audio import read_tags
from stemdock.errors import CancelledError, OutputError, OutputExistsError, OutputOptionError
from stemdock.output.tags import Cover, Tags
from support.file_limits import files_up_to
from support.mixtures import snr
from support.mp4_tree import chunk_offsets, edit, file_tree, is_enabled
from support.pictures import PNG
from support.set_by_files import SetOnceThereIs
from support.small_model import SmallPlugin, small_card, write_noise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.mp4_tree import Box

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None, reason="ffmpeg is not installed"
    ),
]
RATE = 44100
STEM_FILE = Output(format="stem", codec="m4a")
LOSSLESS = Output(format="stem", codec="alac")


@pytest.fixture
def loud_song(tmp_path: Path) -> Path:
    """Noise in stereo at the rate of stem files, whose length is no multiple of AAC's frames."""
    return write_noise(tmp_path / "a song.wav", sample_rate=RATE)


def decoded(path: Path, track: int) -> np.ndarray:
    """The samples of a track `(n_samples, n_channels)`, as ffmpeg reads them."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", f"0:a:{track}", "-f", "f32le", "-"]
    found = subprocess.run(command, check=True, capture_output=True)
    assert found.stderr == b""
    return np.frombuffer(found.stdout, "<f4").reshape(-1, 2)


def probed(path: Path) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json"]
    found = subprocess.run([*command, path], check=True, capture_output=True)
    assert found.stderr == b""
    about: dict[str, Any] = json.loads(found.stdout)
    return about


def tracks(tree: Box) -> list[Box]:
    return [
        trak for trak in tree.all(b"moov", b"trak")
        if trak.only(b"mdia", b"hdlr").content[8:12] == b"soun"
    ]  # fmt: skip


def below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("output", [STEM_FILE, LOSSLESS], ids=["aac", "alac"])
def test_the_layout_of_the_file(
    small_separator: Separator, loud_song: Path, tmp_path: Path, output: Output
) -> None:
    separated = separate_file(small_separator, loud_song, tmp_path / "out", output=output)
    path = tmp_path / "out" / "a song.stem.m4a"
    assert separated.files == separated.packages == {"stem": path}
    assert separated.warnings == ()
    assert below(tmp_path / "out") == ["a song.stem.m4a"]

    about = probed(path)
    codec = "aac" if output is STEM_FILE else "alac"
    assert [
        (stream["codec_name"], stream["sample_rate"], stream["channels"], stream["disposition"]["default"])
        for stream in about["streams"]
    ] == [(codec, "44100", 2, 1)] + [(codec, "44100", 2, 0)] * 4
    # The length that players show is the same in all tracks. ffmpeg counts AAC in whole milliseconds.
    (length,) = {stream["duration_ts"] for stream in about["streams"]}
    assert abs(length - 16000) <= (RATE / 1000 if codec == "aac" else 0)
    assert {stream["start_pts"] for stream in about["streams"]} == {0}

    tree = file_tree(path.read_bytes())
    assert tree.children[0].kind == b"ftyp"
    assert [is_enabled(trak) for trak in tracks(tree)] == [True, False, False, False, False]
    assert len({edit(trak) for trak in tracks(tree)}) == 1
    assert [box.kind for box in tree.only(b"moov", b"udta").children] == [b"meta", b"stem"]
    (mdat,) = tree.all(b"mdat")
    for trak in tracks(tree):
        assert all(mdat.start <= place < mdat.start + len(mdat.content) for place in chunk_offsets(trak))
    content = json.loads(tree.only(b"moov", b"udta", b"stem").content)
    assert content["version"] == 1
    assert [part["name"] for part in content["stems"]] == ["Low", "High", "Silence", "Silence"]
    assert all(set(part) == {"name", "color"} for part in content["stems"])
    assert {content["mastering_dsp"][effect]["enabled"] for effect in ("compressor", "limiter")} == {False}


@pytest.mark.parametrize(("bit_depth", "step"), [(None, 2**-23), ("16", 2**-15)])
def test_the_parts_are_the_stems_and_add_up_to_the_song(
    small_separator: Separator, loud_song: Path, tmp_path: Path, bit_depth: Any, step: float
) -> None:
    output = replace(LOSSLESS, bit_depth=bit_depth)
    (path,) = separate_file(small_separator, loud_song, tmp_path, output=output).files.values()
    stems = separate_file(small_separator, loud_song, tmp_path / "wav").stems
    song, _ = soundfile.read(loud_song, dtype="float32")
    mixture, low, high, *silent = [decoded(path, track) for track in range(5)]
    np.testing.assert_allclose(mixture, song, rtol=0, atol=step)
    np.testing.assert_allclose(low, soundfile.read(stems["low"])[0], rtol=0, atol=step)
    np.testing.assert_allclose(low + high, song, rtol=0, atol=3 * step)
    # The last stem has what the stems leave of the song; without it, they would not add up.
    assert snr(soundfile.read(stems["high"])[0], high) < 20
    assert [(len(part), np.abs(part).max()) for part in silent] == [(len(song), 0)] * 2


def test_aac_is_in_step_with_the_song(small_separator: Separator, tmp_path: Path, loud_song: Path) -> None:
    (path,) = separate_file(small_separator, loud_song, tmp_path, output=STEM_FILE).files.values()
    song, _ = soundfile.read(loud_song, dtype="float32")
    parts = [decoded(path, track) for track in range(5)]
    # AAC has whole frames, and its readers do not cut the last one.
    assert {len(part) for part in parts} == {len(parts[0])}
    assert 0 <= len(parts[0]) - len(song) < 1024
    for sound in (parts[0], np.sum(parts[1:], axis=0)):
        in_step = snr(song, sound[: len(song)])
        assert in_step > 5
        assert in_step > snr(song[1:], sound[: len(song) - 1]) + 3


def test_the_songs_tags_and_cover(small_separator: Separator, tmp_path: Path) -> None:
    tags = Tags(
        title="Título", artist="ABC", album="LP", date="1999", cover=Cover(mime_type="image/png", data=PNG)
    )
    source = tmp_path / "song.flac"
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (RATE, 2)).astype(np.float32)
    with AudioWriter(
        source, output=Output(codec="flac"), sample_rate=RATE, n_channels=2, total_length=RATE, tags=tags
    ) as writer:
        writer.write(noise)
    beside: list[str] = []

    def before_placing(staged: Mapping[Path, Path], _: object) -> None:
        (file,) = staged.values()
        beside.extend(other.name for other in file.parent.iterdir())

    separated = separate_file(
        small_separator, source, tmp_path / "out", output=STEM_FILE,
        observer=Observer(before_placing=before_placing),
    )  # fmt: skip
    assert not [name for name in beside if "cover" in name]
    assert separated.warnings == ()
    (path,) = separated.files.values()
    assert read_tags(path) == tags
    about = probed(path)
    assert about["format"]["tags"]["title"] == "Título"
    picture = about["streams"][5]
    assert (picture["codec_type"], picture["disposition"]["attached_pic"]) == ("video", 1)
    assert [stream["codec_type"] for stream in about["streams"][:5]] == ["audio"] * 5
    assert [is_enabled(trak) for trak in tracks(file_tree(path.read_bytes()))] == [True] + [False] * 4
    assert below(tmp_path / "out") == ["song.stem.m4a"]
    plain = separate_file(
        small_separator, source, tmp_path / "plain", output=replace(STEM_FILE, copy_tags=False)
    ).files["stem"]
    assert read_tags(plain) == Tags()


def test_a_cover_that_ffmpeg_cannot_read_is_left_out(small_separator: Separator, tmp_path: Path) -> None:
    source = tmp_path / "song.flac"
    cover = Cover(mime_type="image/png", data=PNG[:8] + bytes(100))
    with AudioWriter(
        source, output=Output(codec="flac"), sample_rate=RATE, n_channels=2, total_length=RATE,
        tags=Tags(title="T", cover=cover),
    ) as writer:  # fmt: skip
        writer.write(np.zeros((RATE, 2), np.float32))
    separated = separate_file(small_separator, source, tmp_path / "out", output=STEM_FILE)
    (path,) = separated.files.values()
    assert [warning.split(": ")[0] for warning in separated.warnings] == [str(path)]
    assert "not all tags were written" in separated.warnings[0]
    assert read_tags(path).title == "T"
    assert below(tmp_path / "out") == [path.name]


def test_a_song_at_another_rate_is_resampled_with_a_warning(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    separated = separate_file(small_separator, song, tmp_path / "out", output=STEM_FILE)
    assert separated.sample_rate == RATE
    assert len(separated.warnings) == 1
    assert "a DJ stem file does not support 8000 Hz" in separated.warnings[0]
    assert len(decoded(separated.files["stem"], 0)) >= 16000 * RATE // 8000


def test_clipping_is_counted_and_prevented(small_separator: Separator, tmp_path: Path) -> None:
    source = write_noise(tmp_path / "loud.wav", sample_rate=RATE, level=4)
    separated = separate_file(small_separator, source, tmp_path / "a", output=LOSSLESS)
    assert separated.peaks["stem"] > 1
    assert separated.clipped_lengths["stem"] > 0
    quiet = separate_file(
        small_separator, source, tmp_path / "b", output=replace(LOSSLESS, prevent_clipping=True)
    )
    assert quiet.gain_db < 0
    assert quiet.clipped_lengths == {"stem": 0}
    mixture, low, high, *_ = [decoded(quiet.files["stem"], track) for track in range(5)]
    np.testing.assert_allclose(low + high, mixture, rtol=0, atol=4 * 2**-23)


def test_a_file_of_ones_own_name(small_separator: Separator, loud_song: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "x.stem.mp4"
    separated = separate_file(small_separator, loud_song, {"stem": target}, output=STEM_FILE)
    assert separated.files == {"stem": target}
    with pytest.raises(OutputExistsError):
        separate_file(small_separator, loud_song, {"stem": target}, output=STEM_FILE)
    with pytest.raises(OutputOptionError, match="recognise") as caught:
        separate_file(small_separator, loud_song, {"stem": tmp_path / "x.m4a"}, output=STEM_FILE)
    assert caught.value.option == "format"


def test_mono_stems_do_not_fit(tmp_path: Path, loud_song: Path) -> None:
    plugins = Plugins()
    plugins.register(SmallPlugin(tmp_path, small_card(n_channels=1)), "small")
    with pytest.raises(OutputOptionError, match="needs stereo"):
        separate_file(Separator("small", plugins=plugins), loud_song, tmp_path / "out", output=STEM_FILE)


@pytest.mark.parametrize("joining", [False, True])
def test_no_room_for_the_file(
    small_separator: Separator, loud_song: Path, tmp_path: Path, joining: bool
) -> None:
    """While a sound is encoded, or only while they are joined."""
    complete = separate_file(small_separator, loud_song, tmp_path / "first", output=STEM_FILE).files["stem"]
    n_bytes = complete.stat().st_size - 100 if joining else 8000
    with files_up_to(n_bytes), pytest.raises(OutputError) as caught:
        separate_file(small_separator, loud_song, tmp_path / "out", output=STEM_FILE)
    assert caught.value.path == tmp_path / "out" / "a song.stem.m4a"
    assert not (tmp_path / "out").exists()


def test_no_room_for_the_cover(small_separator: Separator, tmp_path: Path) -> None:
    source = tmp_path / "song.flac"
    cover = Cover(mime_type="image/png", data=PNG[:8] + bytes(300_000))
    with AudioWriter(
        source, output=Output(codec="flac"), sample_rate=RATE, n_channels=2, total_length=RATE,
        tags=Tags(cover=cover),
    ) as writer:  # fmt: skip
        writer.write(np.zeros((RATE, 2), np.float32))
    with files_up_to(200_000), pytest.raises(OutputError) as caught:
        separate_file(small_separator, source, tmp_path / "out", output=STEM_FILE)
    assert caught.value.path == tmp_path / "out" / "song.stem.m4a"
    assert not (tmp_path / "out").exists()


def wrapped_ffmpeg(folder: Path, monkeypatch: pytest.MonkeyPatch, joining: str) -> None:
    """An ffmpeg that does something else when it is to join."""
    program = folder / "bin" / "ffmpeg"
    program.parent.mkdir()
    real = shutil.which("ffmpeg")
    program.write_text(f'#!/bin/sh\ncase "$*" in *"-c copy"*) {joining};; esac\nexec {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


def test_cancelling_ends_the_joining(
    small_separator: Separator, loud_song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    wrapped_ffmpeg(tmp_path, monkeypatch, f"echo > {started}; exec sleep 1000")
    cancel = SetOnceThereIs(tmp_path, "started")
    with pytest.raises(CancelledError):
        separate_file(
            small_separator, loud_song, tmp_path / "out", output=STEM_FILE, observer=Observer(cancel=cancel)
        )
    assert started.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("joining", "reason"),
    [
        ("echo broken >&2; exit 3", r"cannot join its tracks \(broken\)"),
        ('for last; do :; done; printf "" > "${last#file:}"; exit 0', "in an unknown way"),
        (r'for last; do :; done; printf "\0\0\0\010free" > "${last#file:}"; exit 0', "in an unknown way"),
    ],
)
def test_a_failure_while_joining(
    small_separator: Separator, loud_song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    joining: str, reason: str,
) -> None:  # fmt: skip
    wrapped_ffmpeg(tmp_path, monkeypatch, joining)
    with pytest.raises(OutputError, match=reason) as caught:
        separate_file(small_separator, loud_song, tmp_path / "out", output=STEM_FILE)
    assert caught.value.path == tmp_path / "out" / "a song.stem.m4a"
    assert caught.value.remedy
    assert not (tmp_path / "out").exists()
