"""Facts about the audio files that a command line wrote."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CUT_LENGTH: Final = 200
"""Samples of each file that are kept."""


def decoded(path: Path) -> NDArray[np.float32]:
    """All samples of a stereo file as ffmpeg decodes them, `(n_samples, 2)`."""
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-ac", "2", "-"], capture_output=True, check=True
    )
    return np.frombuffer(done.stdout, "<f4").reshape(-1, 2)


def file_facts(path: Path) -> dict[str, Any]:
    """Container, codec, sample format, rate, channels and length of a file."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", path],
        capture_output=True, check=True,
    )  # fmt: skip
    probed = json.loads(done.stdout)
    (stream,) = probed["streams"]
    return {
        "container": probed["format"]["format_name"],
        "codec": stream["codec_name"],
        "sample_format": stream["sample_fmt"],
        "bits": stream.get("bits_per_raw_sample") or stream.get("bits_per_sample"),
        "sample_rate": int(stream["sample_rate"]),
        "n_channels": stream["channels"],
        "bit_rate": int(stream.get("bit_rate", 0)) if probed["format"]["format_name"] == "mp3" else None,
        "n_samples": len(decoded(path)),
    }


def cut_of(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The part of a file's samples that is kept, from the middle."""
    start = max(0, (len(samples) - CUT_LENGTH) // 2)
    return samples[start : start + CUT_LENGTH]


def written_files(folder: Path) -> list[Path]:
    """All files in a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
