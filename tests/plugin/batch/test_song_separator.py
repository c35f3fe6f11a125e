"""Songs one at a time, from a program."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from stemdock import (
    ArgumentError,
    AudioFileError,
    CancelledError,
    Output,
    OutputExistsError,
    OutputTakenError,
    SongSeparator,
)
from stemdock.batch.claims import Claims
from stemdock.batch.manifest import Manifest
from stemdock.cli.main import run
from support.small_model import write_noise

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Plugins

NO_FSSPEC = find_spec("fsspec") is None
NEEDS_FSSPEC = "needs fsspec: install stemdock[remote]"


def separator(plugins: Plugins, folder: Any, **options: Any) -> SongSeparator:
    return SongSeparator(folder, model="small", plugins=plugins, **options)


def test_a_song_is_separated_once(plugins: Plugins, tmp_path: Path) -> None:
    song = write_noise(tmp_path / "song.wav")
    separate = separator(plugins, tmp_path / "out")
    first = separate(song, name="Abba/Waterloo")
    assert first.status == "done"
    assert first.outputs == {
        stem: str(tmp_path / f"out/Abba/Waterloo/{stem}.wav") for stem in ("low", "high")
    }
    assert first.duration
    assert set(first.stages) == {"decode", "separate", "encode"}
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.wav")}
    assert separate(song, name="Abba/Waterloo").status == "skipped"
    assert separator(plugins, str(tmp_path / "out"))(str(song), name="Abba/Waterloo").status == "skipped"
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.wav")} == before
    changed = separator(plugins, tmp_path / "out", output=Output(bit_depth="24"))
    assert changed(song, name="Abba/Waterloo").status == "done"
    assert asdict(first)["song"] == str(song)


@pytest.mark.parametrize(
    "out",
    ["out", pytest.param("memory://taken/out", marks=pytest.mark.skipif(NO_FSSPEC, reason=NEEDS_FSSPEC))],
)
def test_the_stems_of_another_song_stay(plugins: Plugins, tmp_path: Path, out: str) -> None:
    for number, level in ((1, 0.5), (2, 0.1)):
        (tmp_path / f"000{number}").mkdir()
        write_noise(tmp_path / f"000{number}" / "audio.wav", level=level)
    folder = out if "memory" in out else tmp_path / out
    separate = separator(plugins, folder)
    first = separate(tmp_path / "0001/audio.wav")
    with pytest.raises(OutputTakenError, match=r"is a stem of another song than .*0002") as raised:
        separate(tmp_path / "0002/audio.wav")
    assert "replace_others=True" in raised.value.remedy
    with pytest.raises(OutputExistsError):  # other stems, of which there is no record of their own
        separator(plugins, folder, output=Output(stems=("low",)))(tmp_path / "0002/audio.wav")
    assert separate(tmp_path / "0001/audio.wav").status == "skipped"
    assert separate(tmp_path / "0002/audio.wav", name="0002/audio").status == "done"
    replacing = separator(plugins, folder, replace_others=True)
    assert replacing(tmp_path / "0002/audio.wav").outputs == first.outputs
    assert separate(tmp_path / "0002/audio.wav").status == "skipped"


def test_the_command_goes_on_where_a_program_stopped(
    plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song = write_noise(tmp_path / "song.wav")
    separator(plugins, tmp_path / "out", output=Output(codec="flac", bit_depth="24"))(song)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.flac")}
    line = ["separate", str(song), "-m", "small", "-o", str(tmp_path / "out"), "-c", "flac", "-b", "24"]
    assert run([*line, "--resume"], plugins) == 0
    assert capsys.readouterr().out == ""
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.flac")} == before


def test_what_goes_wrong_is_raised(plugins: Plugins, tmp_path: Path) -> None:
    song = write_noise(tmp_path / "song.wav")
    separate = separator(plugins, tmp_path / "out")
    with pytest.raises(AudioFileError, match="no such file"):
        separate(tmp_path / "none.wav")
    (tmp_path / "out/song").mkdir(parents=True)
    (tmp_path / "out/song/low.wav").write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        separate(song)
    assert (tmp_path / "out/song/low.wav").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("song", "name"), [(3, ""), ("ftp://host/a.mp3", ""), ("s3://me:secret@b/a.mp3", ""), ("a.wav", "../x")]
)
def test_arguments_are_checked(plugins: Plugins, tmp_path: Path, song: Any, name: str) -> None:
    with pytest.raises(ArgumentError) as raised:
        separator(plugins, tmp_path)(song, name)
    assert "secret" not in str(raised.value)
    assert raised.value.argument == ("name" if name else "song")


@pytest.mark.parametrize(
    "folder",
    [
        3,
        "https://host/out",
        "s3://me:secret@bucket/out",
        "file://me:secret@host/out",
        "ftp://me:secret@host/out",
    ],
)
def test_folders_are_checked(plugins: Plugins, folder: Any) -> None:
    with pytest.raises(ArgumentError, match="folder") as raised:
        separator(plugins, folder)
    assert "secret" not in str(raised.value)


def test_a_song_that_another_process_holds_is_waited_for(plugins: Plugins, tmp_path: Path) -> None:
    song = write_noise(tmp_path / "song.wav")
    out = tmp_path / "out"
    cancel = Event()
    separate = separator(plugins, out, cancel=cancel)
    name = Manifest(out).name_of([out / "song/low.wav", out / "song/high.wav"])
    outcomes: list[str] = []

    def work() -> None:
        try:
            outcomes.append(separate(song).status)
        except CancelledError:
            outcomes.append("cancelled")

    held = Claims(out / ".stemdock").claim(name)
    assert held is not None
    with held:
        waiting = Thread(target=work)
        waiting.start()
        cancel.set()
        waiting.join(60)
        assert outcomes == ["cancelled"]
        cancel.clear()
        waiting = Thread(target=work)
        waiting.start()
    waiting.join(60)
    assert outcomes == ["cancelled", "done"]


@pytest.mark.skipif(NO_FSSPEC, reason=NEEDS_FSSPEC)
def test_songs_in_memory(plugins: Plugins, tmp_path: Path) -> None:
    import fsspec  # noqa: PLC0415  an extra

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/songs/a.wav", write_noise(tmp_path / "a.wav").read_bytes())
    separate = separator(plugins, "memory://stems/out")
    assert separate("memory://songs/a.wav").outputs["low"] == "memory://stems/out/a/low.wav"
    assert separate("memory://songs/a.wav").status == "skipped"
    local = separator(plugins, tmp_path / "out")
    assert local("memory://songs/a.wav").status == "done"
    for stem in ("low", "high"):
        assert memory.cat_file(f"/stems/out/a/{stem}.wav") == (tmp_path / f"out/a/{stem}.wav").read_bytes()
    memory.pipe_file("/stems/out/a/low.wav", b"changed")
    assert separate("memory://songs/a.wav").status == "done"
    memory.rm("/songs", recursive=True)
    memory.rm("/stems", recursive=True)
