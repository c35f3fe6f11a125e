"""Songs of a batch whose files grow: with workers, kills and other runs, and on standard output."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from stemdock import Observer, Output, Plugins, Separator, remove_abandoned, separate_file
from stemdock.batch.events import Done, SongPlan
from stemdock.batch.manifest import Manifest
from stemdock.batch.planning import conflicts
from stemdock.batch.recipe import SeparationRecipe
from stemdock.batch.resuming import may_replace
from stemdock.batch.running import run_batch
from stemdock.batch.songs import Song
from stemdock.batch.worker_pool import WorkerPool
from stemdock.batch.worker_process import Processes
from stemdock.cli.main import run
from stemdock.files.excerpts import WHOLE_SONG
from stemdock.types import Execution, Separation
from support.small_model import SmallPlugin, SmallSession, small_card, write_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
DRIVER = ROOT / "support" / "batch_driver.py"


class MortalSession(SmallSession):
    """Kills its process once, as soon as a file has appeared."""

    def __init__(self, growing: Path, died: Path) -> None:
        super().__init__(small_card())
        self.growing = growing
        self.died = died

    def run(self, magnitude: NDArray[np.float32], cancel: Event | None = None) -> list[NDArray[np.float32]]:
        if self.growing.exists() and not self.died.exists():
            self.died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(magnitude, cancel)


class MortalPlugin(SmallPlugin):
    """The small model with that session."""

    def __init__(self, folder: Path, growing: Path) -> None:
        super().__init__(folder)
        self.session = MortalSession(growing, folder / "died")


def recipe_for(folder: Path, plugins: Plugins, **changes: Any) -> SeparationRecipe:
    values: dict[str, Any] = {
        "model": "small", "plugins": plugins, "execution": Execution(), "separation": Separation(),
        "root": folder, "output": Output(), "excerpt": WHOLE_SONG, "downmix": "refuse", "track": None,
        "options": {}, "resume": False, "overwrite": False, "growing": True,
    }  # fmt: skip
    return SeparationRecipe(**{**values, **changes})


def plan_of(song: Path, folder: Path) -> SongPlan:
    targets = {stem: folder / song.stem / f"{stem}.wav" for stem in ("low", "high")}
    return SongPlan(number=1, song=Song(path=song), targets=targets)


def long_song(path: Path) -> Path:
    """Noise of many segments."""
    import soundfile  # noqa: PLC0415

    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (80_000, 2)).astype(np.float32)
    soundfile.write(path, samples, 8000, subtype="FLOAT")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
@pytest.mark.parametrize("before", [None, b"precious"])
def test_a_worker_that_dies_while_files_grow(
    small_separator: Separator, tmp_path: Path, before: bytes | None
) -> None:
    song, out = long_song(tmp_path / "song.wav"), tmp_path / "out"
    (tmp_path / "model").mkdir()
    growing = out / "song/high.wav"
    if before:
        (out / "song").mkdir(parents=True)
        (out / "song/low.wav").write_bytes(before)
    plugins = Plugins()
    plugins.register(MortalPlugin(tmp_path / "model", growing), "small", "a test")
    recipe = recipe_for(out, plugins, overwrite=before is not None)
    (event,) = (
        each
        for each in run_batch(
            [plan_of(song, out)], WorkerPool([recipe], Processes(), cancel=Event(), clean=recipe.clean)
        )
        if isinstance(each, Done)
    )
    assert (tmp_path / "model/died").exists()
    expected = separate_file(small_separator, song, tmp_path / "expected")
    assert contents(out / "song") == contents(tmp_path / "expected")
    assert event.separated.files.keys() == expected.files.keys()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_what_a_killed_run_let_grow_is_withdrawn(tmp_path: Path) -> None:
    """Files that were replaced come back, and further files stay."""
    song, out = long_song(tmp_path / "song.wav"), tmp_path / "out"
    out.mkdir()
    for name in ("low.wav", "other.wav"):
        (out / name).write_bytes(b"precious")
    done = subprocess.run([sys.executable, "-c", _KILLED, tmp_path, ROOT, song, out], check=False)
    assert done.returncode == -signal.SIGKILL
    assert {"low.wav", "high.wav", "other.wav"} < {path.name for path in out.iterdir()}
    assert (out / "low.wav").stat().st_size > len(b"precious")
    remove_abandoned(out)
    assert contents(out) == {"low.wav": b"precious", "other.wav": b"precious"}


_KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from stemdock import Observer, Plugins, Separator, separate_file
from support.small_model import SmallPlugin

def die(_):
    if (Path(sys.argv[4]) / "high.wav").exists():
        os.kill(os.getpid(), signal.SIGKILL)

plugins = Plugins()
plugins.register(SmallPlugin(Path(sys.argv[1])), "small")
separate_file(
    Separator("small", plugins=plugins), sys.argv[3], sys.argv[4], growing=True, overwrite=True,
    observer=Observer(on_progress=die),
)
"""


def test_complete_files_stay_when_a_run_is_killed_at_its_end(
    small_separator: Separator, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if its folder for temporary files had not been removed."""
    monkeypatch.setattr("stemdock.files.staging._remove", lambda _, lock: lock.release())
    made = separate_file(small_separator, song, tmp_path / "out", growing=True, overwrite=True)
    assert len(list((tmp_path / "out").glob(".stemdock-*"))) == 1
    monkeypatch.undo()
    before = {path: path.read_bytes() for path in made.files.values()}
    remove_abandoned(tmp_path / "out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_files_that_another_run_lets_grow_are_no_obstacle_to_resuming(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    """The song is claimed by that run; a run without --resume does not start."""
    plan = plan_of(song, tmp_path / "out")
    manifest = Manifest(tmp_path / "out")
    found: list[tuple[int, int]] = []

    def n_refused(*, resume: bool) -> int:
        allowed = partial(may_replace, manifest=manifest, resume=resume, overwrite=False)
        return len(conflicts([plan], may_replace=allowed))

    def look(name: str, _: bytes) -> None:
        if name == "high" and not found:
            found.append((n_refused(resume=False), n_refused(resume=True)))

    separate_file(small_separator, song, plan.files, growing=True, observer=Observer(on_encoded=look))
    assert found
    assert found[0][0] >= 1
    assert found[0][1] == 0
    assert n_refused(resume=True) == 2  # complete, and in no manifest


def test_recipes_pass_between_processes(plugins: Plugins, tmp_path: Path) -> None:
    output = Output(codec="flac", mixes={"both": ("low:-3dB:L30", "high")})
    recipe = recipe_for(tmp_path, plugins, output=output)
    passed = pickle.loads(pickle.dumps(recipe))  # noqa: S301
    assert replace(passed, plugins=recipe.plugins) == recipe


def test_a_disk_without_links(
    plugins: Plugins,
    song: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    """Nothing grows there but standard output, which needs no links."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("stemdock.files.growing.os.link", refuse)
    command = ["separate", str(song), "-m", "small", "--stems", "low", "--growing"]
    assert run([*command, "-o", str(tmp_path / "out")], plugins) == 1
    assert b"cannot grow in this folder" in capfdbinary.readouterr().err
    assert run([*command, "-o", "-"], plugins) == 0
    assert capfdbinary.readouterr().out.startswith(b"RIFF")


@pytest.mark.slow
def test_workers_let_files_grow(tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    (tmp_path / "model").mkdir()
    for number in range(3):
        write_noise(tmp_path / f"songs/{number}.wav", level=0.1 * (number + 1))
    results = []
    for options in (["--workers", "2", "--growing"], []):
        command: list[str | Path] = [
            sys.executable,
            DRIVER,
            tmp_path / "model",
            "separate",
            tmp_path / "songs",
            "-m",
            "small",
        ]
        command += ["--mix", "both=low:-3dB+high", "-o", tmp_path / "out", "--overwrite", *options]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        results.append({path: path.read_bytes() for path in (tmp_path / "out").rglob("*.wav")})
    assert len(results[0]) == 9
    assert results[0] == results[1]
    assert not list((tmp_path / "out").rglob(".stemdock-*"))


def one_stem(song: Path, folder: Path, *options: str) -> list[str | Path]:
    """The command for one stem, in a process of its own."""
    (folder / "model").mkdir()
    line: list[str | Path] = [sys.executable, DRIVER, folder / "model", "separate", song, "-m", "small"]
    return [*line, "--stems", "low", *options]


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["wav", "mp3"])
def test_one_song_on_standard_output_with_a_report_and_workers(
    plugins: Plugins, song: Path, tmp_path: Path, codec: str
) -> None:
    command = one_stem(song, tmp_path, "-c", codec, "-o", "-", "--workers", "2", "--report")
    done = subprocess.run(command, check=True, capture_output=True, timeout=300)
    out = tmp_path / "out"
    line = ["separate", str(song), "-m", "small", "--stems", "low", "-c", codec, "-o", str(out)]
    assert run(line, plugins) == 0
    assert done.stdout == (out / f"song/low.{codec}").read_bytes()
    assert b"songs an hour" in done.stderr


@pytest.mark.slow
def test_a_report_when_the_reader_has_left(song: Path, tmp_path: Path) -> None:
    """Who asked for it gets it; the summary is left out."""
    command = one_stem(song, tmp_path, "-o", "-", "--report")
    with subprocess.Popen(["true"], stdin=subprocess.PIPE) as reader:
        reader.wait()
        done = subprocess.run(command, check=False, stdout=reader.stdin, stderr=subprocess.PIPE, timeout=300)
    assert done.returncode == 141
    assert b"error" not in done.stderr
    assert b"songs an hour" in done.stderr
