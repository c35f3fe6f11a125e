"""Films with another sound: pictures, subtitles and chapters as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from stemdock.audio.ffmpeg.films import MATROSKA, join_film, subtitle_codec
from stemdock.audio.ffmpeg.reading import FirstFrame, first_frame
from stemdock.errors import AudioFileError, OutputError, OutputOptionError, StemdockError, unwritable
from stemdock.lib.os_errors import os_errors_as

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from threading import Event

    from stemdock.output.options import CodecName

CONTAINERS: Final[dict[str, tuple[str, Sequence[CodecName]]]] = {
    ".mp4": ("mp4", ("m4a", "alac")),
    ".m4v": ("mp4", ("m4a", "alac")),
    ".mov": ("mov", ("m4a", "alac")),
    ".mkv": (MATROSKA, ("m4a", "alac", "flac")),
}
"""ffmpeg's name of the container, and the codecs that players expect in it, by the end of the file's name.
Opus is not among them: ffmpeg 5.1 moves it 6.5 ms to the front when it copies it to Matroska."""


FilmSound: TypeAlias = FirstFrame
"""The sound of a film that is separated, and what else is in the film."""
_MKV: Final = "--template '{filename}.mkv'"


def film_sound(source: Path, track: int | None, target: Path, codec: CodecName) -> FilmSound:
    """Finds the sound of a film, before any work starts.

    Args:
        source: The film.
        track: Number of the audio track, from 1; None for the default.
        target: The new film.
        codec: Codec of its sound.

    Raises:
        AudioFileError: The file has no picture, or cannot be read, or the container of the new film cannot
            contain its subtitles.
        OutputOptionError: The container of the new film cannot contain the codec.
    """
    container, codecs = CONTAINERS[target.suffix.lower()]
    if codec not in codecs:
        raise OutputOptionError(
            "codec",
            f"{target.suffix} films cannot contain {codec}",
            remedy=f"Use {' or '.join(codecs)}, or write an .mkv film: {_MKV}.",
        )
    found = first_frame(source, track)
    if not found.has_video:
        raise AudioFileError(
            source, "contains no picture", remedy="Choose a video file, or another format than video."
        )
    _check_subtitles(source, found, target.suffix, container)
    return found


def _check_subtitles(source: Path, found: FilmSound, suffix: str, container: str) -> None:
    subtitles = [stream.codec for stream in found.streams if stream.kind == "Subtitle"]
    for codec in subtitles:
        if subtitle_codec(container, codec):
            continue
        others = all(subtitle_codec(MATROSKA, each) for each in subtitles)
        raise AudioFileError(
            source,
            f"has subtitles ({codec}) that {suffix.lower()} films cannot contain",
            remedy=f"Write an .mkv film: {_MKV}."
            if others
            else "Copy the film without them first: ffmpeg -i FILM -map 0:v -map 0:a -c copy NEW.",
        )


def write_film(
    path: Path, source: Path, found: FilmSound, sound: Path, *, copy_tags: bool, cancel: Event | None
) -> None:
    """Writes a film with another sound.

    Args:
        path: A file that does not exist yet.
        source: The film.
        found: Its sound, which is replaced.
        sound: The new sound.
        copy_tags: Whether to copy the film's tags.
        cancel: Set it from another thread to stop.

    Raises:
        OutputError: The file cannot be written.
        CancelledError: `cancel` was set.
    """
    container, _ = CONTAINERS[path.suffix.lower()]
    with os_errors_as(
        unwritable(path, "Check the disk and its free space, and install ffmpeg again."), keep=StemdockError
    ):
        reason = join_film(source, sound, path, container, found, copy_tags=copy_tags, cancel=cancel)
    if reason:
        raise OutputError(
            path,
            f"ffmpeg cannot join picture and sound ({reason})",
            remedy="Convert the film to a common format first, such as H.264."
            if container == MATROSKA
            else f"Write an .mkv film, which can contain any picture: {_MKV}.",
        )
