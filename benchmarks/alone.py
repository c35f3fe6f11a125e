"""Measures a model without the program: `python -m benchmarks.alone MODEL SONG`, in Stemdock's environment.

Runs the model file with onnxruntime's default settings, with all threads on each layer. The segments are
the same as in Stemdock and run one after the other.
"""

from __future__ import annotations

import sys
import time
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
import soundfile

from stemdock.card import INPUT_NAME, card_from_metadata
from stemdock.dsp.segments import cut_segments
from stemdock.dsp.stft import stft
from stemdock.engine.blocks import widened
from stemdock.inference.finding import find_entry
from stemdock.plugins import load_plugins

_MAX_SEGMENTS: Final = 16
"""Three minutes. All segments are kept in memory, which a long song would fill."""


def main() -> None:
    """Prints the seconds for a segment."""
    model, song = sys.argv[1], Path(sys.argv[2])
    path = find_entry(model, load_plugins()).path
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    card = card_from_metadata(session.get_modelmeta().custom_metadata_map, str(path))
    blocks = soundfile.blocks(song, 1 << 16, dtype="float32", always_2d=True)
    inputs = [
        np.abs(stft(segment.samples, card.frame_length)[..., : card.n_bins]).transpose(1, 2, 0)[None].copy()
        for segment in islice(cut_segments(widened(blocks, card.n_channels), card), _MAX_SEGMENTS)
    ]
    began = time.perf_counter()
    for magnitude in inputs:
        session.run(None, {INPUT_NAME: magnitude})
    print((time.perf_counter() - began) / len(inputs))


if __name__ == "__main__":
    main()
