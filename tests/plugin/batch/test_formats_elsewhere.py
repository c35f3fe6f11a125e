"""Projects and films whose songs or results are not on this machine."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from stemdock import Output, SongSeparator
from stemdock.cli.main import run
from support.small_model import write_noise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock import Plugins

pytestmark = pytest.mark.skipif(find_spec("fsspec") is None, reason="needs fsspec: install stemdock[remote]")


@pytest.fixture
def memory() -> Iterator[Any]:
    import fsspec  # noqa: PLC0415  an extra

    files = fsspec.filesystem("memory")
    yield files
    for folder in ("/songs", "/stems"):
        if files.exists(folder):
            files.rm(folder, recursive=True)


def stems_in(memory: Any) -> dict[str, bytes]:
    """The results, without the records."""
    found = memory.find("/stems/out") if memory.exists("/stems/out") else []
    return {
        path.removeprefix("/stems/out/"): memory.cat_file(path) for path in found if "/.stemdock/" not in path
    }


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".stemdock" not in path.parts
    }


def lines_of(project: bytes) -> list[bytes]:
    """Without the numbers that are random."""
    return [line for line in project.splitlines() if b"{" not in line]


@pytest.mark.parametrize(
    ("form", "ending", "sounds"),
    [
        ("rpp", "rpp", "song media/"),
        ("ardour", "ardour", "interchange/song/audiofiles/"),
        ("audacity", "aup", "song_data/song "),
    ],
)
def test_a_project_in_an_object_store_finds_its_sounds(
    form: str,
    ending: str,
    sounds: str,
    plugins: Plugins,
    song: Path,
    memory: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["separate", str(song), "-m", "small", "--as", form, "--mix", "both=low:-6dB+high"]
    assert run([*command, "-o", str(song.parent / "local")], plugins) == 0
    capsys.readouterr()
    assert run([*command, "-o", "memory://stems/out"], plugins) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"memory://stems/out/song/song.{ending}",
        *(f"memory://stems/out/song/{sounds}{name}.wav" for name in ("(mixture)", "low", "high", "both")),
    ]
    found, expected = stems_in(memory), files_in(song.parent / "local")
    project, local = found.pop(f"song/song.{ending}"), expected.pop(f"song/song.{ending}")
    assert found == expected
    assert lines_of(project) == lines_of(local)
    if form == "rpp":
        assert project.count(b'FILE "song media/') == len(found)
    before = stems_in(memory)
    assert run([*command, "-o", "memory://stems/out", "--resume"], plugins) == 0
    assert stems_in(memory) == before
    memory.rm(f"/stems/out/song/{sounds}high.wav")
    assert run([*command, "-o", "memory://stems/out", "--resume"], plugins) == 0
    assert stems_in(memory).keys() == before.keys()


@pytest.mark.parametrize(("form", "ending"), [("rpp", "rpp"), ("ardour", "ardour"), ("audacity", "aup")])
def test_a_project_in_which_somebody_has_saved_stays(
    form: str, ending: str, plugins: Plugins, song: Path, memory: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["separate", str(song), "-m", "small", "--as", form, "-o", "memory://stems/out"]
    assert run(command, plugins) == 0
    memory.pipe_file(f"/stems/out/song/song.{ending}", b"work")
    capsys.readouterr()
    assert run([*command, "--resume"], plugins) == 0
    assert capsys.readouterr().out == ""
    (high,) = (name for name in stems_in(memory) if name.endswith("high.wav"))
    memory.pipe_file(f"/stems/out/{high}", b"damaged")
    assert run([*command, "--resume"], plugins) == 1
    assert "already exists" in capsys.readouterr().err
    assert stems_in(memory)[f"song/song.{ending}"] == b"work"
    assert run([*command, "--resume", "--overwrite"], plugins) == 0
    assert stems_in(memory)[f"song/song.{ending}"] != b"work"


@pytest.mark.parametrize(("form", "name"), [("zip", "song.zip"), ("dawproject", "song.dawproject")])
def test_files_that_hold_all_stems(plugins: Plugins, song: Path, memory: Any, form: str, name: str) -> None:
    command = ["separate", str(song), "-m", "small", "--as", form]
    assert run([*command, "-o", "memory://stems/out"], plugins) == 0
    assert run([*command, "-o", str(song.parent / "local")], plugins) == 0
    found, expected = stems_in(memory), files_in(song.parent / "local")
    assert found.keys() == expected.keys() == {name}
    archives = [zipfile.ZipFile(io.BytesIO(files[name])) for files in (found, expected)]
    assert archives[0].namelist() == archives[1].namelist()
    for each in archives[0].namelist():
        assert archives[0].read(each) == archives[1].read(each)


@pytest.mark.parametrize(
    ("form", "ending", "sounds"),
    [
        ("rpp", "rpp", "Waterloo media/"),
        ("ardour", "ardour", "interchange/Waterloo/audiofiles/"),
        ("audacity", "aup", "Waterloo_data/Waterloo "),
    ],
)
def test_projects_of_a_program_that_separates_songs(
    form: Any, ending: str, sounds: str, plugins: Plugins, song: Path, memory: Any
) -> None:
    for folder in (str(song.parent / "out"), "memory://stems/out"):
        separate = SongSeparator(folder, model="small", plugins=plugins, output=Output(format=form))
        first = separate(song, name="Abba/Waterloo")
        assert first.outputs == {
            form: f"{folder}/Abba/Waterloo/Waterloo.{ending}",
            **{name: f"{folder}/Abba/Waterloo/{sounds}{name}.wav" for name in first.outputs if name != form},
        }
        assert {"low", "high"} < first.outputs.keys()
        assert separate(song, name="Abba/Waterloo").status == "skipped"
    assert stems_in(memory).keys() == files_in(song.parent / "out").keys()


def test_files_in_an_object_store_cannot_grow(
    plugins: Plugins, song: Path, memory: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["separate", str(song), "-m", "small", "-o", "memory://stems/out", "--growing"]
    assert run(command, plugins) == 2
    assert "--growing needs an output folder on this machine" in capsys.readouterr().err
    assert not memory.exists("/stems")


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("out", ["local", "memory://stems/out"])
def test_a_film_from_elsewhere(plugins: Plugins, tmp_path: Path, memory: Any, out: str) -> None:
    film = tmp_path / "film.mkv"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:duration=2"]
    command += ["-i", str(write_noise(tmp_path / "sound.wav")), "-c:v", "mpeg4", "-c:a", "flac", str(film)]
    subprocess.run(command, check=True)
    memory.pipe_file("/songs/film.mkv", film.read_bytes())
    options = ["-m", "small", "--as", "video", "-c", "flac", "--stems", "low"]
    folder = str(tmp_path / "local") if out == "local" else out
    assert run(["separate", "memory://songs/film.mkv", *options, "-o", folder], plugins) == 0
    assert run(["separate", str(film), *options, "-o", str(tmp_path / "expected")], plugins) == 0
    made = files_in(tmp_path / "local") if out == "local" else stems_in(memory)
    assert made.keys() == {"film.mkv"}
    result = tmp_path / "result.mkv"
    result.write_bytes(made["film.mkv"])
    assert packets(result) == packets(tmp_path / "expected/film.mkv")


def packets(film: Path) -> bytes:
    """Times and hashes of pictures and sound."""
    command: list[str | Path] = ["ffmpeg", "-v", "error", "-i", film, "-c", "copy", "-f", "framemd5", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def test_what_is_no_film_is_named_by_its_address(
    plugins: Plugins, song: Path, memory: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    memory.pipe_file("/songs/film.mkv", song.read_bytes())
    options = ["-m", "small", "--as", "video", "-c", "flac", "--stems", "low", "-o", str(song.parent / "out")]
    assert run(["separate", "memory://songs/film.mkv", *options], plugins) == 1
    message = capsys.readouterr().err
    assert "memory://songs/film.mkv" in message
    assert ".stemdock-" not in message
