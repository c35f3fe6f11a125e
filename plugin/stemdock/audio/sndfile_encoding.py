"""Encoding by libsndfile: wav, flac, mp3, ogg and opus."""

from __future__ import annotations

import io
import struct
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile

from stemdock.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import ReadableBuffer as Buffer

    from stemdock.output.codecs import Codec
    from stemdock.output.options import BitDepth
    from stemdock.output.tags import Tags
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


class _WatchedFile(io.FileIO):
    """A new file that remembers what went wrong.

    libsndfile ignores that a disk is full when it closes a file, so what is compressed would lose its end
    without anybody noticing. And no exception can pass through it, nor what a signal raises.

    Attributes:
        fault: What was raised first in writing, None if nothing was.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "x+")
        self.fault: BaseException | None = None

    def write(self, data: Buffer, /) -> int:
        """Writes all of the data; returns 0 if that fails, which libsndfile takes for an error."""
        if self.fault:
            return 0
        try:
            rest = memoryview(data).cast("B")
            size = len(rest)
            while rest:
                rest = rest[super().write(rest) :]
        except BaseException as error:  # noqa: BLE001  it is raised again when libsndfile has returned
            self.fault = error
            return 0
        return size


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
        self._stream = self._created()
        with ExitStack() as failing:
            failing.callback(self._stream.close)
            with self._told_errors():
                self._file = soundfile.SoundFile(
                    self._stream,
                    "w",
                    samplerate=sample_rate,
                    channels=n_channels,
                    subtype=subtype if bit_depth is None else _SUBTYPES[bit_depth],
                    format=file_format,
                    compression_level=None if bitrate is None else _compression_level(codec.name, bitrate),
                    bitrate_mode="CONSTANT" if codec.name == "mp3" else None,
                )
                failing.callback(self._file.close)
            if bit_depth == "32f":
                _leave_out_peaks(self._file)
            failing.pop_all()
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
        with self._stream, self._told_errors():
            self._file.close()
        with self._told_errors():
            if self._may_become_wav and self._path.stat().st_size < _WAV_LIMIT:
                _become_wav(self._path)

    def abort(self) -> None:
        """Lets go of the file, whatever becomes of it."""
        with suppress(soundfile.SoundFileError), self._stream:
            self._file.close()

    def _created(self) -> _WatchedFile:
        try:
            return _WatchedFile(self._path)
        except OSError as error:
            raise self._error(error) from error

    @contextmanager
    def _told_errors(self) -> Iterator[None]:
        try:
            yield
        # soundfile asserts that libsndfile wrote all it was given, which a full disk disproves.
        except (soundfile.SoundFileError, OSError, AssertionError) as error:
            raise self._error(self._stream.fault or error) from error
        if self._stream.fault:
            raise self._error(self._stream.fault)

    def _error(self, error: BaseException) -> BaseException:
        """What to raise: an `OutputError`, unless it has nothing to do with the file."""
        if not isinstance(error, (soundfile.SoundFileError, OSError, AssertionError)):
            return error
        reason = error.strerror if isinstance(error, OSError) else error
        return OutputError(
            self._path, f"cannot be written ({reason})", remedy="Check permissions and free disk space."
        )


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
