from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from stemdock_training.config import TrainingConfig, load_training_config

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def training_config() -> Callable[..., TrainingConfig]:
    """Makes the original's defaults, with changes."""

    def make(**changes: Any) -> TrainingConfig:
        return dataclasses.replace(load_training_config("2stems"), **changes)

    return make
