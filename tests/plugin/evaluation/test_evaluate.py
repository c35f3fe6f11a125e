"""plugin-cli evaluate: Spleeter's own test of its evaluation, and what songs can be like."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from stemdock import Plugins, Separation, Separator, load_plugins
from stemdock.cli.main import run
from stemdock.errors import StemdockError
from stemdock.inference.finding import find_entry
from stemdock_evaluation import scoring
from support.mixtures import DATA
from support.small_model import SmallPlugin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

SPLEETERS_OWN_TEST = {
    "vocals": {"SDR": 3.25e-05, "SIR": -1.3849, "SAR": -11.153575, "ISR": 2.75e-05},
    "drums": {"SDR": -0.079505, "SIR": -4.972755, "SAR": -15.7073575, "ISR": 0.0013575},
    "bass": {"SDR": 2.5e-06, "SIR": -4.272325, "SAR": -10.3520575, "ISR": 2.5e-06},
    "other": {"SDR": -1.359175, "SIR": -4.761505, "SAR": -14.7076775, "ISR": -0.01528},
}
"""What deezer/spleeter (MIT licence) expects of 4stems on these songs, in tests/test_eval.py."""


def evaluated(songs: Path, plugins: Plugins, *options: str, status: int = 0) -> dict[str, Any]:
    path = songs.parent / "evaluation.json"
    arguments = ["evaluate", str(songs), "--json", str(path), "--overwrite", *options]
    assert run(arguments, plugins) == status
    values: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return values


def assert_near(
    found: dict[str, dict[str, float]], expected: dict[str, dict[str, float]], tolerance: float
) -> None:
    assert list(found) == list(expected)
    for stem, ratios in expected.items():
        assert found[stem] == pytest.approx(ratios, abs=tolerance), stem


# Spleeter stores its stems in 16 bits before it measures them, Stemdock in floating point. That moves SIR and
# SAR of 2stems' vocals, which are 60 dB below full scale here, by 0.005 dB; those of louder stems by 0.00005.
@pytest.mark.parametrize(
    ("model", "tolerance"), [("2stems", 0.01), ("4stems-narrow", 0.001), ("5stems-narrow", 0.001)]
)
def test_spleeter_comes_to_the_same_figures(
    spleeters_songs: Path,
    narrow_plugins: Plugins,
    model: str,
    tolerance: float,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorded = json.loads((DATA / "spleeter_evaluate.json").read_text())[model]
    values = evaluated(spleeters_songs, narrow_plugins, "-m", model)
    for track in values["tracks"]:
        assert_near(track["stems"], recorded["tracks"][track["name"]], tolerance)
    assert_near(values["median"], recorded["median"], tolerance)
    # The songs have no piano: as in Spleeter, it is compared with nothing and added to nothing.
    unmeasured = ["piano"] if model == "5stems-narrow" else []
    assert values["model"]["unmeasured_stems"] == unmeasured
    assert ("piano: not measured" in capsys.readouterr().err) == bool(unmeasured)


def test_spleeters_own_test(spleeters_songs: Path) -> None:
    plugins = load_plugins()
    try:
        find_entry("4stems", plugins)
    except StemdockError as error:
        pytest.skip(f"needs the genuine 4stems: {error.remedy}")
    # As above; its bass is more than 60 dB below the true one.
    assert_near(evaluated(spleeters_songs, plugins, "-m", "4stems")["median"], SPLEETERS_OWN_TEST, 0.05)


def test_the_table(small_songs: Path, small_plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
    values = evaluated(small_songs, small_plugins, "-m", "small")
    captured = capsys.readouterr()
    header, *lines = captured.out.splitlines()
    assert header.split() == ["track", "stem", "SDR", "SIR", "SAR", "ISR"]
    rows = {tuple(line.split()[:2]): line.split()[2:] for line in lines}
    tracks = {**{track["name"]: track["stems"] for track in values["tracks"]}, "median": values["median"]}
    assert list(tracks) == ["a", "b", "c", "median"]
    assert rows == {
        (name, stem): [f"{ratio:z.3f}" for ratio in ratios.values()]
        for name, stems in tracks.items()
        for stem, ratios in stems.items()
    }
    assert captured.err.splitlines() == ["1 of 3: a", "2 of 3: b", "3 of 3: c"]
    for stem in ("vocals", "accompaniment"):
        for ratio in ("SDR", "SIR", "SAR", "ISR"):
            each = [track["stems"][stem][ratio] for track in values["tracks"]]
            assert values["median"][stem][ratio] == sorted(each)[1]


@pytest.mark.parametrize(
    ("options", "separation"),
    [(["--mwf"], Separation(mwf=True)), (["--bandwidth", "16k"], Separation(bandwidth="16k"))],
)
def test_the_stems_are_made_as_the_options_say(
    spleeters_songs: Path,
    narrow_plugins: Plugins,
    tmp_path: Path,
    options: list[str],
    separation: Separation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scoring, "FILTER_LENGTH", 16)
    arguments = ["-m", "4stems-narrow", "-o", str(tmp_path / "kept"), *options]
    values = evaluated(spleeters_songs, narrow_plugins, *arguments)
    assert values["options"] == {"provider": "cpu", **asdict(separation)}
    mixture, _ = soundfile.read(spleeters_songs / "test" / "song0" / "mixture.wav", dtype="float32")
    separator = Separator("4stems-narrow", separation=separation, plugins=narrow_plugins)
    found, _ = soundfile.read(tmp_path / "kept" / "test" / "song0" / "bass.wav", dtype="float32")
    assert np.array_equal(found, separator.separate(mixture)["bass"])


def test_the_json_says_how_it_came_about(small_songs: Path, small_plugins: Plugins) -> None:
    values = evaluated(small_songs, small_plugins, "-m", "small")
    (entry,) = (entry for entry in small_plugins.models() if entry.name == "small")
    assert values["format_version"] == 1
    assert values["model"]["sha256"] == entry.sha256
    assert values["model"]["stems"] == ["vocals", "accompaniment"]
    assert values["dataset"]["references"] == {
        "vocals": ["vocals"], "accompaniment": ["drums", "bass", "other"],
    }  # fmt: skip
    assert values["failures"] == []
    assert [(track["n_frames"], track["duration"]) for track in values["tracks"]] == [(2, 2.5)] * 3
    assert values["versions"].keys() == {"stemdock", "onnxruntime", "numpy", "scipy"}


def test_sdr_is_what_it_is_defined_as(small_songs: Path, small_plugins: Plugins, tmp_path: Path) -> None:
    """10 log10 of the true stem's energy over that of the error, in each whole second."""
    values = evaluated(small_songs, small_plugins, "-m", "small", "-o", str(tmp_path / "kept"))
    for track in values["tracks"]:
        for stem, parts in values["dataset"]["references"].items():
            folder = small_songs / "test" / track["name"]
            true = sum(soundfile.read(folder / f"{part}.wav")[0] for part in parts)[:16000].reshape(2, -1)
            path = tmp_path / "kept" / "test" / track["name"] / f"{stem}.wav"
            error = soundfile.read(path)[0][:16000].reshape(2, -1) - true
            expected = np.median(10 * np.log10((true**2).sum(axis=1) / (error**2).sum(axis=1)))
            assert track["stems"][stem]["SDR"] == pytest.approx(expected, abs=1e-5)


def break_length(folder: Path) -> None:
    samples, rate = soundfile.read(folder / "bass.wav")
    soundfile.write(folder / "bass.wav", samples[:-1], rate)


def break_rate(folder: Path) -> None:
    samples, _ = soundfile.read(folder / "drums.wav")
    soundfile.write(folder / "drums.wav", samples, 11025)


def break_channels(folder: Path) -> None:
    samples, rate = soundfile.read(folder / "bass.wav")
    soundfile.write(folder / "bass.wav", np.tile(samples, 3), rate)


def silence(folder: Path) -> None:
    soundfile.write(folder / "vocals.wav", np.zeros((20000, 2)), 8000)


FAULTS: dict[str, Callable[[Path], object]] = {
    "other.wav: no such file": lambda folder: (folder / "other.wav").unlink(),
    "mixture.wav: no such file": lambda folder: (folder / "mixture.wav").unlink(),
    "bass.wav: does not have the length of the mixture": break_length,
    "drums.wav: its sample rate is 11025 Hz, and that of the mixture is 8000 Hz": break_rate,
    "bass.wav: has 6 channels; only mono and stereo": break_channels,
    "b: in every second, at least one stem is silent": silence,
    "vocals.wav: cannot be read without ffmpeg": lambda folder: (folder / "vocals.wav").write_text(
        "no music"
    ),
}


@pytest.mark.parametrize("reason", FAULTS)
def test_a_bad_track_does_not_stop_the_others(
    small_songs: Path,
    small_plugins: Plugins,
    reason: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")  # what is said of a text must not depend on ffmpeg
    whole = evaluated(small_songs, small_plugins, "-m", "small")
    capsys.readouterr()
    FAULTS[reason](small_songs / "test" / "b")
    values = evaluated(small_songs, small_plugins, "-m", "small", status=1)
    assert values["tracks"] == [whole["tracks"][0], whole["tracks"][2]]
    (failure,) = values["failures"]
    assert failure["name"] == "b"
    assert reason in failure["reason"]
    errors = capsys.readouterr().err
    assert reason in errors
    assert "1 of 3 tracks could not be measured" in errors


def test_without_any_good_track_there_is_no_median(small_songs: Path, small_plugins: Plugins) -> None:
    for folder in (small_songs / "test").iterdir():
        (folder / "vocals.wav").unlink()
    values = evaluated(small_songs, small_plugins, "-m", "small", status=1)
    assert values["tracks"] == []
    assert values["median"] == {}
    assert len(values["failures"]) == 3


def test_seconds_with_a_silent_stem_do_not_count(small_songs: Path, small_plugins: Plugins) -> None:
    path = small_songs / "test" / "a" / "vocals.wav"
    samples, rate = soundfile.read(path)
    samples[8000:16000] = 0
    soundfile.write(path, samples, rate, subtype="FLOAT")
    track = evaluated(small_songs, small_plugins, "-m", "small")["tracks"][0]
    assert (track["n_frames"], track["n_rated_frames"]) == (2, 1)


def test_mono_is_stereo_with_equal_channels(small_songs: Path, small_plugins: Plugins) -> None:
    for path in (small_songs / "test").glob("*/*.wav"):
        samples, rate = soundfile.read(path)
        soundfile.write(path, samples[:, :1].repeat(2, axis=1), rate, subtype="FLOAT")
    stereo = evaluated(small_songs, small_plugins, "-m", "small")
    for path in (small_songs / "test").glob("*/*.wav"):
        samples, rate = soundfile.read(path)
        soundfile.write(path, samples[:, 0], rate, subtype="FLOAT")
    mono = evaluated(small_songs, small_plugins, "-m", "small")
    assert_near(mono["median"], stereo["median"], 1e-3)


def test_the_estimates_stay_where_they_are_wanted(
    small_songs: Path, small_plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    without = evaluated(small_songs, small_plugins, "-m", "small")
    assert list((tmp_path / "temporary").iterdir()) == []
    kept = evaluated(small_songs, small_plugins, "-m", "small", "-o", str(tmp_path / "kept"))
    assert kept == without
    found = sorted(path.relative_to(tmp_path / "kept").as_posix() for path in tmp_path.glob("kept/**/*.wav"))
    assert found == [f"test/{track}/{stem}.wav" for track in "abc" for stem in ("accompaniment", "vocals")]
    mixture, rate = soundfile.read(small_songs / "test" / "a" / "mixture.wav", dtype="float32")
    expected = Separator("small", plugins=small_plugins).separate(mixture, rate)["vocals"]
    samples, _ = soundfile.read(tmp_path / "kept" / "test" / "a" / "vocals.wav", dtype="float32")
    assert np.array_equal(samples, expected)
    assert (
        run(["evaluate", str(small_songs), "-m", "small", "-o", str(tmp_path / "kept")], small_plugins) == 1
    )


def test_a_json_file_that_is_there_stays(small_songs: Path, small_plugins: Plugins, tmp_path: Path) -> None:
    path = tmp_path / "precious.json"
    path.write_text("precious")
    arguments = ["evaluate", str(small_songs), "-m", "small", "--json", str(path)]
    assert run(arguments, small_plugins) == 1
    assert path.read_text() == "precious"


@pytest.mark.parametrize("layout", ["", "test"])
def test_a_folder_without_songs(
    tmp_path: Path, small_plugins: Plugins, layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty" / layout).mkdir(parents=True)
    assert run(["evaluate", str(tmp_path / "empty"), "-m", "small"], small_plugins) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "MUSDB18-HQ" in captured.err


def test_a_model_with_other_stems(
    small_songs: Path, small_plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    plugins = Plugins()
    for part in ("stemdock", "evaluation"):
        plugins.register(small_plugins._manager.get_plugin(part), part)
    plugins.register(SmallPlugin(tmp_path / "other"), "small")
    assert run(["evaluate", str(small_songs), "-m", "small"], plugins) == 1
    assert "its stems low, high cannot be compared" in capsys.readouterr().err


def test_asking_for_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom stemdock.cli.main import run\nassert run(['evaluate', '--help']) == 0\n"
        "heavy = {'numpy', 'scipy', 'onnxruntime', 'soundfile', 'onnx'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
