"""Makes the model of REAPER importable by the tests of this folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def example() -> Path:
    """Eleven seconds of music."""
    return Path(__file__).parents[2] / "data" / "audio_example.mp3"
