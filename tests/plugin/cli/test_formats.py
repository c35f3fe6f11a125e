"""plugin-cli separate --as: one file for all stems of a song."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from stemdock.batch.manifest import Manifest
from stemdock.cli.main import run
from stemdock.cli.streams import OutputStream
from support.mixtures import SONG
from support.mp4_tree import file_tree
from support.small_model import write_noise

if TYPE_CHECKING:
    from stemdock import Plugins

pytestmark = pytest.mark.slow
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


@pytest.fixture
def out(tmp_path: Path) -> list[str]:
    return ["-m", "small", "-o", str(tmp_path / "out"), "--as", "stem"]


def part_names(data: bytes) -> list[str]:
    content = json.loads(file_tree(data).only(b"moov", b"udta", b"stem").content)
    return [part["name"] for part in content["stems"]]


@needs_ffmpeg
@pytest.mark.parametrize(
    ("options", "name", "codec"),
    [
        ([], "audio_example.stem.m4a", b"mp4a"),
        (["-c", "alac", "-b", "16"], "audio_example.stem.m4a", b"alac"),
        (["-f", "{artist}/{title}.stem.mp4"],
         "Steven M Bryant/Slow Motion Dream (ft. CSoul,Alex Beroza & Robert Siekawitch).stem.mp4", b"mp4a"),
    ],
)  # fmt: skip
def test_one_file_for_each_song(
    plugins: Plugins, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str],
    options: list[str], name: str, codec: bytes,
) -> None:  # fmt: skip
    assert run(["separate", str(SONG), *out, *options], plugins) == 0
    path = tmp_path / "out" / name
    assert capsys.readouterr().out.splitlines() == [str(path)]
    files = [found for found in (tmp_path / "out").rglob("*") if found.is_file()]
    assert [found for found in files if ".stemdock" not in found.parts] == [path]
    assert part_names(path.read_bytes()) == ["Low", "High", "Silence", "Silence"]
    assert codec in path.read_bytes()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["-c", "wav"], "cannot contain wav. Use m4a or alac."),
        (["-f", "{filename}.m4a"], "End it with .stem.m4a or .stem.mp4."),
        (["--mix", "a=low"], "contains no mixes"),
        (["--sample-rate", "48000"], "does not support 48000 Hz. Use 44100 Hz."),
        (["--stems", "guitar"], "its stems: low, high"),
        (["--preview"], "--preview cannot be used with --as"),
        (["--bitrate", "9999k"], "m4a does not support 9999k"),
    ],
)
def test_what_cannot_be_combined(
    plugins: Plugins, song: Path, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str],
    options: list[str], reason: str,
) -> None:  # fmt: skip
    assert run(["separate", str(song), *out, *options], plugins) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ([], "song.dawproject"),
        (
            ["-c", "flac", "--mix", "m=low+high", "-f", "{model}/{title}.dawproject"],
            "small/song.dawproject",
        ),
    ],
)
def test_a_project_for_each_song(
    plugins: Plugins, song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    options: list[str], name: str,
) -> None:  # fmt: skip
    command = ["separate", str(song), "-m", "small", "-o", str(tmp_path / "out"), "--as", "dawproject"]
    assert run([*command, *options], plugins) == 0
    path = tmp_path / "out" / name
    assert capsys.readouterr().out == f"{path}\n"
    assert "project.xml" in ZipFile(io.BytesIO(path.read_bytes())).namelist()
    assert run([*command, *options, "--resume"], plugins) == 0
    assert capsys.readouterr().out == ""


def test_an_archive_on_standard_output(plugins: Plugins, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All stems at once, which standard output cannot hold otherwise."""
    sent = io.BytesIO()
    monkeypatch.setattr("sys.stdout", OutputStream(io.TextIOWrapper(sent, write_through=True)))
    assert run(["separate", str(song), "-m", "small", "-o", "-", "--as", "zip", "-c", "mp3"], plugins) == 0
    assert ZipFile(io.BytesIO(sent.getvalue())).namelist() == ["song/low.mp3", "song/high.mp3"]


@needs_ffmpeg
def test_resuming(
    plugins: Plugins, song: Path, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A complete file is skipped; one that another program has changed, or other options, make a new one."""
    path = tmp_path / "out" / "song.stem.m4a"
    command = ["separate", str(song), *out, "--resume"]
    assert run(command, plugins) == 0
    data = path.read_bytes()
    capsys.readouterr()
    assert run(command, plugins) == 0
    assert capsys.readouterr().out == ""
    path.write_bytes(data[:-9])
    assert run(command, plugins) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert part_names(path.read_bytes()) == part_names(data)
    assert run([*command, "-c", "alac"], plugins) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert b"alac" in path.read_bytes()


@needs_ffmpeg
def test_an_existing_file_stays(
    plugins: Plugins, song: Path, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out" / "song.stem.m4a"
    path.parent.mkdir()
    path.write_text("precious")
    assert run(["separate", str(song), *out], plugins) == 1
    assert "already exists" in capsys.readouterr().err
    assert path.read_text() == "precious"
    assert run(["separate", str(song), *out, "--overwrite"], plugins) == 0
    assert part_names(path.read_bytes())


@needs_ffmpeg
def test_standard_output(plugins: Plugins, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = io.BytesIO()
    monkeypatch.setattr("sys.stdout", OutputStream(io.TextIOWrapper(sent, write_through=True)))
    assert run(["separate", str(song), "-m", "small", "-o", "-", "--as", "stem"], plugins) == 0
    assert part_names(sent.getvalue()) == ["Low", "High", "Silence", "Silence"]


def test_runs_without_a_format_are_resumed_as_before(plugins: Plugins, song: Path, tmp_path: Path) -> None:
    """The format must not be among the options that an entry without one is compared with."""
    assert run(["separate", str(song), "-m", "small", "-o", str(tmp_path / "out")], plugins) == 0
    stems = list((tmp_path / "out").rglob("*.wav"))
    provenance = Manifest(tmp_path / "out").provenance_of(stems)
    assert provenance is not None
    assert "format" not in provenance.options
    assert provenance.options["codec"] == "wav"


@pytest.mark.parametrize("form", ["rpp", "ardour", "audacity", "dawproject"])
@pytest.mark.parametrize("name", ["(mixture)", "(Mixture)", "{form}"])
def test_names_that_projects_use_themselves(
    plugins: Plugins, song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, name: str
) -> None:
    name = name.format(form=form)
    command = ["separate", str(song), "-m", "small", "-o", str(tmp_path / "out"), "--as", form]
    assert run([*command, "--mix", f"{name}=low"], plugins) == 2
    assert f"the name {name} is already used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (["--as", "rpp"], "Use --as zip"),
        (["--as", "ardour", "--stems", "low"], "Use --as zip"),
        (["--mix", "a=low"], "Leave the stems out with --stems none."),
        ([], "Choose one stem with --stems, or write all of them with --as zip."),
    ],
)
def test_what_standard_output_cannot_hold(
    plugins: Plugins, song: Path, capsys: pytest.CaptureFixture[str], options: list[str], remedy: str
) -> None:
    assert run(["separate", str(song), "-m", "small", "-o", "-", *options], plugins) == 2
    assert remedy in capsys.readouterr().err
    assert run(["separate", str(song), str(SONG), "-m", "small", "-o", "-", *options], plugins) == 2
    assert "Name one song, and" in capsys.readouterr().err


@pytest.mark.parametrize("progress", ["auto", "json"])
def test_warnings_name_standard_output(
    plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    progress: str,
) -> None:  # fmt: skip
    song = write_noise(tmp_path / "loud.wav", level=4, sample_rate=11025)
    sent = io.TextIOWrapper(io.BytesIO(), write_through=True)
    monkeypatch.setattr("sys.stdout", OutputStream(sent))
    command = ["separate", str(song), "-m", "small", "-o", "-", "-c", "opus", "--stems", "low"]
    assert run([*command, "--progress", progress], plugins) == 0
    error = capsys.readouterr().err
    if progress == "auto":
        assert "warning: -: opus does not support 11025 Hz" in error
        assert "warning: -: " in error.replace("warning: -: opus", "")
        assert ".stemdock" not in error
        return
    (done,) = [event for line in error.splitlines() if (event := json.loads(line))["event"] == "done"]
    assert done["outputs"] == {"low": "-"}
    assert done["warnings"][0].startswith("-: ")


def test_a_session_with_a_long_name_has_a_folder_of_that_name(
    plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song = write_noise(tmp_path / f"{'é' * 119}x.wav")
    command = ["separate", str(song), "-m", "small", "-o", str(tmp_path / "out"), "--as", "ardour"]
    for options in ([], ["-f", "{model}/{filename}/{filename}.ardour"]):
        assert run([*command, *options], plugins) == 0
        session = Path(capsys.readouterr().out.splitlines()[0])
        assert session.name == f"{session.parent.name}.ardour"
        assert len(session.name.encode()) <= 240
        assert (session.parent / "interchange" / session.stem / "audiofiles" / "low.wav").exists()
