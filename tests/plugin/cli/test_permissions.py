"""Folders that may not be entered, links to themselves, lost working directories: one line, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stemdock.batch.inputs import find_songs
from support.powerless import powerless
from support.small_model import write_noise

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

DRIVER = Path(__file__).parents[2] / "support" / "batch_driver.py"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder with a song, a folder that may not be entered, one that may not be written, and a loop."""
    (tmp_path / "place" / "model").mkdir(parents=True)
    place = tmp_path / "place"
    write_noise(place / "song.wav")
    (place / "locked" / "song").mkdir(parents=True)
    write_noise(place / "locked" / "other.wav")
    (place / "foreign" / "song").mkdir(parents=True)
    (place / "loop").symlink_to("loop")
    (place / "lists.m3u").write_text("locked/other.wav\n")
    (place / "locked").chmod(0)
    (place / "foreign" / "song").chmod(0o555)
    yield place
    (place / "locked").chmod(0o755)
    (place / "foreign" / "song").chmod(0o755)


def separate(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*powerless(), sys.executable, str(DRIVER), str(place / "model"), "separate", *arguments]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (
            ("song.wav", "-m", "small", "-o", "locked"),
            "locked/song: cannot be written to (Permission",
        ),
        (("song.wav", "-m", "small", "-o", "locked/new"), "cannot be written to (Permission denied)"),
        (("song.wav", "-m", "small", "-o", "locked", "--resume"), "cannot be written to (Permission denied)"),
        (
            ("song.wav", "-m", "small", "-o", "foreign"),
            "foreign/song: cannot be written to (Permission",
        ),
        (
            ("song.wav", "-m", "small", "-o", "loop"),
            "loop/song: cannot be written to (loop is a link that leads to itself). Remove loop, or choose",
        ),
        (
            ("song.wav", "-m", "small", "-o", "song.wav"),
            "song.wav/song: cannot be written to (song.wav is a file, not a folder). Choose another folder.",
        ),
        (("loop", "-m", "small"), "loop: cannot be opened (Too many levels"),
        (("locked", "-m", "small"), "locked: cannot be searched (Permission denied)"),
        (("locked/other.wav", "-m", "small"), "locked/other.wav: cannot be opened (Permission denied)"),
        (("locked/*.wav", "-m", "small"), "locked/*.wav: cannot be opened (Permission denied)"),
        (("lists.m3u", "-m", "small"), "(Permission denied): locked/other.wav"),
        (("song.wav", "-m", "locked/m.onnx"), "locked/m.onnx: cannot be read (Permission denied)"),
        (("song.wav", "-m", "loop"), "loop: is a link that leads to itself, not a model"),
    ],
)
def test_a_place_that_is_closed_is_one_line(place: Path, arguments: tuple[str, ...], about: str) -> None:
    done = separate(place, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert about in line
    assert line.count(". ") >= 1
    assert not list(place.rglob(".stemdock*"))


def test_an_open_song_is_separated_beside_a_closed_folder(place: Path) -> None:
    done = separate(place, ".", "-m", "small", "-o", "out")
    assert done.returncode == 1
    assert [Path(line).name for line in done.stdout.splitlines()] == ["low.wav", "high.wav"]
    assert "locked: cannot be searched (Permission denied)" in done.stderr
    assert "2 songs: 1 done, 1 failed" in done.stderr


def test_a_working_directory_that_may_not_be_entered(place: Path) -> None:
    """Absolute paths work in it, relative ones are one line."""
    here = place / "here"
    here.mkdir()
    script = f"cd {here} && chmod 0 . && exec {sys.executable} {DRIVER} {place / 'model'} separate"
    for output, status in ((str(place / "out"), 0), ("out", 1)):
        done = subprocess.run(
            [*powerless(), "sh", "-c", f"{script} {place / 'song.wav'} -m small -o {output}"],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        assert len(done.stderr.splitlines()) == status
        here.chmod(0o755)
    assert "out/song: cannot be written to (Permission denied)" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps working directories")
def test_a_working_directory_that_was_removed(place: Path) -> None:
    gone = place / "gone"
    script = (
        f"mkdir {gone} && cd {gone} && rmdir {gone} && "
        f"exec {sys.executable} {DRIVER} {place / 'model'} separate"
    )
    for output, status in ((str(place / "out"), 0), ("out", 1)):
        done = subprocess.run(
            ["sh", "-c", f"{script} {place / 'song.wav'} -m small -o {output}"],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        assert len(done.stderr.splitlines()) == status
    assert "the working directory: No such file or directory" in done.stderr


def test_a_pattern_is_one_where_the_system_knows_no_such_name(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses to look such a name up, with error 123."""

    stat = os.stat

    def windows_stat(path: str | os.PathLike[str], **options: object) -> os.stat_result:
        if "*" in os.fspath(path):
            error = OSError(22, "The filename, directory name, or volume label syntax is incorrect")
            error.winerror = 123  # type: ignore[attr-defined]
            raise error
        return stat(path, **options)  # type: ignore[arg-type]

    monkeypatch.chdir(place)
    monkeypatch.setattr(os, "stat", windows_stat)
    assert [str(song.path) for song in find_songs(["*.wav"])] == ["song.wav"]
    (none,) = find_songs(["*.mp3"])
    assert none.fault
    assert "no audio file matches this pattern" in str(none.fault)
