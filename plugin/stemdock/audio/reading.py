"""Reading of audio files: chooses the decoder, checks the format, mixes surround sound down to stereo."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from stemdock.audio.abandoning import abandonable
from stemdock.audio.bounds import bounded
from stemdock.audio.continuing import continued
from stemdock.audio.ffmpeg.process import find_ffmpeg
from stemdock.audio.sndfile.reading import open_by_sndfile, unreadable_reason
from stemdock.audio.structure.inspecting import inspected
from stemdock.dsp.downmix import downmixed, front_pair, full_downmix
from stemdock.errors import AudioFileError
from stemdock.output.arguments import as_path
from stemdock.output.codecs import SAMPLE_RATES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from threading import Event

    from stemdock.audio.abandoning import Call
    from stemdock.audio.stream import AudioStream
    from stemdock.audio.structure.inspection import Inspection
    from stemdock.lib.arguments import StrPath
    from stemdock.types import DownmixMode, FloatArray

_MAX_CHANNELS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioInfo:
    """Length and format of an audio file."""

    sample_rate: int
    """Hz."""
    n_channels: int
    """Channels, of any number."""
    total_length: int
    """Samples per channel."""
    container: str
    """The file format as libsndfile names it, such as "WAV"; empty if only ffmpeg can read the file."""

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.total_length / self.sample_rate


def audio_info(path: StrPath) -> AudioInfo:
    """Reads the length and format of an audio file.

    Decodes the whole file if its header does not give the length, as ffmpeg's formats do not.

    Raises:
        ArgumentError: `path` is not a path.
        AudioFileNotFoundError: There is no such file.
        AudioFileError: The file contains no audio, is damaged, or cannot be read.
    """
    with _open(as_path("path", path)) as stream:
        total_length = stream.total_length
        if total_length is None:
            total_length = sum(len(block) for block in stream.blocks)
        return AudioInfo(
            sample_rate=stream.sample_rate,
            n_channels=stream.n_channels,
            total_length=total_length,
            container=stream.container,
        )


@contextmanager
def open_audio(
    path: StrPath,
    downmix: DownmixMode = "refuse",
    *,
    track: int | None = None,
    cancel: Event | None = None,
) -> Iterator[AudioStream]:
    """Opens an audio file, through libsndfile or, if that cannot read all of it, through ffmpeg.

    Args:
        path: wav, flac, mp3, ogg and so on; with ffmpeg, anything that has an audio stream.
        downmix: What to do with more than two channels.
        track: Number of the audio track, from 1; None for the one that the file marks as its default, else
            the first.
        cancel: Set it from another thread to stop reading within half a second, even if reading hangs.

    Raises:
        ArgumentError: `path` is not a path.
        AudioFileNotFoundError: There is no such file.
        AudioFileError: The file does not have the track, contains no audio or no samples, contains more
            than a recording of its size can, is damaged, or has an unsupported sample rate or number of
            channels.
        CancelledError: `cancel` was set.
    """
    path = as_path("path", path)
    with abandonable(_open_supported(path, downmix, track), cancel) as (stream, call):
        yield replace(stream, blocks=_each(stream.blocks, call))


def _each(blocks: Iterator[FloatArray], call: Call) -> Iterator[FloatArray]:
    """The blocks, each read by `call`."""
    while (block := call(lambda: next(blocks, None))) is not None:
        yield block


@contextmanager
def _open_supported(path: Path, downmix: DownmixMode, track: int | None) -> Iterator[AudioStream]:
    """Opens a file that can be separated."""
    with _open(path, track) as stream:
        if stream.sample_rate not in SAMPLE_RATES:
            raise AudioFileError(
                path,
                f"has an unsupported sample rate of {stream.sample_rate} Hz",
                remedy="Get an intact copy, or convert the file to 44100 Hz.",
            )
        if stream.n_channels > _MAX_CHANNELS:
            stream = _stereo_stream(path, stream, downmix)  # noqa: PLW2901  the same file, mixed down
        yield replace(stream, blocks=_at_least_one(path, stream.blocks))


@contextmanager
def _open(path: Path, track: int | None = None) -> Iterator[AudioStream]:
    """Opens a file by the reader that reads all of it."""
    with ExitStack() as opened:
        yield bounded(path, _opened(path, track, opened))


def _opened(path: Path, track: int | None, opened: ExitStack) -> AudioStream:
    inspection = inspected(path)
    if inspection is not None and not inspection.intact and find_ffmpeg():
        # libsndfile would stop early. What ffmpeg cannot read at all, libsndfile may still read.
        with suppress(AudioFileError):
            return _by_ffmpeg(path, track, inspection, opened)
    if unreadable_reason(path):
        return _by_ffmpeg(path, track, inspection, opened)
    if track is not None and track > 1:
        raise AudioFileError(
            path, f"has no audio track {track}; it has only one", remedy="Leave out --track."
        )
    native = opened.enter_context(open_by_sndfile(path))
    agrees = _agrees(native, inspection)
    if find_ffmpeg() and not agrees:
        return _by_ffmpeg(path, track, inspection, opened)
    native.damage.extend(inspection.damage if inspection else ())
    return replace(
        native,
        total_length=native.total_length if agrees and not _is_guess(native, inspection) else None,
        blocks=continued(path, native, inspection, native.damage),
    )


def _by_ffmpeg(
    path: Path, track: int | None, inspection: Inspection | None, opened: ExitStack
) -> AudioStream:
    """A file opened by ffmpeg, with the damage that only the second look noticed."""
    from stemdock.audio.ffmpeg.reading import open_by_ffmpeg  # noqa: PLC0415  slow, and few files need it

    has_times = inspection is not None and inspection.has_times
    stream = opened.enter_context(open_by_ffmpeg(path, track, has_times=has_times))

    def blocks() -> Iterator[FloatArray]:
        yield from stream.blocks
        if inspection is not None and not stream.damage:
            stream.damage.extend(inspection.damage)

    return replace(stream, blocks=blocks())


def _agrees(stream: AudioStream, inspection: Inspection | None) -> bool:
    if inspection is None:
        # libsndfile takes many files for mp3 that only resemble it.
        return stream.container != "MP3"
    return stream.total_length is None or inspection.agrees(stream.total_length, stream.sample_rate)


def _is_guess(stream: AudioStream, inspection: Inspection | None) -> bool:
    """Whether nothing confirms the length of an mp3, which libsndfile guesses from the file's size."""
    return stream.container == "MP3" and (inspection is None or inspection.total_length is None)


def _stereo_stream(path: Path, stream: AudioStream, downmix: DownmixMode) -> AudioStream:
    if downmix == "refuse":
        raise AudioFileError(
            path,
            f"has {stream.n_channels} channels; only mono and stereo can be separated",
            remedy="Mix it down to stereo first, for example with: ffmpeg -i IN -ac 2 OUT.wav",
        )
    if downmix == "auto" and not stream.speakers:
        raise AudioFileError(
            path,
            f"has {stream.n_channels} channels and does not say which loudspeakers they are for",
            remedy="Use its first two channels (--fold front), or mix it down in an audio editor.",
        )
    chosen = (
        full_downmix(stream.speakers) if downmix == "auto" else front_pair(stream.speakers, stream.n_channels)
    )
    return replace(
        stream, n_channels=_MAX_CHANNELS, blocks=downmixed(stream.blocks, chosen), speakers=(), downmix=chosen
    )


def _at_least_one(path: Path, blocks: Iterator[FloatArray]) -> Iterator[FloatArray]:
    first = next(blocks, None)
    if first is None:
        raise AudioFileError(path, "contains no samples", remedy="Choose a file that contains audio.")
    yield first
    yield from blocks
