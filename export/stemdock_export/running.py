"""Loads a finished model file for the checks that run it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import Execution, Plugins, open_model

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import MaskSession


def load_model(path: Path) -> MaskSession:
    """Loads a model on the CPU as Stemdock does for users, which also compares its graph and card.

    Raises:
        ModelError: The model cannot be loaded, or its graph and card differ.
    """
    return open_model(path, Plugins(), Execution(provider="cpu"))
