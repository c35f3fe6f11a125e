"""Where the command `spleeter` does more than the original, or something else on purpose."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import wave
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from stemdock import open_audio
from stemdock_spleeter import AudioAdapter, SpleeterError, reading, writing
from stemdock_spleeter.program import run
from support.mixtures import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock.audio import AudioStream
    from stemdock.types import DownmixMode

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the songs, which is the working directory; results go to `tmp_path`."""
    monkeypatch.chdir(inputs)
    return tmp_path / "out"


def separate(folder: Path, *words: str) -> int:
    return run(["separate", "-p", "four.json", "-o", str(folder), *words])


def names_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_files_that_were_written_are_printed_as_by_spleeter(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert separate(folder, "short.wav") == 0
    capsys.readouterr()
    assert separate(folder, "short.wav") == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        f"INFO:spleeter:File {folder}/short/{stem}.wav written succesfully"
        for stem in ("vocals", "drums", "bass", "other")
    ]
    assert captured.err == ""


@pytest.mark.parametrize("song", ["short.wav", "song.mp3", "48k.wav"])
def test_files_have_the_plain_header_that_every_program_reads(folder: Path, song: str) -> None:
    assert separate(folder, song) == 0
    with wave.open(str(folder / song.partition(".")[0] / "vocals.wav")) as file:
        assert file.getparams()[:3] == (2, 2, 44100)


def test_a_file_of_unknown_length_never_outgrows_its_header(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert separate(folder, "song.mp3", "-d", "3") == 0
    monkeypatch.setattr(reading, "open_audio", _of_unknown_length)
    monkeypatch.setattr(writing, "_MAX_BYTES", 4 * 44100)
    assert separate(folder, "song.mp3") == 1
    assert "too long for a wav file" in capsys.readouterr().err


@contextmanager
def _of_unknown_length(path: str, downmix: DownmixMode) -> Iterator[AudioStream]:
    with open_audio(path, downmix) as audio:
        yield replace(audio, total_length=None)


def test_a_failure_is_reported_and_the_other_songs_are_separated(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert separate(folder, "text.txt", "short.wav") == 1
    assert names_in(folder) == [f"short/{stem}.wav" for stem in ("bass", "drums", "other", "vocals")]
    captured = capsys.readouterr()
    assert captured.err.startswith("ERROR:spleeter:")
    assert "text.txt" in captured.err


def test_strictly_a_failure_ends_the_program_with_success(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPLEETER_STRICT", "1")
    assert separate(folder, "text.txt", "short.wav") == 0
    assert not folder.exists()
    captured = capsys.readouterr()
    assert captured.out.startswith("ERROR:spleeter:")
    assert captured.err == ""


@pytest.mark.parametrize(
    "words", [["-f", "same.{codec}"], ["-p", "spleeter:3stems"], ["-a", "spleeter.audio.Codec"]]
)
def test_failures_that_spleeter_calls_success(
    folder: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert separate(folder, "short.wav", *words) == 1
    monkeypatch.setenv("SPLEETER_STRICT", "1")
    assert separate(folder, "short.wav", *words) == 0
    assert not folder.exists()


@pytest.mark.parametrize("words", [["-f", "{artist}.wav"], ["-a", "nowhere.Adapter"], ["-p", "text.txt"]])
def test_failures_that_end_spleeter_with_a_traceback(
    folder: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPLEETER_STRICT", "1")
    assert separate(folder, "short.wav", *words) == 1
    assert not folder.exists()


def test_songs_are_separated_whole_and_strictly_for_ten_minutes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert separate(folder, "long.flac") == 0
    assert soundfile.info(folder / "long" / "vocals.wav").frames == 601 * 44100
    assert "all 601 s were separated" in capsys.readouterr().err
    monkeypatch.setenv("SPLEETER_STRICT", "1")
    assert separate(folder, "long.flac") == 0
    assert soundfile.info(folder / "long" / "vocals.wav").frames == 600 * 44100
    assert separate(folder, "long.flac", "-d", "2", "-s", "599.5") == 0
    assert soundfile.info(folder / "long" / "vocals.wav").frames == 1.5 * 44100


def test_a_file_that_cannot_be_encoded_leaves_the_old_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert separate(folder, "short.wav") == 0
    before = (folder / "short" / "vocals.wav").read_bytes()
    assert separate(folder, "short.wav", "-c", "mp3", "-b", "much", "-f", "{filename}/{instrument}.wav") == 1
    assert "ffmpeg cannot write it" in capsys.readouterr().err
    assert (folder / "short" / "vocals.wav").read_bytes() == before
    assert len(names_in(folder)) == 4


def test_without_ffmpeg_wav_files_are_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert separate(folder, "short.wav") == 0
    assert separate(folder, "short.wav", "-c", "mp3") == 1
    assert "ffmpeg binary not found" in capsys.readouterr().err
    assert all(name.endswith(".wav") for name in names_in(folder))


@pytest.mark.usefixtures("folder")
def test_training_checks_the_songs_first(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install 'stemdock[export]'")
    assert run(["train", "-p", "four.json", "-d", "missing"]) == 1
    assert "missing: is not a folder" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_training_has_no_adapters(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "-p", "four.json", "-d", ".", "-a", "my.Adapter"]) == 1
    assert "no audio adapters" in capsys.readouterr().err


@pytest.mark.parametrize("model", ["4stems-narrow", "5stems-narrow"])
def test_the_evaluation_prints_the_medians_of_the_original(
    folder: Path, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.RandomState(0)
    for song in ("song0", "song1"):
        (tmp_path / "musdb" / "test" / song).mkdir(parents=True)
        for name in ("mixture", "vocals", "bass", "drums", "other"):
            samples = np.rint((noise.rand(3 * 44100, 2) - 0.5).astype(np.float32) * 32768).astype(np.int16)
            soundfile.write(tmp_path / "musdb" / "test" / song / f"{name}.wav", samples, 44100)
    config = {"4stems-narrow": "four.json", "5stems-narrow": "five.json"}[model]
    assert run(["evaluate", "-p", config, "--mus_dir", str(tmp_path / "musdb"), "-o", str(folder)]) == 0
    lines = [line.removeprefix("INFO:spleeter:") for line in capsys.readouterr().out.splitlines()]
    found: dict[str, dict[str, float]] = {}
    for line in lines[lines.index("musdb evaluation done") + 1 :]:
        name, _, value = line.partition(":")
        if value:
            found[list(found)[-1]][name] = float(value)
        else:
            found[name] = {}
    expected = json.loads((DATA / "spleeter_evaluate.json").read_text())[model]["median"]
    assert found.keys() == expected.keys()
    for stem, ratios in expected.items():
        assert found[stem] == pytest.approx(ratios, abs=0.002), stem
    assert "audio/test/song1/drums.wav" in names_in(folder)
    assert "metrics/test/song0.json" in names_in(folder)
    if model == "4stems-narrow":
        scores = json.loads((folder / "metrics/test/song1.json").read_text())
        museval = json.loads((DATA / "museval_song.json").read_text())
        found_ratios, ratios_of_museval = _take_ratios(scores), _take_ratios(museval)
        assert scores == museval
        assert found_ratios == pytest.approx(ratios_of_museval, abs=0.002)


def test_scores_that_cannot_be_written_are_an_error(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song = tmp_path / "musdb" / "test" / "song"
    song.mkdir(parents=True)
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (5, 44100, 2))
    for name, samples in zip(("mixture", "vocals", "bass", "drums", "other"), noise, strict=True):
        soundfile.write(song / f"{name}.wav", samples, 44100)
    folder.mkdir()
    (folder / "metrics").touch()
    assert run(["evaluate", "-p", "four.json", "--mus_dir", str(tmp_path / "musdb"), "-o", str(folder)]) == 1
    assert "song.json: cannot be written" in capsys.readouterr().err


def _take_ratios(scores: dict[str, Any]) -> list[float]:
    """Removes the ratios of a file of museval from all that is around them."""
    return [
        frame["metrics"].pop(name)
        for target in scores["targets"]
        for frame in target["frames"]
        for name in ("SDR", "SIR", "SAR", "ISR")
    ]


def test_the_help_names_every_option_of_spleeter(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["separate", "--help"]) == 0
    text = capsys.readouterr().out
    for option in (
        "-i, --inputs", "-a, --adapter", "-b, --bitrate", "-c, --codec", "-d, --duration", "-s, --offset",
        "-o, --output_path", "-f, --filename_format", "-p, --params_filename", "--mwf", "--verbose",
    ):  # fmt: skip
        assert option in text
    assert re.search(r"wav\|mp3\|ogg\|m4a\|wma\|flac", text)


def test_help_loads_no_numbers() -> None:
    code = (
        "import sys; from stemdock_spleeter.program import run; run(['separate', '--help']); "
        "sys.exit(str({'numpy', 'onnxruntime', 'soundfile'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "set()"


@pytest.mark.parametrize(
    ("offset", "duration", "words"), [(0, 1e-9, "less than a sample"), (60, 1, "offset")]
)
def test_a_part_without_a_sample_is_an_error(
    folder: Path, offset: float, duration: float, words: str
) -> None:
    with pytest.raises(SpleeterError, match=words):
        AudioAdapter.default().load("short.wav", offset=offset, duration=duration)
    assert not folder.exists()
