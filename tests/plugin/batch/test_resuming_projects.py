"""Projects in which people have saved their own work, in a run that resumes."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
import soundfile

from stemdock.cli.main import run
from support.small_model import write_noise

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Plugins


FORMATS = {".rpp": "rpp", ".ardour": "ardour", ".aup": "audacity"}


@pytest.fixture(params=FORMATS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"out/song/song{request.param}"


def command_for(project: Path, *songs: Path) -> list[str]:
    out = str(project.parent.parent)
    return ["separate", *map(str, songs), "-m", "small", "-o", out, "--as", FORMATS[project.suffix]]


def sound_of(project: Path, name: str) -> Path:
    (found,) = project.parent.rglob(f"*{name}.wav")
    return found


def test_a_project_that_was_saved_stays(
    plugins: Plugins, song: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The song is done; other songs of the run are separated."""
    assert run(command_for(project, song), plugins) == 0
    project.write_text("the work of a week")
    other = write_noise(song.with_name("other.wav"))
    capsys.readouterr()
    assert run([*command_for(project, song, other), "--resume"], plugins) == 0
    made = capsys.readouterr().out.splitlines()
    assert made
    assert all("other" in line for line in made)
    assert project.read_text() == "the work of a week"


def test_it_is_not_replaced_if_its_sounds_must_be(
    plugins: Plugins, song: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command_for(project, song), plugins) == 0
    project.write_text("the work of a week")
    low = sound_of(project, "low")
    low.write_bytes(b"damaged")
    other = write_noise(song.with_name("other.wav"))
    assert run([*command_for(project, song, other), "--resume"], plugins) == 1
    assert f"{project}: already exists" in capsys.readouterr().err.replace("\n", " ")
    assert project.read_text() == "the work of a week"
    assert low.read_bytes() == b"damaged"
    assert (project.parent.parent / "other" / project.name.replace("song", "other")).exists()
    assert run([*command_for(project, song), "--resume", "--overwrite"], plugins) == 0
    assert project.read_text() != "the work of a week"
    assert soundfile.info(low).frames == 16000


def test_one_that_nobody_saved_is_replaced_with_its_sounds(
    plugins: Plugins, song: Path, project: Path
) -> None:
    assert run(command_for(project, song), plugins) == 0
    low = sound_of(project, "low")
    low.write_bytes(b"damaged")
    assert run([*command_for(project, song), "--resume"], plugins) == 0
    assert soundfile.info(low).frames == 16000
    assert run([*command_for(project, song), "--resume", "--sample-rate", "16000"], plugins) == 0
    assert soundfile.info(low).frames == 32000
    project.unlink()
    assert run([*command_for(project, song), "--resume", "--sample-rate", "16000"], plugins) == 0
    assert project.exists()


def test_a_project_of_an_interrupted_run_does_not_count_as_done(
    plugins: Plugins, song: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its sounds may be in place already, and the project still the former one."""
    assert run(command_for(project, song), plugins) == 0
    (manifest,) = project.parent.parent.glob(".stemdock/*.json")
    entry = json.loads(manifest.read_text())
    written = project.read_bytes()
    output = project.relative_to(project.parent.parent).as_posix()
    former = b"a former project"
    project.write_bytes(former)
    digest = {"sha256": sha256(former).hexdigest(), "size": len(former)}
    manifest.write_text(json.dumps(entry | {"complete": False, "replaced": {output: digest}}))
    capsys.readouterr()
    assert run([*command_for(project, song), "--resume"], plugins) == 0
    assert str(project) in capsys.readouterr().out
    assert len(project.read_bytes()) == len(written)
