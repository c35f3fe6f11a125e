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
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fuzz.case import Target

TARGETS: Final[Mapping[str, Target]] = {
    "audio": audio.TARGET,
    "model": models.TARGET,
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
