from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from stemdock_spleeter.settings import GITHUB_DEFAULTS
from support.spleeter_cases import CHECKPOINTS, make_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The songs and configurations of the recorded lines and calls."""
    folder = tmp_path_factory.mktemp("spleeter") / "work"
    make_inputs(folder)
    return folder


@pytest.fixture(scope="session")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stemdock's store, where converted checkpoints stay."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(autouse=True)
def _environment(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("SPLEETER_STRICT", "STEMDOCK_RELEASE_URL", *GITHUB_DEFAULTS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STEMDOCK_MODELS", str(store_folder))
    monkeypatch.setenv("MODEL_PATH", str(CHECKPOINTS))
    logger = logging.getLogger("spleeter")
    state = logger.level, logger.propagate, list(logger.handlers)
    yield
    logger.setLevel(state[0])
    logger.propagate = state[1]
    logger.handlers[:] = state[2]
