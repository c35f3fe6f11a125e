"""Loads a finished model file for the checks that run it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import Execution, OnnxSession

if TYPE_CHECKING:
    from pathlib import Path


def load_model(path: Path) -> OnnxSession:
    """Loads a model on the CPU as Stemdock does for users, which also compares its graph and card.

    Raises:
        ModelError: The model cannot be loaded, or its graph and card differ.
    """
    return OnnxSession(path, Execution(provider="cpu"))
