"""DJ stem files (Native Instruments' Stems): the only module that knows their layout.

An MPEG-4 audio file whose first track, the only enabled one, is the mixture. Four disabled tracks follow, and
the user data has a box `stem` with the names and colours of the four in JSON. Programs that do not know the
format play the mixture.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from stemdock.audio.ffmpeg.joining import join_tracks
from stemdock.audio.mp4_boxes import add_user_data
from stemdock.errors import OutputError, StemdockError, unwritable
from stemdock.lib.os_errors import os_errors_as
from stemdock.output.dj_parts import MIXTURE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from threading import Event

    from stemdock.output.dj_parts import DjFile
    from stemdock.output.tags import Tags

_BOX: Final = b"stem"
_VERSION: Final = 1
_MASTERING: Final = {
    "compressor": {
        "enabled": False,
        "input_gain": 0.0,
        "output_gain": 0.0,
        "threshold": 0.0,
        "dry_wet": 50,
        "attack": 0.003,
        "release": 0.3,
        "ratio": 10,
        "hp_cutoff": 300,
    },
    "limiter": {"enabled": False, "threshold": 0.0, "ceiling": -0.35, "release": 0.05},
}
"""Effects that DJ programs put on the sum of the parts: none. Readers expect all of their values anyway."""


def write_dj_file(
    path: Path, content: DjFile, sounds: Mapping[str, Path], tags: Tags, cancel: Event | None = None
) -> str:
    """Joins encoded sounds to a DJ stem file, without encoding them again.

    Args:
        path: A file that does not exist yet.
        content: The parts.
        sounds: An m4a file for each of the sounds.
        tags: Tags and cover of the song.
        cancel: Set it from another thread to stop.

    Returns:
        Why the cover is missing; empty if it is not, or there is none.

    Raises:
        OutputError: The file cannot be written, or ffmpeg cannot join the sounds.
        CancelledError: `cancel` was set.
    """
    tracks = [sounds[MIXTURE], *(sounds[part.sound] for part in content.parts)]
    described = {
        "mastering_dsp": _MASTERING,
        "version": _VERSION,
        "stems": [{"name": part.name, "color": part.color} for part in content.parts],
    }
    with os_errors_as(
        unwritable(path, "Check the disk and its free space, and install ffmpeg again."), keep=StemdockError
    ):
        warning = join_tracks(tracks, path, tags, cancel)
        try:
            add_user_data(path, _BOX, json.dumps(described).encode())
        except ValueError as error:
            raise OutputError(
                path,
                f"ffmpeg joined its tracks in an unknown way ({error})",
                remedy="Install another version of ffmpeg.",
            ) from error
    return warning
