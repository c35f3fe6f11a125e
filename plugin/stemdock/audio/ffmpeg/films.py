"""Replacing the sound of a film, through ffmpeg."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock.audio.ffmpeg.encoding import program_for
from stemdock.audio.ffmpeg.formats import RECORDINGS
from stemdock.audio.ffmpeg.process import local_input, run_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock.audio.ffmpeg.log import InputStream
    from stemdock.audio.ffmpeg.reading import FirstFrame

MATROSKA: Final = "matroska"
_COPIED_SUBTITLES: Final = {
    "mp4": frozenset({"mov_text", "dvd_subtitle"}),
    "mov": frozenset({"mov_text"}),
    MATROSKA: frozenset({
        "subrip", "ass", "ssa", "webvtt", "text", "hdmv_pgs_subtitle", "hdmv_text_subtitle", "dvd_subtitle",
        "dvb_subtitle",
    }),
}  # fmt: skip
"""ffmpeg's names of the subtitles that each container can contain."""
_TEXTS: Final = frozenset({"mov_text", "subrip", "ass", "ssa", "webvtt", "text"})
"""Subtitles that are text, which ffmpeg converts into one another. The others are pictures."""
_TEXT_ENCODERS: Final = {"mp4": "mov_text", "mov": "mov_text", MATROSKA: "srt"}
_TAGGED: Final = {"Video": "v", "Subtitle": "s", "Attachment": "t"}
"""Kinds of copied streams, and how ffmpeg's options call them."""


def subtitle_codec(container: str, codec: str) -> str | None:
    """How ffmpeg makes a subtitle of a container from another one; None if it cannot.

    Args:
        container: ffmpeg's name of the container.
        codec: ffmpeg's name of the subtitle's codec.
    """
    if codec in _COPIED_SUBTITLES[container]:
        return "copy"
    return _TEXT_ENCODERS[container] if codec in _TEXTS else None


def join_film(
    film: Path,
    sound: Path,
    result: Path,
    container: str,
    first: FirstFrame,
    *,
    copy_tags: bool,
    cancel: Event | None,
) -> str:
    """Copies everything of a film except its sound, and adds another sound.

    Nothing is encoded again but text subtitles that the container cannot contain as they are. Attachments,
    the fonts of subtitles, are copied to Matroska only.

    Args:
        film: The film.
        sound: An audio file.
        result: The new film, which must not exist.
        container: ffmpeg's name of its container.
        first: Of the audio track whose place the new sound takes; it has its language and name.
        copy_tags: Whether to copy the tags of the film and of its streams. The languages of streams and the
            names of attachments always stay.
        cancel: Set it from another thread to stop ffmpeg.

    Returns:
        Why ffmpeg failed; empty if it succeeded.

    Raises:
        OutputError: ffmpeg is not installed.
        OSError: ffmpeg cannot be started.
        CancelledError: `cancel` was set.
    """
    arguments = ["-n", *local_input(film, RECORDINGS), "-itsoffset", f"{first.delay:.9f}"]
    arguments += local_input(sound, RECORDINGS)
    arguments += ["-map", "0:v", "-map", "1:a:0", "-map", "0:s?", "-c", "copy", "-map_chapters", "0"]
    copied = [stream for stream in first.streams if stream.kind in _TAGGED]
    if container == MATROSKA:
        arguments += ["-map", "0:t?"]
    else:
        copied = [stream for stream in copied if stream.kind != "Attachment"]
    subtitles = [stream for stream in copied if stream.kind == "Subtitle"]
    for number, subtitle in enumerate(subtitles):
        arguments += [f"-c:s:{number}", subtitle_codec(container, subtitle.codec) or "copy"]
    arguments += _tags(copied, first) if copy_tags else _languages(copied, first)
    arguments += ["-disposition:a:0", "default", "-f", container, f"file:{result}"]
    return run_ffmpeg(program_for(result), arguments, cancel)


def _tags(copied: Sequence[InputStream], first: FirstFrame) -> list[str]:
    """Arguments that copy all tags: where one stream is named, ffmpeg copies nothing else by itself."""
    arguments = ["-map_metadata", "0", "-map_metadata:s:a:0", f"0:s:a:{first.track}"]
    for place, _ in _places(copied):
        arguments += [f"-map_metadata:s:{place}", f"0:s:{place}"]
    return arguments


def _languages(copied: Sequence[InputStream], first: FirstFrame) -> list[str]:
    """Arguments that copy no tags but the languages of streams and the names of attachments."""
    arguments = ["-map_metadata", "-1", "-map_metadata:s", "-1"]
    audio = [stream for stream in first.streams if stream.kind == "Audio"]
    tracks = audio[first.track : first.track + 1]
    for place, stream in (("a:0", tracks[0]), *_places(copied)) if tracks else _places(copied):
        if stream.kind == "Attachment":  # Matroska refuses those without a name
            arguments += [f"-map_metadata:s:{place}", f"0:s:{place}"]
        elif stream.language:
            arguments += [f"-metadata:s:{place}", f"language={stream.language}"]
    return arguments


def _places(streams: Sequence[InputStream]) -> Iterator[tuple[str, InputStream]]:
    """Each stream with its place among those of its kind, as in ffmpeg's options."""
    counts = dict.fromkeys(_TAGGED, 0)
    for stream in streams:
        yield f"{_TAGGED[stream.kind]}:{counts[stream.kind]}", stream
        counts[stream.kind] += 1
