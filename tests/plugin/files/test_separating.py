from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock import Observer, Output, separate_file
from stemdock.errors import (
    AudioFileError,
    AudioFileNotFoundError,
    CancelledError,
    OutputError,
    OutputExistsError,
)
from stemdock.files import placing
from support.mixtures import SONG
from support.small_model import write_noise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stemdock import Damage, Progress, Separator
    from support.small_model import SmallPlugin

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_stems_keep_rate_length_and_samples(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    separated = separate_file(small_separator, song, tmp_path / "out")
    mixture, _ = soundfile.read(song, dtype="float32")
    expected = small_separator.separate(mixture)
    assert list(separated.stems) == ["low", "high"]
    for stem, path in separated.stems.items():
        samples, sample_rate = soundfile.read(path, dtype="float32")
        assert sample_rate == separated.sample_rate == 8000
        assert np.array_equal(samples, expected[stem])
        assert soundfile.info(path).subtype == "FLOAT"
        assert separated.peaks[stem] == np.abs(samples).max()
    assert separated.total_length == 16000


def test_only_the_stems_are_left(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    separate_file(small_separator, song, tmp_path / "a" / "b")
    assert files_below(tmp_path / "a") == ["b", "b/high.wav", "b/low.wav"]


@pytest.mark.parametrize(("sample_rate", "n_channels"), [(44100, 1), (48000, 2), (6000, 1)])
def test_any_rate_and_mono(
    small_separator: Separator, tmp_path: Path, sample_rate: int, n_channels: int
) -> None:
    source = write_noise(tmp_path / "s.wav", sample_rate=sample_rate, n_channels=n_channels)
    separated = separate_file(small_separator, source, tmp_path / "out")
    for path in separated.stems.values():
        info = soundfile.info(path)
        assert (info.samplerate, info.frames, info.channels) == (sample_rate, 16000, 2)


@pytest.mark.parametrize(("bit_depth", "subtype"), [("16", "PCM_16"), ("24", "PCM_24")])
def test_clipping_by_integers_is_counted(
    small_separator: Separator, tmp_path: Path, bit_depth: str, subtype: str
) -> None:
    source = write_noise(tmp_path / "loud.wav", level=4)
    separated = separate_file(small_separator, source, tmp_path / "out", output=Output(bit_depth=bit_depth))  # type: ignore[arg-type]
    samples, _ = soundfile.read(separated.stems["low"], dtype="float32")
    assert soundfile.info(separated.stems["low"]).subtype == subtype
    assert separated.peaks["low"] > 1
    expected = small_separator.separate(soundfile.read(source, dtype="float32")[0])["low"]
    assert separated.clipped_lengths["low"] == np.count_nonzero(np.abs(expected) > 1) > 0
    np.testing.assert_allclose(samples, np.clip(expected, -1, 1), atol=2**-15)


def test_floating_point_does_not_clip(small_separator: Separator, tmp_path: Path) -> None:
    separated = separate_file(small_separator, write_noise(tmp_path / "loud.wav", level=4), tmp_path / "out")
    assert soundfile.read(separated.stems["low"])[0].max() > 1
    assert separated.clipped_lengths == {"low": 0, "high": 0}


def test_what_is_there_is_not_overwritten(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "high.wav").write_text("precious")
    with pytest.raises(OutputExistsError):
        separate_file(small_separator, song, tmp_path / "out")
    assert files_below(tmp_path / "out") == ["high.wav"]
    separate_file(small_separator, song, tmp_path / "out", overwrite=True)
    assert soundfile.info(tmp_path / "out" / "high.wav").frames == 16000


def test_a_file_that_appears_at_the_last_moment_is_not_overwritten(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    staged: dict[Path, Path] = {}

    def before_placing(files: Mapping[Path, Path], _: Sequence[Damage]) -> None:
        staged.update(files)
        (tmp_path / "out" / "high.wav").write_text("precious")

    observer = Observer(before_placing=before_placing)
    with pytest.raises(OutputExistsError):
        separate_file(small_separator, song, tmp_path / "out", observer=observer)
    assert set(staged) == {tmp_path / "out" / "low.wav", tmp_path / "out" / "high.wav"}
    assert files_below(tmp_path / "out") == ["high.wav"]
    assert (tmp_path / "out" / "high.wav").read_text() == "precious"


def test_the_disk_takes_the_files_while_observers_are_told(
    small_separator: Separator, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_begun, is_told = Event(), Event()

    def flush_files(paths: Iterable[Path]) -> None:
        assert {path.name for path in paths} == {"low.wav", "high.wav"}
        has_begun.set()
        assert is_told.wait(60)

    def before_placing(*_: object) -> None:
        assert has_begun.wait(60)
        is_told.set()

    monkeypatch.setattr(placing, "flush_files", flush_files)
    separate_file(small_separator, song, tmp_path / "out", observer=Observer(before_placing=before_placing))
    assert files_below(tmp_path / "out") == ["high.wav", "low.wav"]


def test_what_the_disk_does_not_take_is_an_error(
    small_separator: Separator, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system tells it only once, so the second time that the files are flushed would succeed."""

    def flush_files(_: Iterable[Path]) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(placing, "flush_files", flush_files)
    observer = Observer(before_placing=lambda *_: None)
    with pytest.raises(OutputError, match=os.strerror(errno.EIO)):
        separate_file(small_separator, song, tmp_path / "out", observer=observer)
    assert not (tmp_path / "out").exists()


def test_if_one_stem_cannot_take_its_place_none_does(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    (tmp_path / "out" / "high.wav").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"high\.wav: cannot be written"):
        separate_file(small_separator, song, tmp_path / "out", overwrite=True)
    assert files_below(tmp_path / "out") == ["high.wav"]


def test_a_folder_in_the_place_of_a_stem_is_noticed_before_the_work_and_the_old_stems_stay(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    (tmp_path / "out" / "high.wav").mkdir(parents=True)
    (tmp_path / "out" / "low.wav").write_text("old")
    steps: list[Progress] = []
    with pytest.raises(OutputError, match=r"high\.wav: cannot be written \(there is a folder of this name\)"):
        separate_file(
            small_separator,
            song,
            tmp_path / "out",
            overwrite=True,
            observer=Observer(on_progress=steps.append),
        )
    assert steps == []
    assert files_below(tmp_path / "out") == ["high.wav", "low.wav"]
    assert (tmp_path / "out" / "low.wav").read_text() == "old"


def test_a_folder_that_appears_in_the_place_of_a_stem_leaves_the_old_stems(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "low.wav").write_text("old")
    observer = Observer(before_placing=lambda *_: (tmp_path / "out" / "high.wav").mkdir())
    with pytest.raises(OutputError, match=r"high\.wav: cannot be written"):
        separate_file(small_separator, song, tmp_path / "out", overwrite=True, observer=observer)
    assert files_below(tmp_path / "out") == ["high.wav", "low.wav"]
    assert (tmp_path / "out" / "low.wav").read_text() == "old"


def test_the_mixture_is_never_overwritten(small_separator: Separator, tmp_path: Path) -> None:
    source = write_noise(tmp_path / "low.wav")
    before = source.read_bytes()
    with pytest.raises(OutputError, match="mixture itself"):
        separate_file(small_separator, source, tmp_path, overwrite=True)
    assert source.read_bytes() == before


def test_observers_are_told(
    small_separator: Separator, small_plugin: SmallPlugin, song: Path, tmp_path: Path
) -> None:
    separated = separate_file(small_separator, song, tmp_path / "out")
    assert small_plugin.separated == [separated]


def test_the_real_song_is_decoded_to_its_full_length(small_separator: Separator, tmp_path: Path) -> None:
    separated = separate_file(small_separator, SONG, tmp_path / "out")
    assert separated.total_length == len(soundfile.read(SONG)[0]) == 479832


@needs_ffmpeg
def test_other_formats_are_read_through_ffmpeg(small_separator: Separator, tmp_path: Path) -> None:
    source = tmp_path / "song with 'quotes' \u2013 ü.mka"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", SONG, "-c:a", "pcm_f32le", "-f", "matroska", source], check=True
    )
    separated = separate_file(small_separator, source, tmp_path / "out")
    expected = separate_file(small_separator, SONG, tmp_path / "expected")
    assert abs(separated.total_length - expected.total_length) < 3000  # ffmpeg keeps the encoder's padding
    assert separated.sample_rate == 44100


@needs_ffmpeg
def test_a_text_that_is_called_mp3(
    small_separator: Separator, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "text.mp3"
    source.write_text("no music\n" * 100)
    refused(small_separator, source, tmp_path, AudioFileError)
    assert capfd.readouterr().err == ""


def test_without_ffmpeg_the_error_says_so(
    small_separator: Separator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "song.m4a"
    source.write_bytes(b"\0\0\0\x18ftypM4A " * 100)
    monkeypatch.setenv("PATH", "")
    error = refused(small_separator, source, tmp_path, AudioFileError)
    assert "ffmpeg" in error.remedy


def test_a_file_that_does_not_exist(small_separator: Separator, tmp_path: Path) -> None:
    refused(small_separator, tmp_path / "nothing.wav", tmp_path, AudioFileNotFoundError)


def test_a_folder_is_no_song(small_separator: Separator, tmp_path: Path) -> None:
    refused(small_separator, tmp_path, tmp_path, AudioFileError)


def test_an_empty_wav(small_separator: Separator, tmp_path: Path) -> None:
    source = tmp_path / "empty.wav"
    soundfile.write(source, np.zeros((0, 2)), 8000)
    assert "no samples" in str(refused(small_separator, source, tmp_path, AudioFileError))


def test_more_than_two_channels(small_separator: Separator, tmp_path: Path) -> None:
    source = write_noise(tmp_path / "six.wav", n_channels=6)
    assert "6 channels" in str(refused(small_separator, source, tmp_path, AudioFileError))


def test_a_sample_that_is_no_number(small_separator: Separator, tmp_path: Path) -> None:
    samples = np.zeros((20000, 2), np.float32)
    samples[15000] = np.nan
    source = tmp_path / "nan.wav"
    soundfile.write(source, samples, 11025, subtype="FLOAT")
    assert "sample 15000" in str(refused(small_separator, source, tmp_path, AudioFileError))


def test_a_damaged_flac(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    source = tmp_path / "song.flac"
    soundfile.write(source, *soundfile.read(song))
    data = bytearray(source.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000)
    source.write_bytes(data)
    if shutil.which("ffmpeg"):
        separated = separate_file(small_separator, source, tmp_path / "out")
        assert separated.damage
        assert str(separated.damage[0]) in separated.warnings[0]
    else:
        refused(small_separator, source, tmp_path, AudioFileError)


def test_cancelling_leaves_nothing(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    cancel = Event()
    observer = Observer(on_progress=lambda _: cancel.set(), cancel=cancel)
    with pytest.raises(CancelledError):
        separate_file(small_separator, song, tmp_path / "out", observer=observer)
    assert files_below(tmp_path) == ["song.wav"]


def test_an_output_folder_that_cannot_be_written(small_separator: Separator) -> None:
    # Not pytest's own folder: nobody else may look into that one.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = write_noise(folder / "song.wav")
        folder.chmod(0o555)
        with as_nobody(), pytest.raises(OutputError) as caught:
            separate_file(small_separator, source, folder / "out" / "song")
        assert str(folder / "out" / "song") in str(caught.value)
        assert files_below(folder) == ["song.wav"]
        folder.chmod(0o755)


def test_a_full_disk(
    small_separator: Separator, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every write fails as on a full disk. The error names the file that the user wanted."""

    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("stemdock.audio.sndfile.encoding.memoryview", full, raising=False)
    with pytest.raises(OutputError) as caught:
        separate_file(small_separator, song, tmp_path / "out")
    assert (
        str(caught.value)
        == f"{tmp_path / 'out' / 'low.wav'}: cannot be written ({os.strerror(errno.ENOSPC)})"
    )
    assert caught.value.path == tmp_path / "out" / "low.wav"
    assert caught.value.remedy == "The disk is full. Free some space."
    assert files_below(tmp_path) == ["song.wav"]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write anywhere, so it steps down for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def refused(separator: Separator, source: Path, folder: Path, kind: type[AudioFileError]) -> AudioFileError:
    """The error for an unusable mixture; it names the file, has a remedy, and leaves nothing behind."""
    before = files_below(folder)
    with pytest.raises(kind) as caught:
        separate_file(separator, source, folder / "new" / "folder")
    assert str(source) in str(caught.value)
    assert caught.value.remedy
    assert files_below(folder) == before
    return caught.value


def test_nothing_in_a_file_tells_when_it_was_written(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    separate_file(small_separator, song, tmp_path / "out")
    header = (tmp_path / "out" / "low.wav").read_bytes()[:200]
    assert header.startswith(b"RIFF")
    assert b"PEAK" not in header
