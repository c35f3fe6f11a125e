"""All targets by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz.targets import (
    archives,
    audacity,
    audio,
    checkpoints,
    commands,
    configurations,
    encodings,
    jobs,
    kept,
    models,
    options,
    playlists,
    projects,
    resumption,
    songs,
    vetting,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fuzz.case import Target

TARGETS: Final[Mapping[str, Target]] = {
    "audio": audio.TARGET,
    "song": songs.TARGET,
    "model": models.TARGET,
    "vetting": vetting.TARGET,
    "encoding": encodings.TARGET,
    "checkpoint": checkpoints.TARGET,
    "archive": archives.TARGET,
    "configuration": configurations.TARGET,
    "job": jobs.TARGET,
    "project": projects.TARGET,
    "audacity": audacity.TARGET,
    "command": commands.TARGET,
    "playlist": playlists.TARGET,
    "manifest": resumption.TARGET,
    "kept": kept.TARGET,
    "options": options.TARGET,
    "process": commands.PROCESS_TARGET,
}
"""All targets by name."""
GROUPS: Final[Mapping[str, Mapping[str, int]]] = {
    "all": {
        "audio": 40,
        "song": 12,
        "model": 16,
        "vetting": 8,
        "checkpoint": 10,
        "archive": 10,
        "configuration": 6,
        "job": 6,
        "project": 6,
        "audacity": 6,
        "command": 6,
        "playlist": 3,
        "manifest": 3,
        "kept": 12,
        "process": 1,
    },
    "parsers": {
        "song": 30,
        "vetting": 16,
        "encoding": 14,
        "archive": 8,
        "kept": 8,
        "project": 6,
        "audacity": 6,
        "playlist": 4,
        "checkpoint": 4,
        "job": 2,
        "configuration": 1,
        "model": 1,
    },
    "commands": {"command": 10, "options": 7, "manifest": 2, "process": 1},
}
"""Targets that run together, with the share of each: everything, what only reads, and whole commands."""
