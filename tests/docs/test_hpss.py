"""The example of an engine, `docs/examples/stemdock-hpss`: its numbers, and its use by name everywhere.

Nothing in Stemdock knows this model.
"""

from __future__ import annotations

import json
import sys
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from stemdock import ModelEntry, Plugins, Separation, Separator, hookimpl, open_audio
from stemdock.cli import builtin
from stemdock.cli.main import run
from stemdock.errors import SeparationOptionError
from stemdock_audacity.nyquist.texts import plugin_texts
from stemdock_evaluation import plugin as evaluation
from stemdock_evaluation import scoring
from stemdock_hostkit.job.folder import Job
from stemdock_hostkit.worker.running import run_job
from stemdock_models import plugin as models
from support.mixtures import DATA, generated_mixture, snr
from support.small_model import write_noise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).parents[2] / "docs" / "examples" / "stemdock-hpss"
STEMS = ("harmonic", "percussive")


@pytest.fixture(scope="module")
def hpss() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PACKAGE)
        import stemdock_hpss  # noqa: PLC0415  only now on the path

        yield stemdock_hpss
    for name in [name for name in sys.modules if name.startswith("stemdock_hpss")]:
        del sys.modules[name]


@pytest.fixture
def plugins(hpss: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    monkeypatch.setenv("STEMDOCK_MODELS", str(tmp_path / "models"))
    plugins = Plugins()
    for part, name in ((builtin, "cli"), (models, "models"), (evaluation, "evaluation"), (hpss, "hpss")):
        plugins.register(part, name)
    return plugins


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_noise(tmp_path / "song.wav", sample_rate=44100)


def separated(hpss: ModuleType, blocks: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(list(hpss.engine.HpssEngine().separate(blocks, lambda _: None)), axis=1)


@pytest.fixture(scope="module", autouse=True)
def _engine(hpss: ModuleType) -> None:  # noqa: ARG001  it must be on the path
    import stemdock_hpss.engine  # noqa: F401, PLC0415


def test_stems_are_those_of_librosa(hpss: ModuleType) -> None:
    # The cut spans the border between two pieces.
    stems = separated(hpss, [generated_mixture(300_000)])
    with np.load(DATA / "hpss.npz") as recorded:
        start = int(recorded["start"])
        for name, samples in zip(STEMS, stems, strict=True):
            expected = recorded[name]
            assert snr(expected, samples[start : start + len(expected)]) >= 60


def test_no_bit_depends_on_how_the_mixture_is_cut(hpss: ModuleType) -> None:
    mixture = generated_mixture(180_000)
    whole = separated(hpss, [mixture])
    pieces = np.split(mixture, [0, 1, 700, 129_536, 129_537, 179_999])
    assert np.array_equal(separated(hpss, pieces), whole)


@pytest.mark.parametrize("length", [1, 500, 2048, 129_535, 129_536, 129_537, 131_073])
def test_stems_are_as_long_as_the_mixture_and_add_up_to_it(hpss: ModuleType, length: int) -> None:
    mixture = generated_mixture(length)
    stems = separated(hpss, [mixture])
    assert stems.shape == (2, length, 2)
    np.testing.assert_allclose(stems.sum(axis=0), mixture, atol=1e-6)


def test_memory_does_not_grow_with_the_mixture(hpss: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hpss.engine, "_N_FRAMES", 32)
    monkeypatch.setattr(hpss.engine, "_PIECE_LENGTH", 32 * 512)

    def peak(n_blocks: int) -> int:
        block = generated_mixture(16_384)
        tracemalloc.start()
        try:
            for _ in hpss.engine.HpssEngine().separate((block for _ in range(n_blocks)), lambda _: None):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(20) < 1.1 * peak(5)


@pytest.mark.parametrize(("sample_rate", "n_channels"), [(48000, 2), (22050, 1)])
def test_any_rate_and_mono(plugins: Plugins, sample_rate: int, n_channels: int) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(20_000) / sample_rate)
    mixture = np.stack(n_channels * [tone], axis=1).astype(np.float32)
    stems = Separator("hpss", plugins=plugins).separate(mixture, sample_rate)
    assert list(stems) == list(STEMS)
    total = np.sum(list(stems.values()), axis=0)
    assert total.shape == (20_000, 2)
    np.testing.assert_allclose(total[2000:-2000, 1], mixture[2000:-2000, 0], atol=2e-3)


@pytest.mark.parametrize("option", ["mwf", "bandwidth"])
def test_an_option_that_it_lacks_is_refused(plugins: Plugins, song: Path, option: str) -> None:
    separation = Separation(mwf=True) if option == "mwf" else Separation(bandwidth="16k")
    with pytest.raises(
        SeparationOptionError, match=f"hpss: this model does not support --{option}"
    ) as caught:
        Separator("hpss", separation=separation, plugins=plugins)
    assert caught.value.option == option
    assert f"Leave --{option} out" in caught.value.remedy
    arguments = ["--mwf"] if option == "mwf" else ["--bandwidth", "full"]
    assert run(["separate", str(song), "--model", "hpss", *arguments], plugins) == 1


def test_separate_preview_and_resume(
    plugins: Plugins,
    hpss: ModuleType,
    song: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out"
    command = ["separate", str(song), "--model", "hpss", "-o", str(output), "--progress", "json"]

    def events(*options: str) -> list[str]:
        capsys.readouterr()
        assert run([*command, *options], plugins) == 0
        return [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]

    assert "done" in events("--preview")
    assert {path.name for path in (output / "song").iterdir()} == {
        "harmonic.wav", "percussive.wav", "preview.html",
    }  # fmt: skip
    expected = separated(hpss, [soundfile.read(song, dtype="float32")[0]])
    for name, samples in zip(STEMS, expected, strict=True):
        assert np.array_equal(soundfile.read(output / "song" / f"{name}.wav", dtype="float32")[0], samples)
    assert "skipped" in events("--resume")
    monkeypatch.setattr(hpss, "__version__", "1.1")
    assert "done" in events("--resume")
    assert "skipped" in events("--resume")
    page = tmp_path / "page.html"
    assert run(["preview", str(output / "song"), "-o", str(page)], plugins) == 0
    assert "hpss" in page.read_text("utf-8")


def test_the_commands_for_models(plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "list", "--json"], plugins) == 0
    (row,) = (row for row in json.loads(capsys.readouterr().out) if row["name"] == "hpss")
    assert (row["stems"], row["installed"], row["path"], row["fault"]) == (list(STEMS), True, None, None)
    assert run(["models", "list"], plugins) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("hpss"))
    assert line.split() == ["hpss", "harmonic,", "percussive", "yes", "MIT", "stemdock-hpss"]
    assert run(["models", "verify", "hpss"], plugins) == 0
    assert capsys.readouterr().out == "hpss: ok\n"
    assert run(["models", "path", "hpss"], plugins) == 1
    assert "hpss: has no file" in capsys.readouterr().err
    assert run(["models", "remove", "hpss"], plugins) == 1
    assert "belongs to a Python package" in capsys.readouterr().err
    assert run(["doctor"], plugins) == 0
    assert "ok      model hpss: loads in" in capsys.readouterr().out


def test_evaluate(
    plugins: Plugins,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Songs have no harmonic stem; under another name, a stem can be measured."""

    from stemdock_hpss.engine import HpssEngine  # noqa: PLC0415  only on the path during these tests

    class Renamed(HpssEngine):
        stems = ("accompaniment", "drums")

    class Drums:
        @hookimpl
        def stemdock_models(self) -> list[ModelEntry]:
            return [ModelEntry(name="hpss-drums", stems=Renamed.stems, sample_rate=44100, version="1")]

        @hookimpl
        def stemdock_engine(self, entry: ModelEntry) -> Any:
            return Renamed() if entry.name == "hpss-drums" else None

    monkeypatch.setattr(scoring, "FILTER_LENGTH", 16)
    folder = tmp_path / "musdb" / "test" / "song"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(1)
    parts = {name: noise.uniform(-0.2, 0.2, (50_000, 2)) for name in ("vocals", "drums", "bass", "other")}
    for name, samples in {**parts, "mixture": sum(parts.values(), np.zeros(2))}.items():
        soundfile.write(folder / f"{name}.wav", samples, 44100, subtype="FLOAT")
    assert run(["evaluate", str(tmp_path / "musdb"), "--model", "hpss"], plugins) == 1
    assert "hpss: its stems harmonic, percussive cannot be compared" in capsys.readouterr().err
    plugins.register(Drums(), "drums")
    report = tmp_path / "report.json"
    command = ["evaluate", str(tmp_path / "musdb"), "--model", "hpss-drums", "--json", str(report)]
    assert run(command, plugins) == 0
    values = json.loads(report.read_text())
    assert values["model"] == {
        "name": "hpss-drums", "sha256": None, "version": "1", "checkpoint_sha256": None, "bandwidth": None,
        "stems": ["accompaniment", "drums"], "unmeasured_stems": [],
    }  # fmt: skip
    assert set(values["median"]) == {"accompaniment", "drums"}


def test_audacitys_dialog_offers_it(plugins: Plugins) -> None:
    texts = plugin_texts(
        plugins.models(), folder="/s/", settings="/c", program="/s/l", marker="l", translated={}
    )
    assert '"2stems" "hpss"' in texts["stemdock-separate.ny"]
    assert '"Only percussive"' in texts["stemdock-separate.ny"]


def test_a_job_of_a_host(plugins: Plugins, song: Path, tmp_path: Path) -> None:
    folder = tmp_path / "jobs" / "1"
    folder.mkdir(parents=True)
    source = {"id": "s1", "name": "Song", "path": str(song), "start": 0.0, "duration": 0.2}
    job = {"protocol": 2, "output_dir": str(tmp_path / "Media"), "model": "hpss", "sources": [source]}
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    assert run_job(Job(folder), lambda model, _: Separator(model, plugins=plugins)) == "ok"
    (entry,) = json.loads((folder / "result.json").read_text())["sources"]
    assert [stem["name"] for stem in entry["stems"]] == list(STEMS)
    for stem in entry["stems"]:
        with open_audio(Path(stem["path"])) as audio:
            assert (audio.sample_rate, audio.total_length) == (44100, 8820)
