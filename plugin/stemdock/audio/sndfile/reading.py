"""Reading of audio files by libsndfile: wav, flac, mp3, ogg, opus, aiff and others."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import soundfile

from stemdock.audio.damaged_places import add_damage
from stemdock.audio.layouts import soundfile_speakers
from stemdock.audio.native_files import AnonymousFile, native_name, open_regular_file
from stemdock.audio.sndfile.decoder_messages import decoder_messages
from stemdock.audio.stream import BLOCK_LENGTH, AudioStream
from stemdock.errors import AudioFileError, AudioFileNotFoundError
from stemdock.lib.os_errors import reason_for
from stemdock.types import Damage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock.types import FloatArray


def unreadable_reason(path: Path) -> str:
    """Why libsndfile cannot read a file; empty if it can.

    Raises:
        AudioFileNotFoundError: There is no such file.
        AudioFileError: The file cannot be opened, by libsndfile or by any other reader.
    """
    try:
        # Without a name, libsndfile judges by the content, and does not take a text that is called mp3 for
        # a damaged mp3.
        with open_regular_file(path) as file, _opened(AnonymousFile(file)):
            # From the name, libsndfile would take the file's header for samples.
            return (
                "libsndfile takes files named .raw for bare samples" if path.suffix.lower() == ".raw" else ""
            )
    except FileNotFoundError as error:
        raise AudioFileNotFoundError(path) from error
    except (OSError, ValueError) as error:
        raise AudioFileError(
            path,
            f"cannot be opened ({reason_for(error)})",
            remedy="Choose an audio file that you have permission to read.",
        ) from error
    except soundfile.LibsndfileError as error:
        return str(error.error_string)


@contextmanager
def open_by_sndfile(path: Path) -> Iterator[AudioStream]:
    """Opens an audio file that `unreadable_reason` has no objection to."""
    # By name: libsndfile cannot pass on an exception or a signal from the read of a Python file.
    with _opened(native_name(path)) as file:
        damage: list[Damage] = []
        yield AudioStream(
            sample_rate=file.samplerate,
            n_channels=file.channels,
            total_length=file.frames,
            blocks=_blocks(path, file, damage),
            container=file.format,
            speakers=soundfile_speakers(file),
            damage=damage,
        )


def _opened(file: Any) -> soundfile.SoundFile:
    with decoder_messages():
        return soundfile.SoundFile(file)


def _blocks(path: Path, file: soundfile.SoundFile, damage: list[Damage]) -> Iterator[FloatArray]:
    is_mp3 = file.format == "MP3"
    position = 0
    while True:
        try:
            with decoder_messages() if is_mp3 else nullcontext() as messages:
                block = file.read(BLOCK_LENGTH, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioFileError(
                path,
                "is damaged",
                remedy="Get an intact copy, or install ffmpeg, which reads more damaged files.",
            ) from error
        if not len(block):
            return
        if messages is not None and messages.report_damage:
            _note(damage, position / file.samplerate, len(block) / file.samplerate)
        position += len(block)
        yield block


def _note(damage: list[Damage], start: float, duration: float) -> None:
    """Notes that a block has damage, unless a damaged place is known there."""
    if not any(place.start < start + duration and place.start + place.duration >= start for place in damage):
        add_damage(damage, Damage(start=start, duration=duration, kind="invalid"))
