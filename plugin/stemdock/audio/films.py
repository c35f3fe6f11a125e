"""Films with another sound: pictures, subtitles and chapters as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock.audio.ffmpeg.films import join_film
from stemdock.audio.ffmpeg.reading import first_frame
from stemdock.errors import AudioFileError, OutputError, OutputOptionError, StemdockError
from stemdock.lib.os_errors import os_errors_as, write_remedy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from threading import Event

    from stemdock.output.options import CodecName

CONTAINERS: Final[dict[str, tuple[str, Sequence[CodecName]]]] = {
    ".mp4": ("mp4", ("m4a", "alac")),
    ".m4v": ("mp4", ("m4a", "alac")),
    ".mov": ("mov", ("m4a", "alac")),
    ".mkv": ("matroska", ("m4a", "alac", "flac")),
}
"""ffmpeg's name of the container, and the codecs that players expect in it, by the end of the file's name.
Opus is not among them: ffmpeg 5.1 moves it 6.5 ms to the front when it copies it to Matroska."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmSound:
    """The sound of a film that is separated."""

    track: int
    """Its number among the audio tracks, from 0."""
    delay: float
    """Seconds that its first sample is behind the beginning of the film, beyond the silence that `open_audio`
    puts in front of it."""


def film_sound(source: Path, track: int | None, target: Path, codec: CodecName) -> FilmSound:
    """Finds the sound of a film, before any work starts.

    Args:
        source: The film.
        track: Number of the audio track, from 1; None for the default.
        target: The new film.
        codec: Codec of its sound.

    Raises:
        AudioFileError: The file has no picture, or cannot be read.
        OutputOptionError: The container of the new film cannot contain the codec.
    """
    _, codecs = CONTAINERS[target.suffix.lower()]
    if codec not in codecs:
        raise OutputOptionError(
            "codec",
            f"{target.suffix} films cannot contain {codec}",
            remedy=f"Use {' or '.join(codecs)}, or write an .mkv film: --template '{{filename}}.mkv'.",
        )
    found = first_frame(source, track)
    if not found.has_video:
        raise AudioFileError(
            source, "contains no picture", remedy="Choose a video file, or another format than video."
        )
    return FilmSound(track=found.track, delay=found.delay)


def write_film(path: Path, source: Path, found: FilmSound, sound: Path, cancel: Event | None) -> None:
    """Writes a film with another sound.

    Args:
        path: A file that does not exist yet.
        source: The film.
        found: Its sound, which is replaced.
        sound: The new sound.
        cancel: Set it from another thread to stop.

    Raises:
        OutputError: The file cannot be written.
        CancelledError: `cancel` was set.
    """

    def unwritable(reason: str) -> OutputError:
        return OutputError(
            path,
            f"cannot be written ({reason})",
            remedy=write_remedy(reason, "Check the disk and its free space, and install ffmpeg again."),
        )

    container, _ = CONTAINERS[path.suffix.lower()]
    with os_errors_as(unwritable, keep=StemdockError):
        reason = join_film(source, sound, path, container, found.track, found.delay, cancel)
    if reason:
        raise OutputError(
            path,
            f"ffmpeg cannot join picture and sound ({reason})",
            remedy="Write an .mkv film, which can contain any picture: --template '{filename}.mkv'.",
        )
