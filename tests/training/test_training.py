"""Whole trainings: resumed, cancelled, killed, with a full disk, from another checkpoint, to a model."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from stemdock import Separator, load_plugins
from stemdock_audacity.nyquist.texts import plugin_texts
from stemdock_export.bundle import Bundle
from stemdock_export.checkpoint import find_checkpoint
from stemdock_export.config import load_config
from stemdock_export.errors import CheckpointError
from stemdock_training import finishing
from stemdock_training import run as run_module
from stemdock_training.config import load_training_config
from stemdock_training.errors import DivergedError, TrainingOptionError, TrainingWriteError
from stemdock_training.loop import checkpoints
from stemdock_training.loop.starting import Source, start_from
from stemdock_training.run import Training, train
from support.training_songs import make_musdb, write_config

pytestmark = [pytest.mark.export, pytest.mark.slow]

N_STEPS = 6


class Recorder:
    """Remembers the losses, and does something at one step."""

    def __init__(self, at: int = 0, action: Any = None) -> None:
        self.losses: dict[int, float] = {}
        self.validations: dict[int, float] = {}
        self._at, self._action = at, action

    def stepped(self, step: int, losses: Any) -> None:
        self.losses[step] = losses.total
        if step == self._at:
            self._action()

    def validated(self, step: int, losses: Any) -> None:
        self.validations[step] = losses.total

    def saved(self, step: int) -> None:
        pass


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_musdb(tmp_path_factory.mktemp("training") / "songs")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_config(tmp_path_factory.mktemp("config") / "small.json")


@pytest.fixture(autouse=True)
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEMDOCK_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends trainings without export, which takes longer than they do."""
    monkeypatch.setattr(finishing, "install", lambda *_, **__: None)


def run(songs: Path, config: Path, folder: Path, recorder: Recorder | None = None, **changes: Any) -> Any:
    cancel, lines = changes.pop("cancel", Event()), changes.pop("lines", [])
    options: dict[str, Any] = {"n_steps": N_STEPS, "name": folder.name} | changes
    training = Training(
        data=songs,
        folder=folder,
        network=load_config(str(config)),
        config=load_training_config(str(config)),
        listeners=[recorder] if recorder else [],
        **options,
    )
    return train(training, load_plugins(), echo=lines.append, cancel=cancel)


def final_values(folder: Path) -> dict[str, Any]:
    bundle = Bundle(find_checkpoint(folder))
    return {name: bundle.read(name) for name in bundle.shapes if name != "global_step"}


@pytest.fixture(scope="module")
def undisturbed(
    songs: Path, config: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Recorder, dict[str, Any]]:
    recorder, folder = Recorder(), tmp_path_factory.mktemp("undisturbed") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finishing, "install", lambda *_, **__: None)
        run(songs, config, folder, recorder, dropout=0.3, augment=True)
    assert list(recorder.losses) == list(range(1, N_STEPS + 1))
    assert N_STEPS in recorder.validations
    return recorder, final_values(folder)


@pytest.mark.parametrize("step", [2, 4])
@pytest.mark.usefixtures("no_model")
def test_a_cancelled_training_goes_on_with_the_same_losses(
    step: int, songs: Path, config: Path, tmp_path: Path, undisturbed: Any
) -> None:
    cancel = Event()
    first, second, folder = Recorder(step, cancel.set), Recorder(), tmp_path / "small"
    assert run(songs, config, folder, first, cancel=cancel, dropout=0.3, augment=True) is None
    assert list(first.losses) == list(range(1, step + 1))
    run(songs, config, folder, second, dropout=0.3, augment=True)
    recorder, values = undisturbed
    assert first.losses | second.losses == recorder.losses
    assert min(second.losses) == step + 1
    resumed = final_values(folder)
    assert resumed.keys() == values.keys()
    for name, value in values.items():
        np.testing.assert_array_equal(resumed[name], value, err_msg=name)


@pytest.mark.usefixtures("no_model")
def test_a_training_that_stops_before_its_first_step_starts_from_the_checkpoint_later(
    songs: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(songs, config, tmp_path / "first", n_steps=1)
    source = Source(folder=tmp_path / "first", config=load_config(str(config)), branches={})
    cancel, folder = Event(), tmp_path / "small"
    with monkeypatch.context() as patch:
        # After the check of the songs, which ends a cancelled training, too.
        prepared = run_module._prepared

        def cancelled(*words: Any) -> Any:
            cancel.set()
            return prepared(*words)

        patch.setattr(run_module, "_prepared", cancelled)
        assert run(songs, config, folder, cancel=cancel) is None
    assert not list(folder.glob("*ckpt*"))
    assert not (folder / "checkpoint").exists()
    lines: list[str] = []
    straight, later = Recorder(), Recorder()
    run(songs, config, tmp_path / "straight", straight, source=source, n_steps=1)
    run(songs, config, folder, later, source=source, n_steps=1, lines=lines)
    assert later.losses == straight.losses
    assert not any("--from" in line for line in lines)


@pytest.mark.usefixtures("no_model")
def test_a_training_that_goes_on_says_that_it_does_not_start_from_another(
    songs: Path, config: Path, tmp_path: Path
) -> None:
    for name in ("first", "small"):
        run(songs, config, tmp_path / name, n_steps=1)
    source = Source(folder=tmp_path / "first", config=load_config(str(config)), branches={})
    lines: list[str] = []
    run(songs, config, tmp_path / "small", source=source, n_steps=2, lines=lines)
    (line,) = [each for each in lines if "--from" in each]
    assert "is not used" in line
    assert "going on from step 1" in "".join(lines)


@pytest.mark.usefixtures("no_model")
def test_weights_that_are_no_numbers_are_not_saved(songs: Path, config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    run(songs, config, folder, n_steps=1)
    before = final_values(folder)
    wild = write_config(tmp_path / "wild.json", learning_rate=1e38, save_checkpoints_steps=1)
    with pytest.raises(DivergedError, match="step 2") as caught:
        run(songs, wild, folder)
    assert caught.value.step == 2
    assert find_checkpoint(folder).prefix.name == "model.ckpt-1"
    after = final_values(folder)
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.usefixtures("no_model")
def test_checkpoints_of_other_names_stay(songs: Path, config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    run(songs, config, folder, n_steps=1)
    kept = [
        folder / name for name in ("model.ckpt-best.index", "model.ckpt-1-copy.index", "model.ckpt-1.txt")
    ]
    for path in kept:
        path.write_text("mine")
    run(songs, config, folder, n_steps=2)
    assert all(path.exists() for path in kept)
    assert not (folder / "model.ckpt-1.index").exists()


@pytest.mark.usefixtures("no_model")
def test_a_damaged_checkpoint_of_the_training_is_named(songs: Path, config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    run(songs, config, folder, n_steps=1)
    (folder / "model.ckpt-1.data-00000-of-00001").write_bytes(b"too short")
    with pytest.raises(CheckpointError, match=r"model\.ckpt-1:") as caught:
        run(songs, config, folder)
    assert "archive" not in caught.value.remedy
    assert "--output" in caught.value.remedy


def test_a_bad_start_is_named_before_the_songs_are_checked(songs: Path, config: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    network = load_config(str(config))
    source = Source(folder=tmp_path / "nowhere", config=network, branches={})
    with pytest.raises(CheckpointError, match="folder not found"):
        run(songs, config, tmp_path / "small", source=source, lines=lines)
    assert not lines
    assert not (tmp_path / "small").exists()


@pytest.mark.usefixtures("no_model")
def test_the_wrong_configuration_of_a_start_is_named(songs: Path, config: Path, tmp_path: Path) -> None:
    run(songs, config, tmp_path / "first", n_steps=1)
    wider = load_config(str(write_config(tmp_path / "three.json", stems=["guitar", "voice", "rest"])))
    source = Source(folder=tmp_path / "first", config=wider, branches={})
    with pytest.raises(CheckpointError, match="conv2d_14/kernel") as caught:
        start_from(source, wider, 0)
    assert "--from-config" in caught.value.remedy


def test_ctrl_c_ends_the_check_of_the_songs(songs: Path, config: Path, tmp_path: Path) -> None:
    cancel = Event()
    lines: list[str] = []

    class Stopping:
        def append(self, line: str) -> None:
            lines.append(line)
            cancel.set()

    assert run(songs, config, tmp_path / "small", cancel=cancel, lines=Stopping()) is None
    assert lines == ["checking song 1/3"]
    assert not (tmp_path / "small").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from training.test_training import Recorder, run
songs, config, folder = map(Path, sys.argv[1:4])
recorder = Recorder(5, lambda: os.kill(os.getpid(), signal.SIGKILL))
run(songs, config, folder, recorder, dropout=0.3, augment=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.usefixtures("no_model")
def test_a_killed_training_goes_on_with_the_same_losses(
    songs: Path, config: Path, tmp_path: Path, undisturbed: Any
) -> None:
    folder, tests = tmp_path / "small", Path(__file__).parents[1]
    command: list[str | Path] = [sys.executable, "-c", KILLED, songs, config, folder, tests]
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    recorder = Recorder()
    run(songs, config, folder, recorder, dropout=0.3, augment=True)
    # The last checkpoint before step 5 is that of step 3.
    assert recorder.losses == {step: undisturbed[0].losses[step] for step in (4, 5, 6)}


@pytest.mark.usefixtures("no_model")
def test_a_full_disk_leaves_the_last_checkpoint(
    songs: Path, config: Path, tmp_path: Path, undisturbed: Any
) -> None:
    resource = pytest.importorskip("resource", reason="needs limits of file sizes")
    folder = tmp_path / "small"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    recorder = Recorder(4, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard)))
    try:
        with pytest.raises(TrainingWriteError, match="the last complete checkpoint is kept"):
            run(songs, config, folder, recorder, dropout=0.3, augment=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert find_checkpoint(folder).prefix.name == "model.ckpt-3"
    assert {path.name for path in folder.glob("model.ckpt*")} == {
        "model.ckpt-3.index",
        "model.ckpt-3.data-00000-of-00001",
    }
    recorder = Recorder()
    run(songs, config, folder, recorder, dropout=0.3, augment=True)
    assert recorder.losses == {step: undisturbed[0].losses[step] for step in (4, 5, 6)}


@pytest.mark.usefixtures("no_model")
def test_an_interrupted_save_leaves_the_last_checkpoint(
    songs: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "small"
    run(songs, config, folder, n_steps=3)
    before = final_values(folder)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_atomically", fail)
    with pytest.raises(TrainingWriteError, match="No space left"):
        run(songs, config, folder)
    after = final_values(folder)
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.usefixtures("no_model")
def test_two_trainings_do_not_share_a_folder(songs: Path, config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "small"

    def again() -> None:
        with pytest.raises(TrainingOptionError, match="another process trains"):
            run(songs, config, folder)

    run(songs, config, folder, Recorder(1, again), n_steps=1)


def test_the_end_is_a_model_that_separates(
    songs: Path, config: Path, tmp_path: Path, own_models: Path
) -> None:
    entry = run(songs, config, tmp_path / "my-band", n_steps=2)
    assert entry.name == "my-band"
    assert own_models in entry.path.parents
    assert "my-band" in {each.name for each in load_plugins().models()}
    for command in (["models", "list"], ["ardour", "models"]):
        words = [sys.executable, "-m", "stemdock", *command]
        assert "my-band" in subprocess.run(words, check=True, capture_output=True, text=True).stdout
    dialog = plugin_texts(
        load_plugins().models(), folder="/", settings="/", program="/", marker="/", translated={}
    )
    assert any('"my-band"' in text for text in dialog.values())
    mixture = np.random.default_rng(1).normal(0, 0.1, (8000, 2)).astype(np.float32)
    assert list(Separator("my-band").separate(mixture, 8000)) == ["voice", "rest"]
    with pytest.raises(Exception, match="already exists"):
        run(songs, config, tmp_path / "my-band", n_steps=2)


@pytest.mark.usefixtures("no_model")
def test_an_early_look_has_stems_and_a_page(songs: Path, config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    run(songs, config, folder, n_steps=3, look_every=0)
    look = folder / "looks" / "step-3"
    assert {path.name for path in look.glob("[!.]*")} == {"voice.wav", "rest.wav", "preview.html"}


@pytest.mark.usefixtures("no_model")
def test_fine_tuning_starts_at_the_checkpoint_and_a_new_stem_at_another_s(
    songs: Path, config: Path, tmp_path: Path
) -> None:
    run(songs, config, tmp_path / "first", n_steps=3)
    trained = final_values(tmp_path / "first")
    network = load_config(str(config))
    source = Source(folder=tmp_path / "first", config=network, branches={})
    values = start_from(source, network, 0)
    assert all(np.array_equal(values[name], trained[name]) for name in values)

    wider = load_config(str(write_config(tmp_path / "three.json", stems=["guitar", "voice", "rest"])))
    source = Source(folder=tmp_path / "first", config=network, branches={"guitar": "rest"})
    values = start_from(source, wider, 0)
    # Places of the stems, and so the names of their variables, have moved.
    for new, old in (("conv2d", "conv2d_7"), ("conv2d_7", "conv2d"), ("conv2d_14", "conv2d_7")):
        np.testing.assert_array_equal(values[f"{new}/kernel"], trained[f"{old}/kernel"])
    three = make_musdb(tmp_path / "songs", ("guitar", "voice", "rest"))
    recorder = Recorder()
    run(three, tmp_path / "three.json", tmp_path / "second", recorder, n_steps=1, source=source)
    assert list(recorder.losses) == [1]


@pytest.mark.parametrize(
    ("branches", "reason"),
    [({"guitar": "rest"}, "no stem guitar"), ({"rest": "piano"}, "no stem piano")],
)
def test_a_start_from_nothing_is_refused(
    branches: dict[str, str], reason: str, config: Path, tmp_path: Path
) -> None:
    network = load_config(str(config))
    with pytest.raises(TrainingOptionError, match=reason):
        start_from(Source(folder=tmp_path, config=network, branches=branches), network, 0)
