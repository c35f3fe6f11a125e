from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def example() -> Path:
    """Eleven seconds of music."""
    return Path(__file__).parents[2] / "data" / "audio_example.mp3"
