"""Separates damaged audio files with a fast model."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile

from fuzz.case import Target
from fuzz.mutation import mutated, with_integer
from stemdock import Plugins, Separator, separate_file
from support.small_model import SmallPlugin

if TYPE_CHECKING:
    from random import Random

    from fuzz.case import Place

SAMPLE_RATE: Final = 8000
_FORMATS: Final = (
    ("wav", "WAV", "PCM_16"),
    ("float.wav", "WAV", "FLOAT"),
    ("double.wav", "WAV", "DOUBLE"),
    ("ulaw.wav", "WAV", "ULAW"),
    ("adpcm.wav", "WAV", "IMA_ADPCM"),
    ("extensible.wav", "WAVEX", "PCM_24"),
    ("rf64", "RF64", "PCM_16"),
    ("flac", "FLAC", "PCM_16"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
    ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"),
    ("aiff", "AIFF", "PCM_16"),
    ("au", "AU", "FLOAT"),
    ("caf", "CAF", "PCM_24"),
    ("w64", "W64", "PCM_16"),
)
_FIELDS: Final = {
    "wav": ((4, 4), (16, 4), (20, 2), (22, 2), (24, 4), (28, 4), (32, 2), (34, 2), (36, 2), (40, 4)),
    "rf64": ((4, 4), (20, 8), (28, 8), (36, 8), (52, 2), (54, 4), (58, 4), (66, 2)),
    "aiff": ((4, 4), (16, 4), (20, 2), (22, 4), (26, 2), (28, 2), (30, 8)),
    "au": ((4, 4), (8, 4), (12, 4), (16, 4), (20, 4)),
    "caf": ((12, 8), (20, 8), (32, 4), (36, 4), (40, 4), (44, 4), (48, 4)),
    "w64": ((16, 8), (40, 8), (64, 8), (72, 2), (74, 2), (76, 4), (84, 2), (86, 2)),
    "flac": ((4, 4), (8, 2), (10, 2), (18, 4), (22, 4)),
}
"""Position and size of header fields, by the last part of the file name."""
_EXTREME_SAMPLES: Final = (np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-42)
_WITHOUT_FFMPEG: Final = "without-ffmpeg"
"""Prefix of files that are read without ffmpeg."""


def build(folder: Path) -> None:
    """Writes a third of a second of a tone and noise in every format."""
    time = np.arange(2700) / SAMPLE_RATE
    noise = np.random.default_rng(0).normal(0, 0.1, (len(time), 2))
    samples = 0.4 * np.sin(2 * np.pi * 440 * time)[:, None] + noise
    for suffix, file_format, subtype in _FORMATS:
        soundfile.write(folder / f"song.{suffix}", samples, SAMPLE_RATE, format=file_format, subtype=subtype)
    if shutil.which("ffmpeg"):
        for suffix in ("m4a", "mka", "wma"):
            command = [
                "ffmpeg",
                "-v",
                "error",
                "-i",
                str(folder / "song.wav"),
                str(folder / f"song.{suffix}"),
            ]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def damage(rng: Random, corpus: Path, folder: Path) -> None:
    """Damages a file's header, samples or any bytes, and sometimes changes its name."""
    source = rng.choice(sorted(corpus.iterdir()))
    content = source.read_bytes()
    kind = source.suffix.removeprefix(".")
    way = rng.random()
    if way < 0.4 and kind in _FIELDS:
        for position, size in rng.sample(_FIELDS[kind], rng.choice((1, 1, 2, 3))):
            content = with_integer(rng, content, position, size)
    elif way < 0.5 and source.name == "song.float.wav":
        position = 100 + 4 * rng.randrange(2000)
        content = (
            content[:position] + struct.pack("<f", rng.choice(_EXTREME_SAMPLES)) + content[position + 4 :]
        )
    else:
        content = mutated(rng, content)
    name = (
        source.name if rng.random() < 0.9 else f"song.{rng.choice(('mp3', 'wav', 'raw', 'txt', 'm3u8', ''))}"
    )
    if rng.random() < 0.6:
        name = f"{_WITHOUT_FFMPEG}-{name}"
    (folder / name).write_bytes(content)


def run(place: Place) -> None:
    """Separates the file; if it is accepted, the stems must have its length."""
    (song,) = place.input.iterdir()
    path = os.environ["PATH"]
    try:
        if song.name.startswith(_WITHOUT_FFMPEG):
            os.environ["PATH"] = ""
        separated = separate_file(small_separator(), song, place.output)
    finally:
        os.environ["PATH"] = path
    for stem in separated.stems.values():
        info = soundfile.info(stem)
        assert (info.samplerate, info.frames) == (separated.sample_rate, separated.total_length)


@cache
def small_separator() -> Separator:
    """A separator with a fast network."""
    plugins = Plugins()
    folder = Path(os.environ["STEMDOCK_CACHE"])
    plugins.register(SmallPlugin(folder), "small")
    return Separator("small", plugins=plugins)


TARGET: Final = Target(build=build, damage=damage, run=run)
