"""Joining m4a files to one file with several tracks, through ffmpeg."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock.audio.ffmpeg.encoding import CONTAINER, program_for, tag_arguments
from stemdock.audio.ffmpeg.formats import PICTURES, RECORDINGS
from stemdock.audio.ffmpeg.process import local_input, run_ffmpeg
from stemdock.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from threading import Event

    from stemdock.output.tags import Tags


def join_tracks(tracks: Sequence[Path], result: Path, tags: Tags, cancel: Event | None) -> str:
    """Copies the sound of m4a files to the tracks of one, of which only the first is enabled.

    Args:
        tracks: The files; one may occur several times.
        result: The new file, which must not exist.
        tags: Tags and cover of the new file.
        cancel: Set it from another thread to stop ffmpeg.

    Returns:
        Why the cover is missing; empty if it is not, or there is none.

    Raises:
        OutputError: ffmpeg is not installed or cannot join the files.
        CancelledError: `cancel` was set.
    """
    warning = ""
    if tags.cover is not None:
        picture = result.with_name(f"{result.name}.cover")
        picture.write_bytes(tags.cover.data)
        warning = _join(tracks, result, tags, picture, cancel)
        picture.unlink()
        if not warning:
            return ""
        result.unlink(missing_ok=True)
    if reason := _join(tracks, result, tags, None, cancel):
        raise OutputError(
            result,
            f"ffmpeg cannot join its tracks ({reason})",
            remedy="Check the free disk space, or install another version of ffmpeg.",
        )
    return warning


def _join(
    tracks: Sequence[Path], result: Path, tags: Tags, picture: Path | None, cancel: Event | None
) -> str:
    """Runs ffmpeg; returns why it failed, else nothing."""
    arguments = ["-n"]
    for track in tracks:
        arguments += local_input(track, RECORDINGS)
    if picture is not None:
        arguments += local_input(picture, PICTURES)
    for number in range(len(tracks)):
        arguments += ["-map", f"{number}:a:0", f"-disposition:a:{number}", "0" if number else "default"]
    if picture is not None:
        arguments += ["-map", f"{len(tracks)}:v", "-disposition:v:0", "attached_pic"]
    arguments += [*tag_arguments(tags), "-c", "copy", "-f", CONTAINER, f"file:{result}"]
    return run_ffmpeg(program_for(result), arguments, cancel)
