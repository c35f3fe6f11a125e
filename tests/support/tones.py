"""Sounds that are easy to recognise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soundfile

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE_RATE = 44100
N_SECONDS = 12


def write(path: Path, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> Path:
    soundfile.write(path, samples.astype(np.float32), sample_rate, subtype="FLOAT")
    return path
