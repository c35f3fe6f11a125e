"""Encoding by libsndfile: wav, flac, mp3, ogg and opus."""

from __future__ import annotations

import io
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile

from stemdock.audio.sndfile.growth import SAMPLE_SIZES, Growth, keep_header_up_to_date
from stemdock.audio.sndfile.rf64 import become_wav_if_small, fits_in_wav
from stemdock.errors import OutputError, unwritable
from stemdock.lib.os_errors import os_errors_as, reason_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from _typeshed import ReadableBuffer as Buffer

    from stemdock.audio.encoding import Encoding
    from stemdock.output.tags import Tags
    from stemdock.types import FloatArray

_FORMATS: Final = {
    "wav": ("WAV", None),
    "flac": ("FLAC", None),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "raw": ("RAW", None),
}
"""libsndfile's format and subtype; no subtype where the bit depth decides."""
_SUBTYPES: Final = {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}
_STRINGS: Final = ("title", "artist", "album", "tracknumber", "date", "genre", "comment")
_SFC_SET_ADD_PEAK_CHUNK: Final = 0x1050
_PIECE_LENGTH: Final = 1 << 16
"""Samples passed to libsndfile in one call: its encoders allocate memory for all of them."""

_VORBIS_NOMINAL: Final = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 500)
"""Target bit rates in kbit/s of libvorbis's qualities 0 to 10, for two channels at 44.1 or 48 kHz."""


def _compression_level(codec: str, bitrate: int) -> float:
    """The value from 0 (largest file) to 1 that sets a bit rate in kbit/s in libsndfile's encoders."""
    if codec == "mp3":
        # Linear from 320 to 32 kbit/s at 32 kHz and above.
        return (320 - bitrate) / (320 - 32)
    if codec == "opus":
        # Linear from 256 to 6 kbit/s for each channel.
        return (256 - bitrate / 2) / 250
    return float(1 - np.interp(bitrate, _VORBIS_NOMINAL, np.linspace(0, 1, len(_VORBIS_NOMINAL))))


class _WatchedFile(io.FileIO):
    """A new file that keeps the first error of its writes.

    libsndfile ignores a full disk when it closes a file, so a compressed file would lose its end without
    an error. Exceptions, including those of signal handlers, cannot pass through libsndfile.

    Attributes:
        fault: The first exception that a write raised; None if there was none.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "x+")
        self.fault: BaseException | None = None

    def write(self, data: Buffer, /) -> int:
        """Writes all of the data; returns 0, which means an error to libsndfile, if that fails."""
        if self.fault:
            return 0
        try:
            rest = memoryview(data).cast("B")
            size = len(rest)
            while rest:
                rest = rest[super().write(rest) :]
        except BaseException as error:  # noqa: BLE001  raised again after libsndfile returns
            self.fault = error
            return 0
        return size


class SndfileSink:
    """A file that libsndfile writes.

    Attributes:
        warning: Why tags are missing; empty if none are.
    """

    def __init__(
        self,
        path: Path,
        encoding: Encoding,
        tags: Tags,
        on_encoded: Callable[[bytes], None] | None = None,
    ) -> None:
        """Creates the file; raises `OutputError` if that fails."""
        self._path = path
        codec, signal = encoding.codec.name, encoding.signal
        file_format, subtype = _FORMATS[codec]
        if codec == "wav" and encoding.bit_depth is not None:
            size = (signal.total_length or 0) * signal.n_channels * SAMPLE_SIZES[encoding.bit_depth]
            # RF64 is for files too large for WAV. If the length is unknown, the file starts as RF64.
            if signal.total_length is None or not fits_in_wav(size):
                file_format = "RF64"
        self._may_become_wav = file_format == "RF64" and signal.total_length is None
        with os_errors_as(self._output_error):
            self._stream = _WatchedFile(path)
        with ExitStack() as failing:
            failing.callback(self._stream.close)
            with self._translated_errors():
                self._file = soundfile.SoundFile(
                    self._stream,
                    "w",
                    samplerate=signal.sample_rate,
                    channels=signal.n_channels,
                    subtype=_SUBTYPES[encoding.bit_depth] if encoding.bit_depth else subtype,
                    format=file_format,
                    endian="LITTLE" if codec == "raw" else None,
                    compression_level=_compression_level(codec, encoding.bitrate)
                    if encoding.bitrate
                    else None,
                    bitrate_mode="CONSTANT" if codec == "mp3" else None,
                )
                failing.callback(self._file.close)
            if encoding.bit_depth == "32f" and codec == "wav":
                _omit_peak_chunk(self._file)
            failing.pop_all()
        self._growth = Growth(self._stream, encoding, on_encoded) if on_encoded else None
        if self._growth and codec == "wav":
            keep_header_up_to_date(self._file)
        # libsndfile writes UTF-8 into mp3 tags that are marked as Latin-1, so `add_tags` writes them. Bare
        # samples have none.
        self.warning = "" if codec in {"mp3", "raw"} else self._set_tags(tags)

    def _set_tags(self, tags: Tags) -> str:
        """Writes tags; returns the reason if that fails."""
        try:
            for name in _STRINGS:
                if text := getattr(tags, name):
                    setattr(self._file, name, text)
        except soundfile.SoundFileError as error:
            return _text(error)
        return ""

    def write(self, block: FloatArray) -> None:
        """Appends a block."""
        with self._translated_errors():
            for start in range(0, len(block), _PIECE_LENGTH):
                self._file.write(block[start : start + _PIECE_LENGTH])
        # Not inside the block above: errors of the receiver are not those of the file.
        if self._growth:
            self._growth.pass_on()

    def close(self) -> None:
        """Completes the file."""
        with self._stream:
            with self._translated_errors():
                self._file.close()
            if self._growth:
                self._growth.pass_on()
        if self._may_become_wav:
            with self._translated_errors():
                become_wav_if_small(self._path)

    def abort(self) -> None:
        """Closes the file, which is incomplete."""
        with suppress(soundfile.SoundFileError), self._stream:
            self._file.close()

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        # soundfile asserts that libsndfile wrote all samples, which is not so on a full disk.
        except (soundfile.SoundFileError, OSError, AssertionError) as error:
            raise self._error(self._stream.fault or error) from error
        if self._stream.fault:
            raise self._error(self._stream.fault)

    def _error(self, error: BaseException) -> BaseException:
        """The error to raise: an `OutputError`, unless the cause is not the file, such as a signal."""
        if isinstance(error, OSError):
            return self._output_error(reason_for(error))
        if isinstance(error, (soundfile.SoundFileError, AssertionError)):
            return self._output_error(_text(error))
        return error

    def _output_error(self, reason: str) -> OutputError:
        return unwritable(self._path, "Check the permissions and the free disk space.")(reason)


def _text(error: BaseException) -> str:
    """The reason of an error of soundfile, without the stream's name and the full stop of libsndfile."""
    return str(getattr(error, "error_string", error)).rstrip(".")


def _omit_peak_chunk(file: soundfile.SoundFile) -> None:
    """Omits the PEAK chunk, which contains the time: equal results must be equal files."""
    # soundfile has no public name for this command.
    soundfile._snd.sf_command(file._file, _SFC_SET_ADD_PEAK_CHUNK, soundfile._ffi.NULL, 0)  # noqa: SLF001
