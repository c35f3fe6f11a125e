"""Chooses the second look at a file by its first bytes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from stemdock.audio.native_files import open_regular_file
from stemdock.audio.structure.flac_frames import inspect_flac
from stemdock.audio.structure.mpeg_frames import inspect_mpeg
from stemdock.audio.structure.ogg_pages import inspect_ogg
from stemdock.audio.structure.pcm_sizes import PCM_STARTS, inspect_pcm

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock.audio.structure.inspection import Inspection

_INSPECTIONS: Final = dict.fromkeys(PCM_STARTS, inspect_pcm) | {
    b"fLaC": inspect_flac,
    b"OggS": inspect_ogg,
}


def inspected(path: Path) -> Inspection | None:
    """Looks at the structure of a file; None if its format has no second look, or it cannot be opened."""
    with suppress(OSError, ValueError), open_regular_file(path) as file:
        start = file.read(4)
        file.seek(0)
        return _INSPECTIONS.get(start, inspect_mpeg)(file)
    return None
