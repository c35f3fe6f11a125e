"""Resumes a batch with a damaged manifest."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Final

from fuzz.case import Target
from fuzz.mutation import mutated_json
from fuzz.targets import models
from fuzz.targets.commands import check_command

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from fuzz.case import Place

_RESULTS: Final = "results"


def build(folder: Path) -> None:
    """Separates a song and keeps the results and their manifest."""
    models.build(folder)
    check_command(_arguments(folder))


def damage(rng: Random, corpus: Path, folder: Path) -> None:
    """Damages the manifest, and sometimes removes a stem."""
    shutil.copytree(corpus, folder, dirs_exist_ok=True)
    (manifest,) = (folder / _RESULTS / ".stemdock").iterdir()
    manifest.write_bytes(mutated_json(rng, json.loads(manifest.read_bytes())))
    if rng.random() < 0.3:
        rng.choice(sorted((folder / _RESULTS).glob("*/*.wav"))).unlink()


def run(place: Place) -> None:
    """Separates the same song again with `--resume`."""
    check_command(_arguments(place.input))
    assert len(list((place.input / _RESULTS / "song").glob("*.wav"))) == 2


def _arguments(folder: Path) -> list[str]:
    options = ["--model", str(folder / models.MODEL), "--output", str(folder / _RESULTS), "--provider", "cpu"]
    return ["separate", *options, "--threads", "1", "--resume", "--", str(folder / "song.wav")]


TARGET: Final = Target(build=build, damage=damage, run=run)
