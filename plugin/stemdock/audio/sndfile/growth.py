"""Passing on a file that libsndfile writes, while it grows.

libsndfile returns to the beginning of some files at the end, to complete their headers. Bytes that were
passed on stay as they are: readers of a stream do not need the length in the header of a FLAC file, and get
that of a WAV file in advance.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import soundfile

from stemdock.audio.sndfile.rf64 import fits_in_wav, with_sizes

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from stemdock.audio.encoding import Encoding

SAMPLE_SIZES: Final = {"16": 2, "24": 3, "32f": 4}
"""Bytes per sample."""
_SFC_SET_UPDATE_HEADER_AUTO: Final = 0x1061


class Growth:
    """Passes on what has been added to a file."""

    def __init__(self, file: io.FileIO, encoding: Encoding, on_encoded: Callable[[bytes], None]) -> None:
        """Passes nothing on yet.

        Args:
            file: The file, open for reading and writing.
            encoding: Its encoding.
            on_encoded: Receives the bytes, in order.
        """
        self._file = file
        self._encoding = encoding
        self._on_encoded = on_encoded
        self._passed_on = 0

    def pass_on(self) -> None:
        """Passes on the bytes behind those that were passed on before, if there are any."""
        end = os.fstat(self._file.fileno()).st_size
        position = self._file.tell()
        self._file.seek(self._passed_on)
        data = self._file.read(end - self._passed_on)
        self._file.seek(position)
        if not data:
            return
        if not self._passed_on and self._encoding.codec.name == "wav":
            data = with_sizes(data, self._size())
        self._passed_on += len(data)
        self._on_encoded(data)

    def _size(self) -> int | None:
        """The expected size of the samples in bytes; None if it is unknown or too large for WAV."""
        signal, depth = self._encoding.signal, self._encoding.bit_depth
        if signal.total_length is None or depth is None:
            return None
        size = signal.total_length * signal.n_channels * SAMPLE_SIZES[depth]
        return size if fits_in_wav(size) else None


def keep_header_up_to_date(file: Any) -> None:
    """Makes each write complete the header, so that a file that grows is valid at any time."""
    # soundfile has no public name for this command.
    soundfile._snd.sf_command(file._file, _SFC_SET_UPDATE_HEADER_AUTO, soundfile._ffi.NULL, 1)  # noqa: SLF001
