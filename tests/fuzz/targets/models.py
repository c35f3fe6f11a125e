"""Loads and runs damaged model files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
import soundfile

from fuzz.case import Target
from fuzz.mutation import mutated
from fuzz.targets.graphs import change
from fuzz.targets.networks import CONFIG, write_checkpoint
from stemdock import Execution, Plugins, Separator, separate_file
from stemdock_export.direct import DirectConverter
from stemdock_export.exporting import export_checkpoint

if TYPE_CHECKING:
    from random import Random

    from fuzz.case import Place

MODEL: Final = "tiny.onnx"


def build(folder: Path) -> None:
    """Writes a model and a song."""
    with tempfile.TemporaryDirectory() as checkpoint:
        write_checkpoint(Path(checkpoint))
        export_checkpoint(Path(checkpoint), CONFIG, folder / MODEL, converter=DirectConverter())
    noise = np.random.default_rng(0).normal(0, 0.1, (5000, 2))
    soundfile.write(folder / "song.wav", noise, CONFIG.sample_rate)


def damage(rng: Random, corpus: Path, folder: Path) -> None:
    """Damages bytes, or changes the contents of the message."""
    content = (corpus / MODEL).read_bytes()
    if rng.random() < 0.35:
        content = mutated(rng, content)
    else:
        model = onnx.load_from_string(content)
        for _ in range(rng.choice((1, 1, 2, 4))):
            change(rng, model)
        content = model.SerializeToString()
    (folder / MODEL).write_bytes(content)
    (folder / "song.wav").write_bytes((corpus / "song.wav").read_bytes())


def run(place: Place) -> None:
    """Separates the song with the model."""
    execution = Execution(provider="cpu", n_threads=1)
    separator = Separator(place.input / MODEL, execution=execution, plugins=Plugins())
    separated = separate_file(separator, place.input / "song.wav", place.output)
    assert {path.parent for path in separated.stems.values()} == {place.output}


TARGET: Final = Target(build=build, damage=damage, run=run)
