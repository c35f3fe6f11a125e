"""Chooses the second look at a file by its first bytes."""

from __future__ import annotations

from contextlib import suppress
from typing import IO, TYPE_CHECKING

from stemdock.audio.native_files import open_regular_file
from stemdock.audio.structure.pcm_sizes import PCM_STARTS, inspect_pcm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock.audio.structure.inspection import Inspection


def inspected(path: Path) -> Inspection | None:
    """Looks at the structure of a file; None if its format has no second look, or it cannot be opened."""
    with suppress(OSError, ValueError), open_regular_file(path) as file:
        start = file.read(4)
        file.seek(0)
        return _inspection_of(start)(file)
    return None


def _inspection_of(start: bytes) -> Callable[[IO[bytes]], Inspection | None]:
    """What looks at files with these first four bytes. Most runs need one or two of them."""
    if start in PCM_STARTS:
        return inspect_pcm
    if start == b"fLaC":
        from stemdock.audio.structure.flac_frames import inspect_flac  # noqa: PLC0415  as above

        return inspect_flac
    if start == b"OggS":
        from stemdock.audio.structure.ogg_pages import inspect_ogg  # noqa: PLC0415  as above

        return inspect_ogg
    from stemdock.audio.structure.mpeg_frames import inspect_mpeg  # noqa: PLC0415  as above

    return inspect_mpeg
