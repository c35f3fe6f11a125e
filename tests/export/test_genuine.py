"""The genuine 2stems checkpoint, from a package that carries it, through the exporter to stems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from stemdock import Separator, load_plugins
from stemdock.cli.main import run
from support.mixtures import DATA, recorded_case, snr

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.export


@pytest.fixture(scope="session")
def float32_model(genuine_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "float32.onnx"
    assert run(["export", str(genuine_checkpoint), "--config", "spleeter:2stems", "-o", str(path)]) == 0
    return path


@pytest.mark.parametrize("case", ["a", "mono", "short", "long", "example"])
def test_stems_are_those_of_the_original_spleeter(float32_model: Path, case: str) -> None:
    stems = Separator(float32_model).separate(recorded_case(case))
    with np.load(DATA / "spleeter_2stems.npz") as recorded:
        for stem, samples in stems.items():
            expected = recorded[f"{case}.{stem}"]
            cuts = [samples[start : start + expected.shape[1]] for start in recorded[f"{case}.starts"]]
            assert snr(expected, np.stack(cuts)) >= 90


def test_the_embedded_model_is_the_exporter_s(genuine_checkpoint: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "2stems.onnx"
    arguments = ["--config", "spleeter:2stems", "--weights", "int16", "-o", str(path)]
    assert run(["export", str(genuine_checkpoint), *arguments]) == 0
    (entry,) = (entry for entry in load_plugins().models() if entry.name == "2stems")
    made, embedded = onnx.load(path), onnx.load(entry.path)
    assert [tensor.SerializeToString() for tensor in made.graph.initializer] == [
        tensor.SerializeToString() for tensor in embedded.graph.initializer
    ]
    assert [(node.op_type, *node.input, *node.output) for node in made.graph.node] == [
        (node.op_type, *node.input, *node.output) for node in embedded.graph.node
    ]
