"""Container formats that ffmpeg may read: recordings and videos, and nothing that names other files.

ffmpeg decides by the content, whatever the name of a file is. A playlist or a script that is called song.mp3
would make it read other files, whose sound would then be in the stems.

AMR without its header (amrnb, amrwb) is not among them. ffmpeg guesses it from the rhythm of a few bits, and
takes most files of numbers for hours of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock.errors import AudioFileError

if TYPE_CHECKING:
    from pathlib import Path

_MUSIC: Final = (
    "wav", "w64", "aiff", "au", "caf", "voc", "ircam", "nistsphere", "avr", "epaf", "pvf", "sox", "hcom",
    "iff", "xwma", "sds", "sdx", "wve", "aea", "mp3", "aac", "ac3", "eac3", "dts", "dtshd", "truehd", "mlp",
    "loas", "spdif", "s337m", "flac", "ogg", "ape", "wv", "tak", "tta", "shn", "mpc", "mpc8", "vqf", "oma",
    "dsf", "wsd", "aa",
)  # fmt: skip
_SPEECH: Final = (
    "amr", "gsm", "qcp", "ilbc", "g722", "g723_1", "g726", "g726le", "g729", "bit", "act",
    "dss", "codec2", "sbc", "aptx", "aptx_hd", "sln", "alaw", "mulaw",
)  # fmt: skip
_VIDEO: Final = (
    "mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "asf", "asf_o", "flv", "live_flv",
    "kux", "mpeg", "mpegts", "mxf", "gxf", "nut", "nuv", "nsv", "rm", "ivr", "dv", "wtv", "ty", "pva", "pmp",
    "lxf", "vivo",
)  # fmt: skip
_GAMES: Final = (
    "adx", "aax", "aix", "ast", "bfstm", "brstm", "fsb", "genh", "hca", "msf", "mtaf", "svag", "vag", "xvag",
    "vpk", "xa", "psxstr", "bink", "binka", "smk", "ea", "thp", "wsaud", "acm", "mmf",
)  # fmt: skip
RECORDINGS: Final = (*_MUSIC, *_SPEECH, *_VIDEO, *_GAMES)
"""ffmpeg's names of the formats that songs have. None of them opens a file that another file names: QuickTime
could, with an option that is off unless set."""
PICTURES: Final = ("png_pipe", "jpeg_pipe")
"""Formats of covers."""

_LISTS: Final = frozenset({"hls", "applehttp", "dash", "webm_dash_manifest", "concat", "imf", "sdp", "rtsp"})
_GUESSED: Final = frozenset({"amrnb", "amrwb"})


def refused(path: Path, name: str) -> AudioFileError:
    """A file has a format that is not among the recordings.

    Args:
        path: The file.
        name: ffmpeg's name of the format.
    """
    if name in _LISTS:
        return AudioFileError(
            path,
            f"is a playlist ({name}), not a recording",
            remedy="Choose the audio files that it names.",
        )
    if name in _GUESSED:
        return AudioFileError(
            path,
            "has no header of an audio file",
            remedy="Choose an audio file. If this one contains bare samples, convert it to WAV first.",
        )
    if name == "image2":
        return AudioFileError(
            path,
            "has the name of a picture, so ffmpeg does not read it as sound",
            remedy="Give the file the suffix of its audio format, such as .m4a.",
        )
    return AudioFileError(
        path,
        f"is not a recording (its format is {name})",
        remedy="Choose an audio file, or convert this one to WAV first.",
    )
