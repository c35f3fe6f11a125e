from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.background_worker import own_worker

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def example() -> Path:
    """Eleven seconds of music."""
    return Path(__file__).parents[1] / "data" / "audio_example.mp3"


@pytest.fixture(autouse=True)
def worker_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a worker that only this test has."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch, own_worker(patch, folder):
        yield folder
