"""What ffmpeg prints while it reads a file: the streams, the time of each decoded frame, errors.

The filter ashowinfo prints a line for each frame before the frame's samples leave ffmpeg.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_FRAME: Final = re.compile(
    rb"\[Parsed_ashowinfo_\d+ @ [^\]]*\] \[info\] n:\d+ pts:(-?\d{1,18}|\S+) "
    rb".* rate:(\d{1,9}) nb_samples:(\d{1,9})\b"
)
_ERROR: Final = re.compile(r"(?:\[(?P<part>[^\]]*) @ [^\]]*\] )?\[(?:error|fatal)\] (?P<text>.*)")
_STREAM: Final = re.compile(
    r"\[info\] +Stream #0:\d+(?:\[[^\]]*\])?(?:\((?P<language>[^)]*)\))?: (?P<kind>[A-Z][a-z]+): "
    r"(?P<text>(?P<codec>[^ ,]*).*)"
)
_REFUSED: Final = "Format not on whitelist"
_DURATION: Final = re.compile(r"\[info\] +Duration: (\d{1,9}):(\d\d):(\d\d(?:\.\d+)?)")
_INPUT: Final = re.compile(r"\[info\] Input #0, (?P<formats>.*), from ")
_HARMLESS: Final = ("failed to create or replace stream", "Application provided invalid", "Conversion failed")
"""Errors about a further link of an Ogg file, and about the output."""
_MAX_ERRORS: Final = 20
"""Kept for the reason of a failure."""
_MAX_LINE: Final = 4096
"""Bytes. Tags of any length are printed, too; the rest of such a line counts as another."""
_MAX_FRAME: Final = 1 << 20
"""Samples per channel. The largest frames, of TTA, have a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputStream:
    """A stream of a file."""

    kind: str
    """Audio, Video, Subtitle, Attachment or Data."""
    language: str
    """As the file names it; empty if it does not."""
    codec: str
    """ffmpeg's name of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedFrame:
    """Some samples that a decoder returned at once."""

    start: int | None
    """Position in samples; None if the decoder does not say."""
    length: int
    """Samples per channel."""
    sample_rate: int
    """Hz of both."""
    after_error: bool
    """Whether ffmpeg reported an error between the previous frame and this one."""


class FfmpegLog:
    """Reads ffmpeg's messages in a thread, so that ffmpeg never waits for that.

    The attributes about the input are valid after `wait_for_input`.

    Attributes:
        formats: Names of the container format; empty if ffmpeg does not know it.
        refused_format: Name of a format that ffmpeg recognizes and may not read; empty if there is none.
        streams: All streams, in the order of the file.
        audio_streams: Description of each audio stream: codec, rate, channels, disposition.
        has_video: Whether there is a picture besides the sound, other than a cover.
        duration: Seconds that the container announces; None if unknown or estimated.
        errors: The first errors.
        error_at_end: Whether an error was reported after the last frame; valid when the frames are read.
    """

    def __init__(self, messages: IO[bytes]) -> None:
        """Starts to read."""
        self.formats: frozenset[str] = frozenset()
        self.refused_format = ""
        self.streams: list[InputStream] = []
        self.audio_streams: list[str] = []
        self.has_video = False
        self.duration: float | None = None
        self.errors: list[str] = []
        self.error_at_end = False
        self._is_estimated = False
        self._in_input = True
        self._has_input = Event()
        self._frames: SimpleQueue[DecodedFrame | None] = SimpleQueue()
        self._thread = Thread(target=self._read, args=(messages,), name="stemdock-ffmpeg-log", daemon=True)
        self._thread.start()

    def wait_for_input(self) -> None:
        """Waits for the first frame, or the end."""
        self._has_input.wait()

    def frames(self) -> Iterator[DecodedFrame]:
        """The frames in order, as soon as ffmpeg has printed them."""
        while frame := self._frames.get():
            yield frame

    def finish(self) -> None:
        """Waits for the last message of an ffmpeg that has ended."""
        self._thread.join()

    def _read(self, messages: IO[bytes]) -> None:
        after_error = started = False
        try:
            while line := messages.readline(_MAX_LINE):
                if (found := _FRAME.match(line)) and (length := int(found[3])) <= _MAX_FRAME:
                    start = int(found[1]) if found[1].lstrip(b"-").isdigit() else None
                    rate = int(found[2])
                    self._frames.put(
                        DecodedFrame(start=start, length=length, sample_rate=rate, after_error=after_error)
                    )
                    after_error, started = False, True
                    self._has_input.set()
                elif self._note(line.decode(errors="replace").rstrip(), started=started):
                    after_error = True
        except ValueError:
            # The process was stopped, and its pipes were closed.
            pass
        finally:
            self.error_at_end = after_error
            self._frames.put(None)
            self._has_input.set()

    def _note(self, line: str, *, started: bool) -> bool:
        """Keeps what a message says; returns whether it reports damage."""
        if error := _ERROR.match(line):
            text = error["text"]
            if text.startswith(_REFUSED):
                self.refused_format = error["part"] or "unknown"
            if len(self.errors) < _MAX_ERRORS:
                self.errors.append(text)
            # Before the first frame, ffmpeg probes all streams, and reports what is not decoded later, too.
            return not text.startswith(_HARMLESS) and (started or "decod" in text)
        if self._in_input:
            self._note_input(line)
        return False

    def _note_input(self, line: str) -> None:
        if found := _INPUT.match(line):
            self.formats = frozenset(found["formats"].split(","))
        elif "Estimating duration" in line:
            self._is_estimated = True
        elif (found := _DURATION.match(line)) and not self._is_estimated:
            self.duration = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])
        elif found := _STREAM.match(line):
            kind, text = found["kind"], found["text"]
            self.streams.append(
                InputStream(kind=kind, language=found["language"] or "", codec=found["codec"])
            )
            if kind == "Audio":
                self.audio_streams.append(text)
            elif kind == "Video" and "(attached pic)" not in text:
                self.has_video = True
        elif line.startswith(("[info] Stream mapping", "[info] Output #0")):
            self._in_input = False
