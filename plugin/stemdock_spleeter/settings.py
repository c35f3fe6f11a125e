"""Spleeter's defaults and environment variables, and the one that brings its old behaviour back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

STRICT_VARIABLE: Final = "SPLEETER_STRICT"
"""Environment variable: 1 for exit status 0 after an error, and the end of every song after ten minutes."""
MODEL_PATH_VARIABLE: Final = "MODEL_PATH"
GITHUB_DEFAULTS: Final = {
    "GITHUB_HOST": "https://github.com",
    "GITHUB_REPOSITORY": "deezer/spleeter",
    "GITHUB_RELEASE": "v1.4.0",
}

DEFAULT_ADAPTER: Final = "spleeter.audio.ffmpeg.FFMPEGProcessAudioAdapter"
"""Spleeter's name of the adapter for files."""
DEFAULT_FORMAT: Final = "{filename}/{instrument}.{codec}"
"""Spleeter's names of the files."""
STRICT_DURATION: Final = 600.0
"""Seconds after which Spleeter stops unless it is told otherwise."""


def is_strict() -> bool:
    """Whether the old behaviour is wanted."""
    return os.environ.get(STRICT_VARIABLE) == "1"


def model_path() -> Path:
    """The folder with one folder of checkpoints for each model."""
    return Path(os.environ.get(MODEL_PATH_VARIABLE, "pretrained_models"))


def release_url() -> str | None:
    """The address of the release that the environment names; None if it names none."""
    if not any(os.environ.get(name) for name in GITHUB_DEFAULTS):
        return None
    host, repository, release = (os.environ.get(name) or value for name, value in GITHUB_DEFAULTS.items())
    return f"{host}/{repository}/releases/download/{release}"
