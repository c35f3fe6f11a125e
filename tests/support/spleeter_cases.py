"""Command lines of Spleeter that were recorded with the original, and the songs that they separate."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile

from support.mixtures import DATA, SONG

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CHECKPOINTS: Final = DATA / "checkpoints"
"""MODEL_PATH of all lines: narrow checkpoints, which both programs separate with in a moment."""
FOUR: Final = ("-p", "four.json", "-o", "out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One command line, run in the folder of `make_inputs`."""

    name: str
    words: tuple[str, ...]
    n_runs: int = 1
    """How often it is run."""


def _separate(name: str, *words: str, n_runs: int = 1) -> Line:
    return Line(name=name, words=("separate", *words), n_runs=n_runs)


LINES: Final = (
    _separate("four stems", "song.wav", *FOUR),
    _separate("five stems", "song.wav", "-p", "five.json", "-o", "out"),
    _separate("long options", "--params_filename", "four.json", "--output_path", "out", "song.wav"),
    _separate("options before and after", "-p", "four.json", "song.wav", "-o", "out"),
    _separate("two songs", "song.wav", "mono.wav", *FOUR),
    _separate("six channels", "surround.wav", *FOUR),
    _separate("48 kHz", "48k.wav", *FOUR),
    _separate("mp3", "song.mp3", *FOUR),
    _separate("louder than full scale", "loud.wav", *FOUR),
    _separate("500 samples", "short.wav", *FOUR),
    _separate("a name with spaces, dots and accents", "a b.c é.wav", *FOUR),
    _separate("a song in a folder", "album/song.wav", *FOUR),
    _separate("existing files", "song.wav", *FOUR, n_runs=2),
    _separate("codec mp3", "song.wav", *FOUR, "-c", "mp3"),
    _separate("codec mp3 at 192k", "song.wav", *FOUR, "-c", "mp3", "-b", "192k"),
    _separate("codec ogg", "song.wav", *FOUR, "-c", "ogg"),
    _separate("codec ogg at 96k", "song.wav", *FOUR, "--codec", "ogg", "--bitrate", "96k"),
    _separate("codec m4a", "song.wav", *FOUR, "-c", "m4a"),
    _separate("codec wma", "song.wav", *FOUR, "-c", "wma"),
    _separate("codec flac", "song.wav", *FOUR, "-c", "flac"),
    _separate("bit rate in bits", "song.wav", *FOUR, "-c", "mp3", "-b", "128000"),
    _separate("invalid bit rate", "song.wav", *FOUR, "-c", "mp3", "-b", "much"),
    _separate("unknown codec", "song.wav", *FOUR, "-c", "aiff"),
    _separate("offset", "song.wav", *FOUR, "-s", "0.5"),
    _separate("duration", "song.wav", *FOUR, "-d", "1"),
    _separate("offset and duration", "song.wav", *FOUR, "--offset", "0.73", "--duration", "1.111"),
    _separate("offset at 48 kHz", "48k.wav", *FOUR, "-s", "0.2503", "-d", "0.5001"),
    _separate("offset behind the end", "song.wav", *FOUR, "-s", "10"),
    _separate("negative offset", "song.wav", *FOUR, "-s", "-1"),
    _separate("no duration", "song.wav", *FOUR, "-d", "0"),
    _separate("a duration that is text", "song.wav", *FOUR, "-d", "long"),
    _separate("ten minutes and a second", "long.flac", *FOUR),
    _separate("names without folders", "song.wav", *FOUR, "-f", "{filename}_{instrument}.{codec}"),
    _separate("folder names", "album/song.wav", *FOUR, "-f", "{foldername}-{filename}/{instrument}.{codec}"),
    _separate("format specifications", "song.wav", *FOUR, "-f", "{filename:.2}/{instrument!s:_>8}.{codec}"),
    _separate("mp3 by its suffix", "song.wav", *FOUR, "--filename_format", "{instrument}.mp3"),
    _separate("a suffix against the codec", "song.wav", *FOUR, "-c", "flac", "-f", "{instrument}.wav"),
    _separate("no suffix", "song.wav", *FOUR, "-f", "{instrument}"),
    _separate("one name for all", "song.wav", *FOUR, "-f", "same.{codec}"),
    _separate("unknown field", "song.wav", *FOUR, "-f", "{artist}/{instrument}.{codec}"),
    _separate("Wiener filter", "song.wav", *FOUR, "--mwf"),
    _separate("verbose", "song.wav", *FOUR, "--verbose"),
    _separate("adapter by name", "song.wav", *FOUR, "-a", "spleeter.audio.ffmpeg.FFMPEGProcessAudioAdapter"),
    _separate("adapter of one's own", "song.wav", *FOUR, "--adapter", "quiet.QuietAdapter"),
    _separate("adapter that does not exist", "song.wav", *FOUR, "-a", "nowhere.Adapter"),
    _separate("adapter that is none", "song.wav", *FOUR, "-a", "spleeter.audio.Codec"),
    _separate("deprecated inputs", "-i", "song.wav", *FOUR),
    _separate("deprecated inputs and a song", "-i", "song.wav", "mono.wav", *FOUR),
    _separate("no such song", "missing.wav", *FOUR),
    _separate("a folder as song", "album", *FOUR),
    _separate("a text as song", "text.txt", *FOUR),
    _separate("a text and a song", "text.txt", "song.wav", *FOUR),
    _separate("unknown model", "song.wav", "-p", "spleeter:3stems", "-o", "out"),
    _separate("no such configuration", "song.wav", "-p", "missing.json", "-o", "out"),
    _separate("a configuration that is not JSON", "song.wav", "-p", "text.txt", "-o", "out"),
    _separate("a folder without a checkpoint", "song.wav", "-p", "empty.json", "-o", "out"),
    _separate("unknown option", "song.wav", *FOUR, "--stems", "2"),
    _separate("no arguments"),
    _separate("help", "--help"),
    Line(name="version", words=("--version",)),
    Line(name="program's help", words=("--help",)),
    Line(name="nothing", words=()),
    Line(name="unknown verb", words=("divide",)),
    Line(name="training without arguments", words=("train",)),
    Line(name="training without data", words=("train", "-p", "four.json")),
    Line(name="evaluation without arguments", words=("evaluate",)),
    Line(name="evaluation of a folder that is not there", words=("evaluate", "--mus_dir", "missing")),
)  # fmt: skip

QUIET_ADAPTER: Final = """\
from spleeter.audio.ffmpeg import FFMPEGProcessAudioAdapter


class QuietAdapter(FFMPEGProcessAudioAdapter):
    def load(self, *arguments, **options):
        waveform, sample_rate = super().load(*arguments, **options)
        return waveform * 0.5, sample_rate
"""


def make_inputs(folder: Path) -> None:
    """Writes the songs and configurations of all lines to a folder."""
    mixture = np.load(CHECKPOINTS / "mixture.npz")["mixture"]
    short = mixture[:44100]
    songs: Mapping[str, tuple[np.ndarray, int, str]] = {
        "song.wav": (mixture, 44100, "PCM_16"),
        "mono.wav": (mixture[:, :1], 44100, "PCM_16"),
        "surround.wav": (np.concatenate([short, short[::-1], short * 0.3], axis=1), 44100, "PCM_16"),
        "48k.wav": (mixture[:72000], 48000, "PCM_16"),
        "loud.wav": (mixture * 4, 44100, "FLOAT"),
        "short.wav": (mixture[:500], 44100, "PCM_16"),
        "a b.c é.wav": (short, 44100, "PCM_24"),
        "album/song.wav": (short, 44100, "PCM_16"),
        "long.flac": (np.resize(mixture[:, :1] * 0.1, (601 * 44100, 1)), 44100, "PCM_16"),
    }
    (folder / "album").mkdir(parents=True)
    for name, (samples, sample_rate, subtype) in songs.items():
        soundfile.write(folder / name, samples, sample_rate, subtype)
    shutil.copyfile(SONG, folder / "song.mp3")
    (folder / "text.txt").write_text("no music\n" * 500)
    (folder / "quiet.py").write_text(QUIET_ADAPTER)
    for name, model in (("four", "4stems-narrow"), ("five", "5stems-narrow"), ("empty", "4stems-narrow")):
        config = json.loads((CHECKPOINTS / model / "config.json").read_text())
        if name == "empty":
            config["model_dir"] = str(folder / "no checkpoint")
        (folder / f"{name}.json").write_text(json.dumps(config))
    (folder / "no checkpoint").mkdir()
