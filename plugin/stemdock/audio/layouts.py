"""The loudspeaker of each channel of a file, as libsndfile and ffmpeg report it."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import IO, Final

import soundfile

from stemdock.dsp.downmix import usual_speakers

_GET_CHANNEL_MAP: Final = 0x1100
"""libsndfile's command SFC_GET_CHANNEL_MAP_INFO."""
_SNDFILE_SPEAKERS: Final = {
    2: "FL", 3: "FR", 4: "FC", 5: "FL", 6: "FR", 7: "FC", 8: "BC", 9: "BL", 10: "BR", 11: "LFE", 12: "FLC",
    13: "FRC", 14: "SL", 15: "SR", 16: "TC", 17: "TFL", 18: "TFR", 19: "TFC", 20: "TBL", 21: "TBR", 22: "TBC",
}  # fmt: skip
"""Loudspeakers by libsndfile's SF_CHANNEL_MAP_* numbers."""
_MASK_SPEAKERS: Final = (
    "FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR",
    "TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR",
)  # fmt: skip
"""Loudspeakers by the bits of WAVE_FORMAT_EXTENSIBLE's channel mask, the lowest first. The channels of
a file are in the same order."""
_CHUNK: Final = struct.Struct("<4sI")
"""Header of a chunk: its name, and its size in bytes."""
_FORMAT: Final = struct.Struct("<HHIIHH")
"""Content of a fmt chunk: format, channels, sample rate in Hz, bytes per second, bytes per frame, bits per
sample."""
_MASK: Final = struct.Struct("<HHI")
"""Its extension in WAVE_FORMAT_EXTENSIBLE: size of the extension, valid bits, channel mask."""


def soundfile_speakers(file: soundfile.SoundFile) -> tuple[str, ...]:
    """The loudspeaker of each channel of an open file; empty if unknown."""
    return _channel_map(file) or usual_speakers(file.channels, ogg=file.format == "OGG")


def _channel_map(file: soundfile.SoundFile) -> tuple[str, ...]:
    """The loudspeakers that the file itself names, as WAV and CAF files do; empty if it names none."""
    # soundfile has no public name for this command. Without the private one, the usual order is assumed.
    with suppress(AttributeError):
        numbers = soundfile._ffi.new("int[]", file.channels)  # noqa: SLF001
        size = soundfile._ffi.sizeof(numbers)  # noqa: SLF001
        if soundfile._snd.sf_command(file._file, _GET_CHANNEL_MAP, numbers, size):  # noqa: SLF001
            speakers = tuple(_SNDFILE_SPEAKERS.get(number, "") for number in numbers)
            # For AIFF files, libsndfile returns arbitrary values.
            if all(speakers) and len(set(speakers)) == len(speakers):
                return speakers
    return ()


def read_wav_header(stream: IO[bytes]) -> tuple[int, int, tuple[str, ...]] | None:
    """Reads the header of a WAV stream, as ffmpeg writes it to a pipe, up to the first sample.

    Returns:
        Sample rate in Hz, number of channels, and the loudspeaker of each channel, empty if unknown; None
        if the stream ends before the samples begin.
    """
    sample_rate = n_channels = 0
    speakers: tuple[str, ...] = ()
    stream.read(_CHUNK.size + 4)  # RIFF, its size, WAVE
    while len(header := stream.read(_CHUNK.size)) == _CHUNK.size:
        name, size = _CHUNK.unpack(header)
        if name == b"data":
            return sample_rate, n_channels, speakers
        content = stream.read(size + size % 2)
        if name == b"fmt " and len(content) >= _FORMAT.size:
            _, n_channels, sample_rate, *_ = _FORMAT.unpack_from(content)
            mask = 0
            if len(content) >= _FORMAT.size + _MASK.size:
                *_, mask = _MASK.unpack_from(content, _FORMAT.size)
            named = tuple(name for bit, name in enumerate(_MASK_SPEAKERS) if mask >> bit & 1)
            speakers = named if len(named) == n_channels else usual_speakers(n_channels, ogg=False)
    return None
