"""Replacing the sound of a film, through ffmpeg."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock.audio.ffmpeg.encoding import program_for
from stemdock.audio.ffmpeg.formats import RECORDINGS
from stemdock.audio.ffmpeg.process import local_input, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event


def join_film(
    film: Path, sound: Path, result: Path, container: str, track: int, delay: float, cancel: Event | None
) -> str:
    """Copies everything of a film except its sound, and adds another sound; nothing is encoded again.

    Args:
        film: The film.
        sound: An audio file.
        result: The new film, which must not exist.
        container: ffmpeg's name of its container.
        track: The audio track, from 0, whose language and name the new sound gets.
        delay: Seconds from the beginning of the film to that of the sound.
        cancel: Set it from another thread to stop ffmpeg.

    Returns:
        Why ffmpeg failed; empty if it succeeded.

    Raises:
        OutputError: ffmpeg is not installed.
        OSError: ffmpeg cannot be started.
        CancelledError: `cancel` was set.
    """
    arguments = ["-n", *local_input(film, RECORDINGS), "-itsoffset", f"{delay:.9f}"]
    arguments += local_input(sound, RECORDINGS)
    # Attachments are the fonts of subtitles.
    arguments += ["-map", "0:v", "-map", "1:a:0", "-map", "0:s?", "-map", "0:t?", "-c", "copy"]
    arguments += ["-map_metadata", "0", "-map_metadata:s:a:0", f"0:s:a:{track}", "-map_chapters", "0"]
    arguments += ["-disposition:a:0", "default", "-f", container, f"file:{result}"]
    return run_ffmpeg(program_for(result), arguments, cancel)
