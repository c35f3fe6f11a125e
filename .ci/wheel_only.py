"""A pytest plugin: fails unless every package of the wheel is imported from where pip put it."""

from __future__ import annotations

import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Import the wheel's packages before any test does."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    for folder in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        package = import_module(Path(folder).name)
        if not package.__file__ or not Path(package.__file__).is_relative_to(sys.prefix):
            raise pytest.UsageError(f"{package.__name__} is not the wheel's: {package.__file__}")
