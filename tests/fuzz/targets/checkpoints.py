"""Converts damaged TensorFlow checkpoints."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from fuzz.case import Target
from fuzz.mutation import mutated
from fuzz.targets.networks import CONFIG, write_checkpoint
from stemdock_export.direct import DirectConverter
from stemdock_export.exporting import export_checkpoint
from stemdock_export.table import read_table
from support.tf_bundle import table

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from fuzz.case import Place

_INDEX: Final = "model.index"
_DATA: Final = "model.data-00000-of-00001"


def damage(rng: Random, corpus: Path, folder: Path) -> None:
    """Damages a file. In the index, often only entries are damaged and all checksums are valid."""
    for path in corpus.iterdir():
        shutil.copyfile(path, folder / path.name)
    name = rng.choice((_INDEX, _INDEX, _INDEX, _INDEX, _DATA, "checkpoint"))
    path = folder / name
    content = path.read_bytes()
    if name == _INDEX and rng.random() < 0.75:
        entries = list(read_table(content))
        for _ in range(rng.choice((1, 1, 3))):
            place = rng.randrange(len(entries) if rng.random() < 0.7 else 3)
            key, value = entries[place]
            entries[place] = (mutated(rng, key), value) if rng.random() < 0.2 else (key, mutated(rng, value))
        content = table(sorted(entries) if rng.random() < 0.8 else entries, rng.choice((50, 400, 1 << 30)))
    else:
        content = mutated(rng, content)
    path.write_bytes(content)
    if rng.random() < 0.05:
        rng.choice(sorted(folder.iterdir())).unlink()


def run(place: Place) -> None:
    """Converts the checkpoint."""
    place.output.mkdir()
    export_checkpoint(place.input, CONFIG, place.output / "model.onnx", converter=DirectConverter())


TARGET: Final = Target(build=write_checkpoint, damage=damage, run=run)
