"""Reading of audio files through ffmpeg: m4a, video, damaged files, whatever libsndfile cannot read."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock.audio.bounds import most_samples
from stemdock.audio.damaged_places import add_damage
from stemdock.audio.ffmpeg.formats import RECORDINGS, refused
from stemdock.audio.ffmpeg.log import FfmpegLog
from stemdock.audio.ffmpeg.process import FfmpegProcess, find_ffmpeg, local_input
from stemdock.audio.ffmpeg.reasons import crashed, uninstalled, unreadable, unstartable
from stemdock.audio.ffmpeg.timeline import Timeline, unkept_start
from stemdock.audio.layouts import read_wav_header
from stemdock.audio.stream import BLOCK_LENGTH, AudioStream
from stemdock.types import Damage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from stemdock.audio.ffmpeg.log import DecodedFrame, InputStream
    from stemdock.types import FloatArray

_COUNTED: Final = frozenset({"mp3", "aac", "ac3", "eac3", "dts", "truehd", "mlp", "amr", "loas"})
"""Formats without times: ffmpeg counts their packets, damaged data included."""
_DSD_STARTS: Final = (b"DSD ", b"FRM8")
_DSD_RATE: Final = 88200
"""Hz. DSD has a rate of megahertz, most of which is noise above the range of hearing."""
_END_TOLERANCE: Final = 0.1
"""Seconds by which the announced length of an intact file may be wrong."""


@contextmanager
def open_by_ffmpeg(path: Path, track: int | None = None, *, has_times: bool = False) -> Iterator[AudioStream]:
    """Opens an audio file through ffmpeg.

    Args:
        path: A file, which must exist.
        track: Number of the audio track, from 1; None for the one that the file marks as its default, else
            the first.
        has_times: Whether each frame of the file can be found, so that times that ffmpeg counts are true
            although the format has none.

    Raises:
        AudioFileError: ffmpeg is not installed, cannot be started, or cannot read the file.
    """
    with _decoding(path, track) as decoding:
        yield decoding.stream(has_times=has_times)


@contextmanager
def _decoding(path: Path, track: int | None) -> Iterator[_Decoding]:
    program = find_ffmpeg()
    if program is None:
        raise uninstalled(path)
    try:
        decoding = _Decoding(program, path, 0 if track is None else track - 1)
    except OSError as error:
        raise unstartable(path, program, error) from error
    try:
        wanted = _default_track(decoding.log.audio_streams) if track is None else decoding.track
        if wanted != decoding.track:
            decoding.stop()
            decoding = _Decoding(program, path, wanted)
        yield decoding
    finally:
        decoding.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstFrame:
    """Where the sound of a file starts."""

    track: int
    """The audio track, from 0."""
    has_video: bool
    """Whether there is a picture besides the sound, other than a cover."""
    delay: float
    """Seconds by which the sound starts later than the samples that are read of it."""
    streams: Sequence[InputStream]
    """All streams of the file."""


def first_frame(path: Path, track: int | None = None) -> FirstFrame:
    """Finds where the sound of a file starts.

    Args:
        path: A file, which must exist.
        track: As of `open_by_ffmpeg`.

    Raises:
        AudioFileError: As `open_by_ffmpeg`.
    """
    with _decoding(path, track) as decoding:
        decoding.stream(has_times=False)
        frame = next(decoding.log.frames(), None)
        start = 0 if frame is None or frame.start is None else frame.start
        rate = 1 if frame is None else frame.sample_rate
        return FirstFrame(
            track=decoding.track,
            has_video=decoding.log.has_video,
            delay=unkept_start(start, rate),
            streams=tuple(decoding.log.streams),
        )


def _default_track(audio_streams: list[str]) -> int:
    marked = (index for index, text in enumerate(audio_streams) if "(default)" in text)
    return next(marked, 0)


class _Decoding:
    """A running ffmpeg that decodes one track of a file, up to its first frame at first.

    Attributes:
        track: Index of the track.
        log: What ffmpeg prints.
    """

    def __init__(self, program: str, path: Path, track: int) -> None:
        with path.open("rb") as file:
            is_dsd = file.read(4) in _DSD_STARTS
        filters = f"aresample={_DSD_RATE},ashowinfo" if is_dsd else "ashowinfo"
        # A WAV header gives the rate and the channels, and says which loudspeakers the channels are for.
        # A file with many damaged frames is not a failure.
        arguments = ["-max_error_rate", "1", "-err_detect", "crccheck", *local_input(path, RECORDINGS)]
        arguments += ["-map", f"0:a:{track}", "-map_metadata", "-1", "-map_chapters", "-1", "-af", filters]
        arguments += ["-c:a", "pcm_f32le", "-f", "wav", "-"]
        self.track = track
        self._path = path
        self._process = FfmpegProcess(program, arguments, writes_file=False)
        self.log = FfmpegLog(self._process.messages)
        self._header = read_wav_header(self._process.pipe)
        self.log.wait_for_input()
        self._damage: list[Damage] = []

    def stop(self) -> None:
        """Ends ffmpeg."""
        self._process.stop()
        self.log.finish()

    def stream(self, *, has_times: bool) -> AudioStream:
        """The open file, see `open_by_ffmpeg`; raises `AudioFileError` if ffmpeg cannot read it."""
        if self._header is None:
            self._process.wait()
            self.log.finish()
            if self.log.refused_format:
                raise refused(self._path, self.log.refused_format)
            raise unreadable(self._path, self.log, self.track)
        sample_rate, n_channels, speakers = self._header
        return AudioStream(
            sample_rate=sample_rate,
            n_channels=n_channels,
            total_length=None,
            blocks=self._blocks(
                sample_rate, n_channels, has_times=has_times or not self.log.formats & _COUNTED
            ),
            speakers=speakers,
            damage=self._damage,
        )

    def _blocks(self, sample_rate: int, n_channels: int, *, has_times: bool) -> Iterator[FloatArray]:
        announced = self.log.duration
        longest = most_samples(self._path)
        timeline = Timeline(
            sample_rate,
            longest if announced is None else min(round(announced * sample_rate), longest),
            has_times=has_times,
            has_video=self.log.has_video,
        )
        parts: list[bytes] = []
        length = 0
        sample_size = n_channels * 4
        frames = self.log.frames()
        frame = next(frames, None)
        while frame is not None and frame.sample_rate == sample_rate:
            data = self._process.pipe.read(frame.length * sample_size)
            following = next(frames, None)
            silence = timeline.place(frame, following)
            self._note(frame, timeline.position - frame.length, silence, sample_rate)
            # A long silence must not be one block.
            while silence > BLOCK_LENGTH:
                yield _samples(parts, n_channels)
                parts, length = [bytes(BLOCK_LENGTH * sample_size)], 0
                silence -= BLOCK_LENGTH
            parts += [bytes(silence * sample_size), data]
            length += silence + frame.length
            if length >= BLOCK_LENGTH:
                yield _samples(parts, n_channels)
                parts, length = [], 0
            frame = following
        # After a change of the rate in the middle of a stream, ffmpeg's frames are not those that it returns.
        while data := self._process.pipe.read(BLOCK_LENGTH * sample_size):
            parts.append(data)
            timeline.position += len(data) // sample_size
            yield _samples(parts, n_channels)
            parts = []
        if parts:
            yield _samples(parts, n_channels)
        errors = sum(rest.after_error for rest in frames)
        self._end(timeline.position / sample_rate, errors > 0)

    def _note(self, frame: DecodedFrame, position: int, silence: int, sample_rate: int) -> None:
        """Notes the damage before a frame at a position."""
        if silence and (position > silence or frame.after_error):
            start = (position - silence) / sample_rate
            add_damage(self._damage, Damage(start=start, duration=silence / sample_rate, kind="silence"))
        elif frame.after_error:
            add_damage(self._damage, Damage(start=position / sample_rate, duration=0.0, kind="invalid"))

    def _end(self, end: float, after_error: bool) -> None:
        """Notes the damage at the end, in seconds, and checks how ffmpeg ended."""
        succeeded = self._process.wait()
        self.log.finish()
        after_error = after_error or self.log.error_at_end
        announced = self.log.duration
        # The announced length is that of the longest stream.
        is_only = not self.log.has_video and len(self.log.audio_streams) == 1
        if announced is not None and end < announced - _END_TOLERANCE and (after_error or is_only):
            add_damage(self._damage, Damage(start=end, duration=announced - end, kind="end"))
        elif not succeeded:
            add_damage(self._damage, Damage(start=end, duration=0.0, kind="end"))
        elif after_error:
            add_damage(self._damage, Damage(start=end, duration=0.0, kind="invalid"))
        if self._process.has_crashed:
            raise crashed(self._path, end)


def _samples(parts: list[bytes], n_channels: int) -> FloatArray:
    data = b"".join(parts)
    usable = len(data) - len(data) % (n_channels * 4)
    return np.frombuffer(data[:usable], "<f4").astype(np.float32).reshape(-1, n_channels)
