"""Separation with models of both converters, against Spleeter's output for the same checkpoints."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from stemdock import Separator
from stemdock_export.config import load_config
from stemdock_export.direct import DirectConverter
from stemdock_export.exporting import export_checkpoint
from stemdock_export.reference import ReferenceConverter
from support.mixtures import DATA, recorded_case, snr

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from stemdock_export.exporting import Converter

pytestmark = pytest.mark.slow

NARROW = ("4stems-narrow", "5stems-narrow")


@pytest.fixture(
    params=[
        pytest.param(ReferenceConverter(), id="reference", marks=pytest.mark.export),
        pytest.param(DirectConverter(), id="direct"),
    ]
)
def converter(request: pytest.FixtureRequest) -> Converter:
    made: Converter = request.param
    return made


@pytest.fixture(scope="module")
def mixture() -> NDArray[np.float32]:
    with np.load(DATA / "checkpoints" / "mixture.npz") as arrays:
        return np.asarray(arrays["mixture"], np.float32)


def figures(folder: Path, stems: dict[str, NDArray[np.float32]]) -> dict[str, float]:
    """SNR in dB of each stem against Spleeter's."""
    with np.load(folder / "spleeter_output.npz") as recorded:
        start = int(recorded["start"])
        expected = {stem: recorded[stem] for stem in recorded.files if stem != "start"}
    assert list(stems) == list(expected)
    return {stem: snr(cut, stems[stem][start : start + len(cut)]) for stem, cut in expected.items()}


@pytest.mark.parametrize("name", NARROW)
def test_stems_are_spleeter_s(
    converter: Converter, name: str, mixture: NDArray[np.float32], tmp_path: Path
) -> None:
    folder = DATA / "checkpoints" / name
    config = load_config(str(folder / "config.json"))
    export_checkpoint(folder, config, tmp_path / "model.onnx", converter=converter)
    assert min(figures(folder, Separator(tmp_path / "model.onnx").separate(mixture)).values()) >= 90


def test_five_stems_come_in_spleeter_s_order(mixture: NDArray[np.float32], tmp_path: Path) -> None:
    folder = DATA / "checkpoints" / "5stems-narrow"
    config = load_config(str(folder / "config.json"))
    export_checkpoint(folder, config, tmp_path / "model.onnx", converter=DirectConverter())
    stems = Separator(tmp_path / "model.onnx").separate(mixture)
    assert list(stems) == ["vocals", "piano", "drums", "bass", "other"]
    # Not only the names: each is none of the others.
    shifted = dict(zip(stems, [*list(stems.values())[1:], stems["vocals"]], strict=True))
    assert max(figures(folder, shifted).values()) < 20


@pytest.mark.parametrize("name", NARROW)
@pytest.mark.parametrize("change", [{"conv_activation": "LeakyReLU"}, {"deconv_activation": "ReLU"}])
def test_another_activation_is_heard(
    name: str, change: dict[str, str], mixture: NDArray[np.float32], tmp_path: Path
) -> None:
    folder = DATA / "checkpoints" / name
    config = dataclasses.replace(load_config(str(folder / "config.json")), **change)  # type: ignore[arg-type]
    export_checkpoint(folder, config, tmp_path / "model.onnx", converter=DirectConverter())
    assert max(figures(folder, Separator(tmp_path / "model.onnx").separate(mixture)).values()) < 40


@pytest.mark.parametrize("name", NARROW)
@pytest.mark.parametrize("n_bins", [1024, 1536])
def test_averaged_masks_leave_nothing_out(
    converter: Converter, name: str, n_bins: int, mixture: NDArray[np.float32], tmp_path: Path
) -> None:
    folder = DATA / "checkpoints" / name
    config = load_config(str(folder / "config.json"))
    config = dataclasses.replace(config, mask_extension="average", n_bins=n_bins)
    export_checkpoint(folder, config, tmp_path / "model.onnx", converter=converter)
    stems = Separator(tmp_path / "model.onnx").separate(mixture)
    total = np.asarray(np.sum(list(stems.values()), axis=0, dtype=np.float64))
    assert snr(mixture, total) >= 110


def test_sixteen_kilohertz(converter: Converter, genuine_checkpoint: Path, tmp_path: Path) -> None:
    config = load_config("2stems-16kHz")
    export_checkpoint(genuine_checkpoint, config, tmp_path / "model.onnx", converter=converter)
    separator = Separator(tmp_path / "model.onnx")
    assert separator.entry.bandwidth == 16537.5
    stems = separator.separate(recorded_case("a"))
    with np.load(DATA / "spleeter_2stems-16kHz.npz") as recorded:
        for stem, samples in stems.items():
            expected = recorded[f"a16.{stem}"]
            cuts = [samples[start : start + expected.shape[1]] for start in recorded["a16.starts"]]
            assert snr(expected, np.stack(cuts)) >= 90
