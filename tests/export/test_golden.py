"""From a checkpoint to separated sound, against what Spleeter itself made of the same two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from stemdock import Separator
from stemdock_export.config import load_config
from stemdock_export.exporting import export_model

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.export


@pytest.mark.parametrize("name", ["4stems-narrow", "5stems-narrow"])
def test_stems_are_spleeter_s(name: str, data: Path, tmp_path: Path) -> None:
    folder = data / "checkpoints" / name
    config = load_config(str(folder / "config.json"))
    exported = export_model(folder, config, tmp_path / "model.onnx")
    with np.load(data / "checkpoints" / "mixture.npz") as arrays:
        stems = Separator(exported.path).separate(arrays["mixture"])
    with np.load(folder / "spleeter_output.npz") as arrays:
        start = int(arrays["start"])
        expected = {stem: arrays[stem] for stem in arrays.files if stem != "start"}
    assert list(stems) == list(expected) == list(config.stems)
    for stem, reference in expected.items():
        difference = stems[stem][start : start + len(reference)] - reference.astype(np.float64)
        snr = 10 * np.log10(np.sum(reference.astype(np.float64) ** 2) / np.sum(difference**2))
        assert snr > 90, stem
