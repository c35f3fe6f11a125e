"""A checkpoint of our training, in the original Spleeter and in both converters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from stemdock import Separator
from stemdock_export.bundle import Bundle
from stemdock_export.checkpoint import find_checkpoint
from stemdock_export.config import load_config
from stemdock_export.direct import DirectConverter
from stemdock_export.exporting import export_checkpoint
from stemdock_export.reference import ReferenceConverter
from support.mixtures import DATA, snr
from support.training_songs import RATE, make_song
from training.test_training import run

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_export.exporting import Converter

pytestmark = pytest.mark.slow

FOLDER = DATA / "checkpoints" / "trained"


@pytest.mark.parametrize(
    "converter",
    [
        pytest.param(ReferenceConverter(), id="reference", marks=pytest.mark.export),
        pytest.param(DirectConverter(), id="direct"),
    ],
)
def test_the_original_separates_with_our_checkpoint(converter: Converter, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export_checkpoint(FOLDER, load_config(str(FOLDER / "config.json")), path, converter=converter)
    with np.load(FOLDER / "spleeter_output.npz") as recorded:
        stems = Separator(path).separate(recorded["mixture"], RATE)
        assert list(stems) == ["voice", "rest"]
        for stem, samples in stems.items():
            assert snr(recorded[stem], samples) >= 90, stem


@pytest.mark.export
def test_the_recorded_checkpoint_is_like_a_new_one(tmp_path: Path) -> None:
    make_song(tmp_path / "songs/train/one", 1)
    make_song(tmp_path / "songs/valid/two", 2)
    run(tmp_path / "songs", FOLDER / "config.json", tmp_path / "new", n_steps=1)
    new, recorded = Bundle(find_checkpoint(tmp_path / "new")), Bundle(find_checkpoint(FOLDER))
    assert new.shapes == recorded.shapes
