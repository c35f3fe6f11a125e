"""Uses damaged configurations of Spleeter with an intact checkpoint."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Final

from fuzz.case import Target
from fuzz.mutation import mutated_json
from fuzz.targets.networks import write_checkpoint
from stemdock_export.config import load_config
from stemdock_export.direct import DirectConverter
from stemdock_export.exporting import export_checkpoint

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from fuzz.case import Place

_CONFIG: Final = "config.json"
_LEGAL: Final = {
    "sample_rate": (1, 44100, 1 << 31, 1 << 70),
    "frame_length": (128, 256, 4096, 1 << 20, 1 << 40),
    "T": (64, 512, 1 << 20, 1 << 40),
    "F": (64, 128),
    "separation_exponent": (0.5, 1, 2, 3, 300, 1e-300, 1e308),
    "conv_n_filters": ([1] * 6, [1 << 40] * 6, [1, 2, 2, 2, 2, 3]),
    "instrument_list": (
        ["..", "b"],
        ["a", "b", "c"],
        ["rest", "voice"],
        [f"s{n}" for n in range(3000)],
        ["a\n", "b"],
    ),
}
"""Values that a configuration may have, including unreasonable ones."""


def damage(rng: Random, corpus: Path, folder: Path) -> None:
    """Changes the configuration."""
    shutil.copytree(corpus, folder, dirs_exist_ok=True)
    content = json.loads((corpus / _CONFIG).read_text("utf-8"))
    if rng.random() < 0.5:
        (folder / _CONFIG).write_bytes(mutated_json(rng, content))
        return
    for key in rng.sample(list(_LEGAL), rng.choice((1, 1, 2))):
        section = content["model"]["params"] if key == "conv_n_filters" else content
        section[key] = rng.choice(_LEGAL[key])
    content["frame_step"] = content["frame_length"] // 4
    (folder / _CONFIG).write_text(json.dumps(content), "utf-8")


def run(place: Place) -> None:
    """Converts the checkpoint with the configuration."""
    place.output.mkdir()
    config = load_config(str(place.input / _CONFIG))
    export_checkpoint(place.input, config, place.output / "model.onnx", converter=DirectConverter())


TARGET: Final = Target(build=write_checkpoint, damage=damage, run=run)
