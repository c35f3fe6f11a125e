from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock import Plugins
from stemdock.cli import builtin
from stemdock.cli.main import run
from stemdock_evaluation import plugin as evaluation
from stemdock_evaluation import scoring
from stemdock_models import plugin as models
from support.mixtures import DATA
from support.small_model import SmallPlugin, small_card

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEMS = ("vocals", "bass", "drums", "other")


@pytest.fixture(scope="session")
def spleeters_songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The songs of Spleeter's own test: noise in 16 bits, whose stems do not even add up."""
    noise = np.random.RandomState(0)
    folder = tmp_path_factory.mktemp("musdb")
    for song in ("song0", "song1"):
        (folder / "test" / song).mkdir(parents=True)
        for name in ("mixture", *STEMS):
            samples = (noise.rand(3 * 44100, 2) - 0.5).astype(np.float32)
            integers = np.rint(samples * 32768).astype(np.int16)
            soundfile.write(folder / "test" / song / f"{name}.wav", integers, 44100)
    return folder


@pytest.fixture(scope="module")
def narrow_plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugins]:
    """Stemdock with the embedded model, and the narrow ones in a store of their own."""
    plugins = Plugins()
    for part, name in ((builtin, "stemdock"), (models, "models"), (evaluation, "evaluation")):
        plugins.register(part, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEMDOCK_MODELS", str(tmp_path_factory.mktemp("models")))
        for name in ("4stems-narrow", "5stems-narrow"):
            folder = DATA / "checkpoints" / name
            arguments = ["models", "add", str(folder), "--config", str(folder / "config.json")]
            assert run(arguments, plugins) == 0
        yield plugins


@pytest.fixture
def small_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    """Stemdock with a model that has the stems of 2stems; neither it nor the filters take any time."""
    monkeypatch.setattr(scoring, "FILTER_LENGTH", 16)
    (tmp_path / "model").mkdir()
    plugins = Plugins()
    plugins.register(builtin, "stemdock")
    plugins.register(evaluation, "evaluation")
    plugins.register(SmallPlugin(tmp_path / "model", small_card(stems=("vocals", "accompaniment"))), "small")
    return plugins


@pytest.fixture
def small_songs(tmp_path: Path) -> Path:
    """Three songs of 2.5 seconds at the small model's rate."""
    noise = np.random.default_rng(5)
    for song in ("a", "b", "c"):
        folder = tmp_path / "musdb" / "test" / song
        folder.mkdir(parents=True)
        stems = {name: noise.uniform(-0.2, 0.2, (20000, 2)) for name in STEMS}
        for name, samples in {**stems, "mixture": sum(stems.values(), np.zeros(2))}.items():
            soundfile.write(folder / f"{name}.wav", samples, 8000, subtype="FLOAT")
    return tmp_path / "musdb"
