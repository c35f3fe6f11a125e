"""Reading of audio files, by libsndfile or else by ffmpeg."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Final

import numpy as np
import soundfile

from stemdock.audio.layouts import read_wav_header, soundfile_speakers
from stemdock.audio.native_files import Nameless, native_name, open_plain
from stemdock.dsp.downmix import downmixed, front_pair, full_downmix
from stemdock.errors import AudioFileError, AudioFileNotFoundError
from stemdock.output.codecs import SAMPLE_RATES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock.types import Downmix, DownmixMode, FloatArray

_BLOCK_LENGTH: Final = 1 << 16
_MAX_CHANNELS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """An audio file that is open for reading."""

    sample_rate: int
    n_channels: int
    total_length: int | None
    """Samples a channel; None if the file does not say."""
    blocks: Iterator[FloatArray]
    speakers: tuple[str, ...] = ()
    """Loudspeakers of the channels, as in `stemdock.dsp.downmix`; none if nobody can say."""
    downmix: Downmix | None = None
    """How the file's channels became two; None if they are as they were."""


@contextmanager
def open_audio(path: Path, downmix: DownmixMode = "refuse") -> Iterator[AudioStream]:
    """Opens an audio file, by libsndfile or else by the ffmpeg on the PATH.

    Args:
        path: wav, flac, mp3, ogg and the like; anything with an audio stream if ffmpeg is there.
        downmix: What to do with more than two channels.

    Raises:
        AudioFileNotFoundError: There is no such file.
        AudioFileError: It has no audio, no samples, more channels than can be folded, a sample rate that no
            audio has, or it is damaged.
    """
    with _open_either(path) as stream:
        if stream.sample_rate not in SAMPLE_RATES:
            raise AudioFileError(
                path,
                f"has a sample rate of {stream.sample_rate} Hz",
                remedy="Get an intact copy, or convert it to 44100 Hz.",
            )
        if stream.n_channels > _MAX_CHANNELS:
            stream = _stereo_stream(path, stream, downmix)  # noqa: PLW2901  the same file, only folded
        yield replace(stream, blocks=_some_samples(path, stream.blocks))


def _stereo_stream(path: Path, stream: AudioStream, downmix: DownmixMode) -> AudioStream:
    if downmix == "refuse":
        raise AudioFileError(
            path,
            f"has {stream.n_channels} channels, and only mono and stereo can be separated",
            remedy="Fold it down first, for example with: ffmpeg -i IN -ac 2 OUT.wav",
        )
    if downmix == "auto" and not stream.speakers:
        raise AudioFileError(
            path,
            f"has {stream.n_channels} channels, and nobody can say for which loudspeakers",
            remedy="Take its first two channels (--fold front), or fold it down in an audio editor.",
        )
    chosen = (
        full_downmix(stream.speakers) if downmix == "auto" else front_pair(stream.speakers, stream.n_channels)
    )
    return replace(
        stream, n_channels=_MAX_CHANNELS, blocks=downmixed(stream.blocks, chosen), speakers=(), downmix=chosen
    )


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
            speakers=soundfile_speakers(sound),
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
    # WAV says ahead of a stream of unknown length its rate, its channels, and which these are.
    command = [program, "-v", "error", "-nostdin", "-protocol_whitelist", "file,pipe"]
    command += ["-i", f"file:{path}", "-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "wav", "-"]
    with (
        tempfile.TemporaryFile() as messages,
        # An interrupt at the terminal is for us to deal with, so ffmpeg is kept from it.
        subprocess.Popen(  # noqa: S603
            command, stdout=subprocess.PIPE, stderr=messages, start_new_session=True
        ) as process,
    ):
        try:
            assert process.stdout is not None  # noqa: S101  because of PIPE
            header = read_wav_header(process.stdout)
            if header is None:
                process.wait()
                raise _ffmpeg_error(path, messages)
            sample_rate, n_channels, speakers = header
            yield AudioStream(
                sample_rate=sample_rate,
                n_channels=n_channels,
                total_length=None,
                blocks=_ffmpeg_blocks(path, process, n_channels, messages),
                speakers=speakers,
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
        yield np.frombuffer(data[:usable], "<f4").astype(np.float32).reshape(-1, n_channels)
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
