"""Encoding by libsndfile: wav, flac, mp3, ogg and opus."""

from __future__ import annotations

import struct
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile

from stemdock.errors import OutputError
from stemdock.plainfile import native_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock.codecs import Codec
    from stemdock.output import BitDepth, Tags
    from stemdock.types import FloatArray

_FORMATS: Final = {
    "wav": ("WAV", None),
    "flac": ("FLAC", None),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}
"""libsndfile's major format and subtype, the latter None if it follows from the bit depth."""
_SUBTYPES: Final = {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}
_SAMPLE_SIZES: Final = {"16": 2, "24": 3, "32f": 4}
"""Bytes."""
_WAV_LIMIT: Final = 2**32 - 2**16
"""Bytes that a WAV file's 32-bit sizes can count, less some room for its headers."""
_STRINGS: Final = ("title", "artist", "album", "tracknumber", "date", "genre", "comment")
_SFC_SET_ADD_PEAK_CHUNK: Final = 0x1050
_PIECE_LENGTH: Final = 1 << 16
"""Samples given to libsndfile at once: its encoders take room for all of them."""

_VORBIS_NOMINAL: Final = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 500)
"""Kilobits per second that libvorbis aims at in its qualities 0 to 10, for two channels at 44.1 or 48 kHz."""


def _compression_level(codec: str, bitrate: int) -> float:
    """Libsndfile's scale from 0 (largest file) to 1, as each of its encoders reads it."""
    if codec == "mp3":
        # Linear from 320 to 32 kbit/s at 32 kHz and above.
        return (320 - bitrate) / (320 - 32)
    if codec == "opus":
        # Linear from 256 to 6 kbit/s for each channel.
        return (256 - bitrate / 2) / 250
    return float(1 - np.interp(bitrate, _VORBIS_NOMINAL, np.linspace(0, 1, len(_VORBIS_NOMINAL))))


class SndfileSink:
    """A file that libsndfile is writing.

    Attributes:
        warning: What went wrong with the tags, empty if nothing did.
    """

    def __init__(
        self,
        path: Path,
        codec: Codec,
        bit_depth: BitDepth | None,
        bitrate: int | None,
        sample_rate: int,
        n_channels: int,
        total_length: int | None,
        tags: Tags,
    ) -> None:
        """Creates the file; raises `OutputError` if that fails."""
        self._path = path
        file_format, subtype = _FORMATS[codec.name]
        if codec.name == "wav" and bit_depth is not None:
            size = (total_length or 0) * n_channels * _SAMPLE_SIZES[bit_depth]
            # What does not fit in WAV becomes RF64. If nobody knows, it is RF64 until it is complete.
            if total_length is None or size >= _WAV_LIMIT:
                file_format = "RF64"
        self._may_become_wav = file_format == "RF64" and total_length is None
        with self._told_errors():
            self._file = soundfile.SoundFile(
                native_name(path),
                "x",
                samplerate=sample_rate,
                channels=n_channels,
                subtype=subtype if bit_depth is None else _SUBTYPES[bit_depth],
                format=file_format,
                compression_level=None if bitrate is None else _compression_level(codec.name, bitrate),
                bitrate_mode="CONSTANT" if codec.name == "mp3" else None,
            )
        if bit_depth == "32f":
            _leave_out_peaks(self._file)
        # In mp3, libsndfile takes UTF-8 for Latin-1.
        self.warning = "" if codec.name == "mp3" else self._set_tags(tags)

    def _set_tags(self, tags: Tags) -> str:
        """Writes tags; returns what went wrong."""
        try:
            for name in _STRINGS:
                if text := getattr(tags, name):
                    setattr(self._file, name, text)
        except soundfile.SoundFileError as error:
            return str(error)
        return ""

    def write(self, block: FloatArray) -> None:
        """Appends a block."""
        with self._told_errors():
            for start in range(0, len(block), _PIECE_LENGTH):
                self._file.write(block[start : start + _PIECE_LENGTH])

    def close(self) -> None:
        """Completes the file."""
        with self._told_errors():
            self._file.close()
            if self._may_become_wav and self._path.stat().st_size < _WAV_LIMIT:
                _become_wav(self._path)

    def abort(self) -> None:
        """Lets go of the file, whatever becomes of it."""
        with suppress(soundfile.SoundFileError, OSError):
            self._file.close()

    @contextmanager
    def _told_errors(self) -> Iterator[None]:
        try:
            yield
        # soundfile asserts that libsndfile wrote all it was given, which a full disk disproves.
        except (soundfile.SoundFileError, OSError, AssertionError) as error:
            raise OutputError(
                self._path, f"cannot be written ({error})", remedy="Check permissions and free disk space."
            ) from error


def _leave_out_peaks(file: soundfile.SoundFile) -> None:
    """Leaves out a chunk that has the time of writing in it: equal results shall be equal files."""
    # soundfile has no name for this command.
    soundfile._snd.sf_command(file._file, _SFC_SET_ADD_PEAK_CHUNK, soundfile._ffi.NULL, 0)  # noqa: SLF001


def _become_wav(path: Path) -> None:
    """Makes a complete RF64 file a WAV file, in place.

    EBU Tech 3306 lays RF64 out for this: the ds64 chunk, which holds the sizes in 64 bits, becomes
    a JUNK chunk that readers skip, and the sizes go where WAV has them.
    """
    with path.open("r+b") as file:
        _, _, form, chunk, size, riff_size, data_size = struct.unpack("<4sI4s4sIQQ", file.read(36))
        assert (form, chunk) == (b"WAVE", b"ds64")  # noqa: S101  libsndfile's own layout
        file.seek(0)
        file.write(struct.pack("<4sI4s4s", b"RIFF", riff_size, form, b"JUNK"))
        file.seek(20 + size)
        name, size = struct.unpack("<4sI", file.read(8))
        while name != b"data":
            file.seek(size + size % 2, 1)
            name, size = struct.unpack("<4sI", file.read(8))
        file.seek(-4, 1)
        file.write(struct.pack("<I", data_size))
