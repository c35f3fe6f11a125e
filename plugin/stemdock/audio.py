"""Audio files and sample rates: the only module that knows soundfile, soxr and ffmpeg.

Conventions:
    Blocks are float32, `(n_samples, n_channels)`; full scale is 1.0.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Final, Literal, Self

import numpy as np
import soundfile
import soxr

from stemdock.errors import AudioFileError, AudioFileNotFoundError, OutputError
from stemdock.plainfile import Nameless, native_name, open_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from stemdock.types import FloatArray

BitDepth = Literal["16", "24", "32f"]
"""Bits of a sample in a WAV file: integers, or 32-bit floating point, which cannot clip."""

_SUBTYPES: Final = {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}
_SAMPLE_SIZES: Final = {"16": 2, "24": 3, "32f": 4}
"""Bytes."""
_WAV_LIMIT: Final = 2**32 - 2**16
"""Bytes of samples that a WAV file's 32-bit sizes can count, less some room for its headers."""
_BLOCK_LENGTH: Final = 1 << 16
_MAX_CHANNELS: Final = 2
_SAMPLE_RATES: Final = range(1000, 768_001)
"""Hz. Below and above, a block or a segment would become too large when its rate is changed."""
_AU_HEADER: Final = struct.Struct(">4sIIIII")
"""Magic, data offset, data size, encoding, sample rate in Hz, channels; all big-endian."""
_AU_FLOAT: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """An audio file that is open for reading."""

    sample_rate: int
    n_channels: int
    total_length: int | None
    """Samples a channel; None if the file does not say."""
    blocks: Iterator[FloatArray]


@contextmanager
def open_audio(path: Path) -> Iterator[AudioStream]:
    """Opens an audio file, by libsndfile or else by the ffmpeg on the PATH.

    Args:
        path: wav, flac, mp3, ogg and the like; anything with an audio stream if ffmpeg is there.

    Raises:
        AudioFileNotFoundError: There is no such file.
        AudioFileError: It has no audio, no samples, more than two channels, a sample rate that no audio has,
            or it is damaged.
    """
    with _open_either(path) as stream:
        if stream.n_channels > _MAX_CHANNELS:
            raise AudioFileError(
                path,
                f"has {stream.n_channels} channels, and only mono and stereo can be separated",
                remedy="Fold it down first, for example with: ffmpeg -i IN -ac 2 OUT.wav",
            )
        if stream.sample_rate not in _SAMPLE_RATES:
            raise AudioFileError(
                path,
                f"has a sample rate of {stream.sample_rate} Hz",
                remedy="Get an intact copy, or convert it to 44100 Hz.",
            )
        yield replace(stream, blocks=_some_samples(path, stream.blocks))


@contextmanager
def _open_either(path: Path) -> Iterator[AudioStream]:
    reason = _soundfile_fault(path)
    if reason:
        with _open_by_ffmpeg(path, reason) as stream:
            yield stream
        return
    # Reading goes by name all the same: an error or a signal inside a read of a Python file is lost.
    with soundfile.SoundFile(native_name(path)) as sound:
        yield AudioStream(
            sample_rate=sound.samplerate,
            n_channels=sound.channels,
            total_length=sound.frames,
            blocks=_soundfile_blocks(path, sound),
        )


def _soundfile_fault(path: Path) -> str:
    """Why libsndfile cannot read a file that is there; empty if it can."""
    try:
        # Shown the bytes without the name, libsndfile judges by content, and does not let its mp3
        # decoder complain to standard error about a text that is called mp3.
        with open_plain(path) as file, soundfile.SoundFile(Nameless(file)):
            # By that name it would take headers for samples.
            return "it is called raw" if path.suffix.lower() == ".raw" else ""
    except FileNotFoundError as error:
        raise AudioFileNotFoundError(path) from error
    except (OSError, ValueError) as error:
        # Of a path with a NUL in it, or of letters that are none, Python says that the value is wrong.
        reason = error.strerror if isinstance(error, OSError) else error
        raise AudioFileError(
            path, f"cannot be opened ({reason})", remedy="Name an audio file that you may read."
        ) from error
    except soundfile.LibsndfileError as error:
        return str(error.error_string)


def _some_samples(path: Path, blocks: Iterator[FloatArray]) -> Iterator[FloatArray]:
    first = next(blocks, None)
    if first is None:
        raise AudioFileError(path, "has no samples", remedy="Choose a file with some audio in it.")
    yield first
    yield from blocks


def _soundfile_blocks(path: Path, file: soundfile.SoundFile) -> Iterator[FloatArray]:
    while True:
        try:
            block = file.read(_BLOCK_LENGTH, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioFileError(
                path,
                f"is damaged ({error.error_string})",
                remedy="Get an intact copy, or repair it in an audio editor.",
            ) from error
        if not len(block):
            return
        yield block


@contextmanager
def _open_by_ffmpeg(path: Path, reason: str) -> Iterator[AudioStream]:
    """Opens what libsndfile refused for `reason`."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise AudioFileError(
            path,
            f"is no audio file that can be read without ffmpeg ({reason})",
            remedy="Install ffmpeg for m4a, video and other formats, or convert the file to WAV.",
        )
    # AU is the simplest format that says rate and channels ahead of a stream of unknown length.
    command = [program, "-v", "error", "-nostdin", "-protocol_whitelist", "file,pipe"]
    command += ["-i", f"file:{path}", "-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "-"]
    with (
        tempfile.TemporaryFile() as messages,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages) as process,  # noqa: S603
    ):
        try:
            assert process.stdout is not None  # noqa: S101  because of PIPE
            header = process.stdout.read(_AU_HEADER.size)
            if len(header) < _AU_HEADER.size:
                process.wait()
                raise _ffmpeg_error(path, messages)
            _, offset, _, encoding, sample_rate, n_channels = _AU_HEADER.unpack(header)
            if encoding != _AU_FLOAT:
                raise AudioFileError(path, "ffmpeg's output is not understood", remedy="Update ffmpeg.")
            process.stdout.read(offset - _AU_HEADER.size)
            yield AudioStream(
                sample_rate=sample_rate,
                n_channels=n_channels,
                total_length=None,
                blocks=_ffmpeg_blocks(path, process, n_channels, messages),
            )
        finally:
            process.kill()


def _ffmpeg_blocks(
    path: Path, process: subprocess.Popen[bytes], n_channels: int, messages: IO[bytes]
) -> Iterator[FloatArray]:
    assert process.stdout is not None  # noqa: S101  because of PIPE
    size = _BLOCK_LENGTH * n_channels * 4
    while data := process.stdout.read(size):
        usable = len(data) - len(data) % (n_channels * 4)
        yield np.frombuffer(data[:usable], ">f4").astype(np.float32).reshape(-1, n_channels)
    if process.wait() != 0:
        raise _ffmpeg_error(path, messages)


def _ffmpeg_error(path: Path, messages: IO[bytes]) -> AudioFileError:
    messages.seek(0)
    lines = messages.read().decode(errors="replace").strip().splitlines()
    reason = lines[-1].replace(f"file:{path}: ", "") if lines else "no reason given"
    return AudioFileError(
        path,
        f"ffmpeg finds no usable audio in it ({reason})",
        remedy="Check that it is an audio file and intact.",
    )


def resampled(blocks: Iterable[FloatArray], from_rate: int, to_rate: int) -> Iterator[FloatArray]:
    """Blocks at another sample rate, without delay.

    Args:
        blocks: `(n_samples, n_channels)` each, all with the same number of channels.
        from_rate: Hz.
        to_rate: Hz.

    Yields:
        Blocks whose lengths add up to `total * to_rate / from_rate`, rounded; the samples do not
        depend on how the input was cut.
    """
    if from_rate == to_rate:
        yield from blocks
        return
    stream = empty = None
    for block in blocks:
        if stream is None:
            empty = block[:0]
            stream = soxr.ResampleStream(from_rate, to_rate, block.shape[1], dtype="float32", quality="HQ")
        yield stream.resample_chunk(np.ascontiguousarray(block))
    if stream is not None:
        yield stream.resample_chunk(empty, last=True)


class WavWriter:
    """A WAV file being written, which keeps count of what it holds.

    Attributes:
        peak: Largest absolute sample so far.
        clipped_length: Samples over all channels that the bit depth had to clip.
    """

    def __init__(
        self, path: Path, *, sample_rate: int, n_channels: int, bit_depth: BitDepth, total_length: int | None
    ) -> None:
        """Creates the file.

        Args:
            path: Must not exist yet.
            sample_rate: Hz.
            n_channels: Channels of every block.
            bit_depth: How samples are stored.
            total_length: Expected samples a channel; what does not fit in WAV becomes RF64.

        Raises:
            OutputError: It cannot be created.
        """
        self._path = path
        size = (total_length or 0) * n_channels * _SAMPLE_SIZES[bit_depth]
        self._full_scale = None if bit_depth == "32f" else 1.0
        self.peak = 0.0
        self.clipped_length = 0
        with self._told_errors():
            self._file = soundfile.SoundFile(
                native_name(path),
                "x",
                samplerate=sample_rate,
                channels=n_channels,
                subtype=_SUBTYPES[bit_depth],
                format="WAV" if size < _WAV_LIMIT else "RF64",
            )

    def write(self, block: FloatArray) -> None:
        """Appends a block `(n_samples, n_channels)`.

        Raises:
            OutputError: The disk is full or gone.
        """
        magnitude = np.abs(block)
        self.peak = max(self.peak, float(magnitude.max(initial=0.0)))
        if self._full_scale is not None:
            self.clipped_length += int(np.count_nonzero(magnitude > self._full_scale))
        with self._told_errors():
            self._file.write(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Completes the file; raises `OutputError` if the disk is full or gone."""
        with self._told_errors():
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
