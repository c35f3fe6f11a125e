"""Archives with the stems of a song."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_STORED, ZipFile

import numpy as np
import pytest
import soundfile

from stemdock import Observer, Output, Plugins, Separator, separate_file
from stemdock.audio import read_tags
from stemdock.errors import CancelledError, OutputError, OutputOptionError
from support.file_limits import files_up_to
from support.mixtures import SONG
from support.set_by_files import SetOnceThereIs
from support.small_model import SmallPlugin, small_card

if TYPE_CHECKING:
    from pathlib import Path

ARCHIVE = Output(format="zip")
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def contents(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {entry.compress_type for entry in archive.infolist()} == {ZIP_STORED}
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("codec", ["wav", "flac", pytest.param("alac", marks=needs_ffmpeg)])
def test_the_files_of_a_song_in_one(
    small_separator: Separator, song: Path, tmp_path: Path, codec: Any
) -> None:
    settings: dict[str, Any] = {"codec": codec, "mixes": {"both": ("low", "high")}}
    output = Output(format="zip", **settings)
    separated = separate_file(small_separator, song, tmp_path / "out", output=output)
    path = tmp_path / "out" / "song.zip"
    assert separated.files == separated.packages == {"zip": path}
    assert [found.name for found in (tmp_path / "out").iterdir()] == ["song.zip"]
    files = separate_file(small_separator, song, tmp_path / "single", output=Output(**settings)).files
    found = contents(path)
    assert list(found) == [f"song/{file.name}" for file in files.values()]
    for file in files.values():
        if codec == "alac":  # with the time of its making
            assert len(found[f"song/{file.name}"]) == file.stat().st_size
        else:
            assert found[f"song/{file.name}"] == file.read_bytes()


def test_names_are_legal_on_every_system(song: Path, tmp_path: Path) -> None:
    plugins = Plugins()
    plugins.register(SmallPlugin(tmp_path, small_card(stems=("aux", "rest"))), "small")
    separator = Separator("small", plugins=plugins)
    (path,) = separate_file(separator, song, tmp_path, output=ARCHIVE).files.values()
    files = separate_file(separator, song, tmp_path / "single").files.values()
    assert list(contents(path)) == [f"song/{file.name}" for file in files]
    assert "song/aux.wav" not in contents(path)


def test_a_name_that_is_no_text(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    """As file systems of Linux allow it; archives do not."""
    source = tmp_path / "\udcff song.wav"
    try:
        song.rename(source)
    except (OSError, UnicodeError):
        pytest.skip("this file system accepts only text")
    (path,) = separate_file(small_separator, source, tmp_path, output=ARCHIVE).files.values()
    assert path.name == "\udcff song.zip"
    assert list(contents(path)) == ["_ song/low.wav", "_ song/high.wav"]


def test_stems_in_an_archive_have_tags(small_separator: Separator, tmp_path: Path) -> None:
    output = Output(format="zip", codec="flac", stems=("low",))
    (path,) = separate_file(small_separator, SONG, tmp_path, output=output).files.values()
    with ZipFile(path) as archive:
        stem = archive.extract("audio_example/low.flac", tmp_path)
    assert read_tags(tmp_path / "audio_example" / "low.flac").title == f"{read_tags(SONG).title} (low)"
    assert soundfile.info(stem).frames == 479832


def test_tags_that_do_not_fit_give_a_warning(
    small_separator: Separator, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_: object) -> None:
        raise ValueError("the cover is too large")

    monkeypatch.setattr("stemdock.audio.writing.add_tags", too_large)
    separated = separate_file(small_separator, song, tmp_path / "out", output=ARCHIVE)
    place = tmp_path / "out" / "song.zip"
    assert set(separated.warnings) == {f"{place}: not all tags were written (the cover is too large)"}


def test_names_of_archives(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    target = tmp_path / "Mine.ZIP"
    separate_file(small_separator, song, {"zip": target}, output=ARCHIVE)
    assert list(contents(target)) == ["Mine/low.wav", "Mine/high.wav"]
    with pytest.raises(OutputOptionError, match="recognise"):
        separate_file(small_separator, song, {"zip": tmp_path / "x.rar"}, output=ARCHIVE)


def test_samples_in_an_archive(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    (path,) = separate_file(small_separator, song, tmp_path, output=ARCHIVE).files.values()
    stems = small_separator.separate(soundfile.read(song, dtype="float32")[0])
    for name, data in contents(path).items():
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
        assert rate == 8000
        np.testing.assert_array_equal(samples, stems[name.removeprefix("song/").removesuffix(".wav")])


def test_no_room_for_the_archive(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    """The stems fit, and the archive does not."""
    with files_up_to(200_000), pytest.raises(OutputError) as caught:
        separate_file(small_separator, song, tmp_path / "out", output=ARCHIVE)
    assert caught.value.path == tmp_path / "out" / "song.zip"
    assert not (tmp_path / "out").exists()


def test_cancelling_while_the_archive_is_written(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    observer = Observer(cancel=SetOnceThereIs(tmp_path / "out", "*.zip"))
    with pytest.raises(CancelledError):
        separate_file(small_separator, song, tmp_path / "out", output=ARCHIVE, observer=observer)
    assert not (tmp_path / "out").exists()
