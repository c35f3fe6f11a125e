from __future__ import annotations

import dataclasses
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from stemdock_training.config import TrainingConfig, load_training_config

if TYPE_CHECKING:
    from collections.abc import Callable

_MISSING = [package for package in ("tensorflow", "tf2onnx") if find_spec(package) is None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not _MISSING:
        return
    skip = pytest.mark.skip(reason=f"needs {', '.join(_MISSING)}: pip install 'stemdock[export]'")
    for item in items:
        if item.get_closest_marker("export"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def training_config() -> Callable[..., TrainingConfig]:
    """Makes the original's defaults, with changes."""

    def make(**changes: Any) -> TrainingConfig:
        return dataclasses.replace(load_training_config("2stems"), **changes)

    return make
