"""Separates songs with sherpa-onnx's Python API: `MODELS OUTPUT THREADS SONG...`, in its environment.

sherpa-onnx's own program takes one song at a time. This driver loads the models once for all songs, which is
faster. Like that program it writes 16 bits, which clips invalid samples at the ends of its output.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import sherpa_onnx
import soundfile


def main() -> None:
    """Writes OUTPUT/song/stem.wav for each song and stem."""
    models, output, n_threads, songs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    stems = ("vocals", "accompaniment")
    paths = {stem: str(models / f"{stem}.onnx") for stem in stems}
    spleeter = sherpa_onnx.OfflineSourceSeparationSpleeterModelConfig(**paths)
    model = sherpa_onnx.OfflineSourceSeparationModelConfig(
        spleeter=spleeter, num_threads=n_threads, provider="cpu"
    )
    separator = sherpa_onnx.OfflineSourceSeparation(sherpa_onnx.OfflineSourceSeparationConfig(model=model))
    for song in songs:
        samples, sample_rate = soundfile.read(song, dtype="float32", always_2d=True)
        result = separator.process(sample_rate=sample_rate, samples=np.ascontiguousarray(samples.T))
        folder = output / Path(song).stem
        folder.mkdir(parents=True)
        for stem, separated in zip(stems, result.stems, strict=True):
            estimate = np.asarray(separated.data, np.float32).T
            soundfile.write(folder / f"{stem}.wav", estimate, result.sample_rate, subtype="PCM_16")


if __name__ == "__main__":
    main()
