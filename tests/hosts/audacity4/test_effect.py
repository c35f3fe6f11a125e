"""The shipped effect in a model of Audacity 4, with the real library, program and worker."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest
import soundfile

from stemdock import Output, Separator, load_plugins, separate_file
from stemdock_audacity.audacity4 import setup
from stemdock_audacity.audacity4.places import Audacity4 as Place
from support.audacity4.host import Audacity4, Track
from support.audacity4.library import Library
from support.release_server import Fault, ReleaseServer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.slow
DASH = " \N{EN DASH} "
STEMS = ("vocals", "accompaniment")


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEMDOCK_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(setup, "state_folder", lambda: tmp_path / "state")
    monkeypatch.setattr(setup, "running_programs", lambda *_: {})
    return tmp_path / "state/jobs"


@pytest.fixture
def extension(tmp_path: Path, with_library: None, jobs: Path) -> Path:  # noqa: ARG001  both prepare
    """The folder of the installed extension."""
    place = Place(data=tmp_path / "Audacity/Audacity4")
    setup.install(place)
    (folder,) = place.extensions.iterdir()
    return folder


@pytest.fixture
def audacity(extension: Path) -> Audacity4:
    (path,) = extension.glob("platform/*/*/stemdock.so")
    return Audacity4(extension, Library(path))


@pytest.fixture(scope="module")
def mixture(example: Path) -> NDArray[np.float32]:
    samples: NDArray[np.float32]
    samples, rate = soundfile.read(example, dtype="float32", always_2d=True)
    assert rate == 44100
    return samples


def separated(
    folder: Path, samples: NDArray[np.float32], rate: int, **output: Any
) -> dict[str, NDArray[np.float32]]:
    """What the command line makes of these samples."""
    folder.mkdir(exist_ok=True)
    path = folder / "mixture.wav"
    soundfile.write(path, samples, rate, subtype="FLOAT")
    done = separate_file(Separator("2stems"), path, folder / "out", output=Output(**output))
    return {
        name: soundfile.read(file, dtype="float32", always_2d=True)[0] for name, file in done.files.items()
    }


def test_the_stems_are_those_of_the_command_line(
    audacity: Audacity4, mixture: NDArray[np.float32], jobs: Path, tmp_path: Path
) -> None:
    audacity.tracks = [Track(name="song", sample_rate=44100, samples=mixture)]
    outcome = audacity.apply()
    assert (outcome.state, outcome.value) == ("resolved", True)
    assert [(track.name, track.sample_rate, track.start) for track in audacity.added] == [
        (f"vocals{DASH}song", 44100, 0.0),
        (f"accompaniment{DASH}song", 44100, 0.0),
    ]
    wanted = separated(tmp_path / "wanted", mixture, 44100)
    for track, stem in zip(audacity.added, STEMS, strict=True):
        np.testing.assert_array_equal(track.samples, wanted[stem])
    assert audacity.n_commits == 1
    assert list(jobs.iterdir()) == []
    fractions = [fraction for fraction, _ in outcome.progress]
    assert fractions == sorted(fractions)
    assert any("Separating song" in text for _, text in outcome.progress)


def test_part_of_a_track_between_samples_with_gain_and_everything_else(
    audacity: Audacity4, mixture: NDArray[np.float32], tmp_path: Path
) -> None:
    track = Track(name="a\tb\u2028", sample_rate=44100, samples=mixture, start=1.0)
    audacity.tracks = [track]
    audacity.selection = (3.00001, 5.0)
    chosen = {"stem-accompaniment": False, "remainder": True, "gain": -6.0}
    assert audacity.apply(chosen).value is True
    first, last = round(3.00001 * 44100), 5 * 44100
    assert [(track.name, track.start) for track in audacity.added] == [
        (f"vocals{DASH}a b ", first / 44100),
        (f"everything but vocals{DASH}a b ", first / 44100),
    ]
    part = mixture[first - 44100 : last - 44100]
    wanted = separated(
        tmp_path / "wanted", part, 44100, stems=("vocals",), mixes={"rest": ("mixture", "-vocals")}
    )
    factor = 10 ** (-6 / 20)
    for track, stem in zip(audacity.added, ("vocals", "rest"), strict=True):
        np.testing.assert_array_equal(track.samples, (wanted[stem] * np.float64(factor)).astype(np.float32))


def test_several_tracks_mono_and_of_another_rate_are_one_step(
    audacity: Audacity4, mixture: NDArray[np.float32], tmp_path: Path
) -> None:
    mono = mixture[:96000, :1]
    audacity.tracks = [
        Track(name="song", sample_rate=44100, samples=mixture[:100000]),
        Track(name="", sample_rate=48000, samples=mono, start=0.5),
        Track(name="late", sample_rate=44100, samples=mixture[:50000], start=60.0),
    ]
    audacity.selection = (0.0, 30.0)
    assert audacity.apply().value is True
    assert audacity.n_commits == 1
    assert [(track.name, track.sample_rate, track.start) for track in audacity.added] == [
        (f"vocals{DASH}song", 44100, 0.0), (f"accompaniment{DASH}song", 44100, 0.0),
        (f"vocals{DASH}Track 2", 48000, 0.5), (f"accompaniment{DASH}Track 2", 48000, 0.5),
    ]  # fmt: skip
    wanted = separated(tmp_path / "wanted", mono, 48000)
    for track, stem in zip(audacity.added[2:], STEMS, strict=True):
        np.testing.assert_array_equal(track.samples, wanted[stem])


def test_a_long_track_leaves_audacity_time_to_draw(audacity: Audacity4, mixture: NDArray[np.float32]) -> None:
    long = np.tile(mixture, (5, 1))
    audacity.tracks = [Track(name="song", sample_rate=44100, samples=long)]
    assert audacity.apply({"stem-accompaniment": False}).value is True
    assert len(audacity.added[0].samples) == len(long)
    # Every 17th block of 65536 samples.
    n_blocks = -(-len(long) // 65536)
    calls = audacity.calls_on_other_threads
    assert calls == ["write"] * (n_blocks // 17) + ["run"] + ["read"] * (n_blocks // 17)
    assert n_blocks > 34


def test_cancel_ends_the_program_and_removes_its_files(
    audacity: Audacity4, mixture: NDArray[np.float32], jobs: Path
) -> None:
    audacity.tracks = [Track(name="song", sample_rate=44100, samples=np.tile(mixture, (20, 1)))]
    outcome = audacity.apply(stop_when=lambda text: text.startswith("Separating"))
    assert (outcome.state, outcome.value) == ("resolved", False)
    assert audacity.n_commits == 0
    assert list(jobs.iterdir()) == []
    assert not programs()
    # The next separation works.
    audacity.tracks = [Track(name="song", sample_rate=44100, samples=mixture[:44100])]
    assert audacity.apply().value is True


def programs() -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if (
                "stemdock_audacity.audacity4.program" in process.cmdline()
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_the_dialog_offers_what_is_installed_now(audacity: Audacity4) -> None:
    parameters = audacity.open_dialog()
    names = [choice["name"] for choice in parameters["model"]["choices"]]
    assert names[0] == "2stems"
    assert "↓ 4stems" in names
    assert {"stem-vocals", "stem-accompaniment", "stem-drums", "remainder", "gain", "download"} <= set(
        parameters
    )
    assert len({choice["token"] for choice in parameters["model"]["choices"]}) == len(names)

    (entry,) = load_plugins().models()
    add = [sys.executable, "-m", "stemdock", "models", "add", str(entry.path), "--name", "mine"]
    subprocess.run(add, check=True, capture_output=True)
    names = [choice["name"] for choice in audacity.open_dialog()["model"]["choices"]]
    assert names[:2] == ["2stems", "mine"]


def test_a_single_model_needs_no_list(
    audacity: Audacity4, mixture: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMDOCK_DISABLED_PLUGINS", "models")
    (problem,) = audacity.open_dialog()
    assert problem == "problem"
    monkeypatch.delenv("STEMDOCK_DISABLED_PLUGINS")
    audacity.tracks = [Track(name="song", sample_rate=44100, samples=mixture[:44100])]
    text = (audacity.extension / "effect.js").read_text("utf-8")
    only = text.replace("return JSON.parse(models).models;", "return JSON.parse(models).models.slice(0, 1);")
    assert only != text
    (audacity.extension / "effect.js").write_text(only, "utf-8")
    alone = Audacity4(audacity.extension, audacity.library, audacity.tracks)
    assert "model" not in alone.open_dialog()
    assert alone.apply().value is True
    assert [track.name for track in alone.added] == [f"vocals{DASH}song", f"accompaniment{DASH}song"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"stem-vocals": False, "stem-accompaniment": False},
            "Choose at least one stem of the model 2stems: Vocals, Accompaniment.",
        ),
        (
            {"remainder": True},
            "With all stems of 2stems there is nothing else. Untick a stem, or Everything else.",
        ),
        ({"model": "gone"}, "This model is no longer installed. Open the dialog again, and choose a model."),
        ({"model": "4stems"}, "The model 4stems is not installed. It is downloaded once, about 157 MB from "),
    ],
)
def test_choices_that_cannot_be_carried_out_are_explained(
    audacity: Audacity4, mixture: NDArray[np.float32], settings: dict[str, Any], message: str
) -> None:
    audacity.tracks = [Track(name="song", sample_rate=44100, samples=mixture[:4410])]
    outcome = audacity.apply(settings)
    assert outcome.state == "rejected"
    assert outcome.value.startswith(message)


def test_a_download_that_was_allowed_shows_its_progress_and_can_be_cancelled(
    audacity: Audacity4, mixture: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch, jobs: Path
) -> None:
    audacity.tracks = [Track(name="song", sample_rate=44100, samples=mixture[:4410])]
    wanted = {"model": "4stems", "download": True}
    with ReleaseServer({"4stems.tar.gz": bytes(1 << 16)}, faults=[Fault(stall_at=1 << 15)]) as server:
        monkeypatch.setenv("STEMDOCK_RELEASE_URL", server.url)
        outcome = audacity.apply(
            wanted,
            # The text comes before the download begins.
            stop_when=lambda text: "Downloading the model 4stems" in text and bool(server.requests),
        )
        assert outcome.value is False
        assert list(jobs.iterdir()) == []
        assert server.requests
        server.files.clear()
        outcome = audacity.apply(wanted)
    assert outcome.state == "rejected"
    assert "4stems" in outcome.value
    assert audacity.n_commits == 0


def test_a_model_that_goes_missing_is_not_downloaded_without_permission(
    extension: Path, mixture: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (extension / "effect.js").read_text("utf-8")
    trusting = text.replace("!model.installed && !settings.download", "false")
    assert trusting != text
    (extension / "effect.js").write_text(trusting, "utf-8")
    (path,) = extension.glob("platform/*/*/stemdock.so")
    tracks = [Track(name="song", sample_rate=44100, samples=mixture[:4410])]
    with ReleaseServer() as server:
        monkeypatch.setenv("STEMDOCK_RELEASE_URL", server.url)
        outcome = Audacity4(extension, Library(path), tracks).apply({"model": "4stems"})
        assert server.requests == []
    assert outcome.state == "rejected"
    assert outcome.value.startswith("The model 4stems is not installed. Download it once, about 157 MB from")
    assert outcome.value.endswith("Open the dialog again, and tick Download a missing model.")


def test_a_selection_beside_all_audio_is_explained(audacity: Audacity4, mixture: NDArray[np.float32]) -> None:
    audacity.tracks = [Track(name="song", sample_rate=44100, samples=mixture[:4410])]
    audacity.selection = (20.0, 30.0)
    outcome = audacity.apply()
    assert outcome.state == "rejected"
    assert outcome.value == "The selection contains no audio. Select part of a track, and try again."


def test_without_a_library_the_dialog_opens_and_says_why(extension: Path) -> None:
    audacity = Audacity4(extension, None)
    (problem,) = audacity.open_dialog().values()
    assert problem["description"].startswith("Stemdock's library does not load.")
    outcome = audacity.apply()
    assert outcome.state == "rejected"
    assert outcome.value.startswith("Stemdock's library does not load.")


def test_a_python_that_has_gone_is_reported(audacity: Audacity4, extension: Path) -> None:
    path = extension / "program.json"
    content = json.loads(path.read_text())
    for program, message in (
        ("/none/python", "This program could not be started: /none/python"),
        ("/bin/false", "Stemdock does not start."),
    ):
        path.write_text(json.dumps({**content, "program": [program]}))
        outcome = audacity.apply()
        assert outcome.state == "rejected"
        assert outcome.value.startswith(message)


def test_an_upgrade_without_a_new_installation_is_reported(
    audacity: Audacity4, extension: Path, mixture: NDArray[np.float32], jobs: Path
) -> None:
    path = extension / "program.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "protocol": 1}))
    audacity.tracks = [Track(name="song", sample_rate=44100, samples=mixture[:4410])]
    outcome = audacity.apply()
    assert outcome.state == "rejected"
    assert "older than this Stemdock" in outcome.value
    assert outcome.value.endswith("plugin-cli audacity install.")
    assert list(jobs.iterdir()) == []


def test_a_killed_program_is_reported(audacity: Audacity4, mixture: NDArray[np.float32], jobs: Path) -> None:
    audacity.tracks = [Track(name="song", sample_rate=44100, samples=np.tile(mixture, (20, 1)))]

    def kill() -> None:
        if any(jobs.glob("*/progress.jsonl")):
            for process in programs():
                process.kill()

    outcome = audacity.apply(on_poll=kill)
    assert outcome.state == "rejected"
    assert outcome.value.startswith("Stemdock ended without a result.")
    assert list(jobs.iterdir()) == []
