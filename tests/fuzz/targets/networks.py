"""A network that is small enough to be converted, loaded and run quickly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from stemdock_export.config import parse_config
from support.tf_bundle import seeded_values, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

CONTENT: Final = {
    "instrument_list": ["voice", "rest"],
    "sample_rate": 8000,
    "frame_length": 256,
    "frame_step": 64,
    "T": 64,
    "F": 64,
    "n_channels": 2,
    "separation_exponent": 2,
    "mask_extension": "zeros",
    "model": {
        "type": "unet.unet",
        "params": {
            "conv_activation": "ELU",
            "deconv_activation": "ELU",
            "conv_n_filters": [1, 2, 2, 2, 2, 2],
        },
    },
}
"""The configuration of the network."""
CONFIG: Final = parse_config(json.dumps(CONTENT), "tiny")


def write_checkpoint(folder: Path) -> None:
    """Writes a checkpoint and its configuration."""
    write_bundle(folder, seeded_values(CONFIG), block_length=400)
    (folder / "config.json").write_text(json.dumps(CONTENT), "utf-8")
