"""All scenes by name."""

from __future__ import annotations

from support.reaper_model import (
    scenes_moments,
    scenes_people,
    scenes_placing,
    scenes_program,
    scenes_signal,
    scenes_systems,
    scenes_tracks,
    scenes_trouble,
)
from support.reaper_model.scenes import SCENES

__all__ = [
    "SCENES",
    "scenes_moments",
    "scenes_people",
    "scenes_placing",
    "scenes_program",
    "scenes_signal",
    "scenes_systems",
    "scenes_tracks",
    "scenes_trouble",
]
