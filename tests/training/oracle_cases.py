"""Training steps that Spleeter 2.4.2 has recorded: networks, weights and batches from seeds.

To record them again: write the inputs with `python tests/training/oracle_cases.py INPUTS.npz`, then see
`support/spleeter_training_record.py`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from stemdock_export.config import SpleeterConfig, parse_config
from support.tf_bundle import seeded_values

LEARNING_RATE = 1e-3
_BASE: dict[str, Any] = {
    "mix_name": "mix",
    "sample_rate": 8000,
    "frame_length": 256,
    "frame_step": 64,
    "T": 64,
    "F": 64,
    "n_channels": 2,
    "separation_exponent": 2,
    "mask_extension": "zeros",
    "learning_rate": LEARNING_RATE,
}
_FILTERS = {"conv_n_filters": [2, 3, 4, 4, 5, 6]}
CASES: dict[str, dict[str, Any]] = {
    "sigmoid": {
        **_BASE,
        "instrument_list": ["voice", "rest"],
        "model": {
            "type": "unet.unet",
            "params": {**_FILTERS, "conv_activation": "ELU", "deconv_activation": "ELU"},
        },
    },
    "softmax": {
        **_BASE,
        "instrument_list": ["one", "two", "three"],
        "model": {"type": "unet.softmax_unet", "params": _FILTERS},
    },
    "weighted": {
        **_BASE,
        "instrument_list": ["voice", "rest"],
        "loss_type": "weighted_L1_mask",
        "model": {"type": "unet.unet", "params": _FILTERS},
    },
}


@dataclass(frozen=True)
class Case:
    content: dict[str, Any]
    config: SpleeterConfig
    values: dict[str, np.ndarray[Any, np.dtype[np.float32]]]
    mixture: np.ndarray[Any, np.dtype[np.float32]]
    targets: dict[str, np.ndarray[Any, np.dtype[np.float32]]]


def make_case(name: str) -> Case:
    content = CASES[name]
    config = parse_config(json.dumps(content), name)
    random = np.random.default_rng(11)
    shape = (2, config.n_frames, config.n_bins, 2)
    targets = {stem: random.rayleigh(2.0, shape).astype(np.float32) for stem in config.stems}
    mixture = np.sum(list(targets.values()), axis=0) * random.uniform(0.8, 1.2, shape)
    return Case(content, config, seeded_values(config), mixture.astype(np.float32), targets)


if __name__ == "__main__":
    arrays: dict[str, Any] = {}
    for each in CASES:
        case = make_case(each)
        arrays[f"{each}/config"] = np.asarray(json.dumps(case.content))
        arrays[f"{each}/mixture"] = case.mixture
        arrays |= {f"{each}/target/{stem}": target for stem, target in case.targets.items()}
        arrays |= {f"{each}/variable/{key}": value for key, value in case.values.items()}
    np.savez(sys.argv[1], **arrays)
