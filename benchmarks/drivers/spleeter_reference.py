"""Separates songs with Spleeter's Python API into float32 arrays: `MODEL FOLDER SONG...`, in its environment.

Spleeter's command line writes only 16 bits, which is too coarse for a reference.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from spleeter.audio.adapter import AudioAdapter
from spleeter.separator import Separator


def main() -> None:
    """Writes FOLDER/song/stem.npy for each song and stem."""
    model, folder, songs = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    separator = Separator(f"spleeter:{model}", multiprocess=False)
    for song in songs:
        samples, _ = AudioAdapter.default().load(song, sample_rate=44100)
        target = folder / Path(song).stem
        target.mkdir(parents=True)
        for stem, estimate in separator.separate(samples).items():
            np.save(target / f"{stem}.npy", estimate.astype(np.float32))


if __name__ == "__main__":
    main()
