"""The steps of a notebook: load a song, separate it in memory, and save the song without its vocals."""

from __future__ import annotations

import sys

import numpy as np
from spleeter.audio.adapter import AudioAdapter
from spleeter.separator import Separator


def main() -> None:
    song, target, model = sys.argv[1:]
    adapter = AudioAdapter.default()
    waveform, sample_rate = adapter.load(song, sample_rate=44100)
    prediction = Separator(model).separate(waveform)
    levels = {name: float(np.sqrt(np.mean(stem**2))) for name, stem in prediction.items()}
    for name, level in sorted(levels.items()):
        print(f"{name}: {20 * np.log10(level + 1e-9):.1f} dB")
    karaoke = sum(stem for name, stem in prediction.items() if name != "vocals")
    adapter.save(target, karaoke, sample_rate, "wav", "128k")


if __name__ == "__main__":
    main()
