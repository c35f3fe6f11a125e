"""Why ffmpeg cannot read a file, for people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from stemdock.errors import AudioFileError
from stemdock.lib.os_errors import reason_for

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock.audio.ffmpeg.log import FfmpegLog

_NO_DECODER: Final = re.compile(
    r"[Dd]ecoder .*not found|[Dd]ecoding requested, but no decoder found|no decoder found"
)


def uninstalled(path: Path) -> AudioFileError:
    """There is no ffmpeg."""
    return AudioFileError(
        path,
        "cannot be read without ffmpeg",
        remedy="Install ffmpeg, which reads m4a, video and damaged files, or convert the file to WAV.",
    )


def unstartable(path: Path, program: str, error: OSError) -> AudioFileError:
    """The system cannot run the program."""
    return AudioFileError(
        path,
        f"cannot be read, because ffmpeg cannot be started ({program}: {reason_for(error)})",
        remedy=f"Install ffmpeg for this computer, or remove {program}.",
    )


def unreadable(path: Path, log: FfmpegLog, track: int) -> AudioFileError:
    """Ffmpeg ended without a single sample."""
    n_tracks = len(log.audio_streams)
    reasons = " ".join(log.errors)
    if not log.formats:
        if not log.errors:
            return AudioFileError(
                path,
                "cannot be read, because ffmpeg stopped at its start",
                remedy="Run ffmpeg in a terminal to see what it reports, and install it again.",
            )
        return AudioFileError(
            path,
            "is not an audio file, or its beginning is damaged",
            remedy="Choose an audio file, or get an intact copy.",
        )
    if not n_tracks:
        return AudioFileError(path, "contains no sound", remedy="Choose a file that contains sound.")
    if track >= n_tracks:
        return AudioFileError(
            path,
            f"has no audio track {track + 1}; the last one is {n_tracks}",
            remedy=f"Choose a track from 1 to {n_tracks}.",
        )
    codec = log.audio_streams[track].split(",")[0]
    if codec.startswith(("none", "unknown")) or _NO_DECODER.search(reasons):
        return AudioFileError(
            path,
            f"contains sound that the installed ffmpeg cannot decode ({codec})",
            remedy="Install an ffmpeg with a decoder for it, or convert the file to WAV first.",
        )
    return AudioFileError(
        path,
        f"contains no sound that can be decoded ({codec})",
        remedy="Get an intact copy. If the file is protected against copying, it cannot be separated.",
    )


def crashed(path: Path, end: float) -> AudioFileError:
    """The system ended ffmpeg after some samples."""
    return AudioFileError(
        path,
        f"cannot be read to its end, because ffmpeg crashed at {end:.1f} s",
        remedy="Install another version of ffmpeg, or convert the file to WAV in an audio editor.",
    )
