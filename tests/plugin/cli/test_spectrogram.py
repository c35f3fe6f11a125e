from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock.cli.commands.spectrogram import _levels
from stemdock.cli.main import run
from support.mixtures import SONG

if TYPE_CHECKING:
    from pathlib import Path


def test_a_tone_is_where_it_is_heard(tmp_path: Path) -> None:
    time = np.arange(44100) / 44100
    tone = np.sin(2 * np.pi * 1000 * time) * (time > 0.5)
    soundfile.write(tmp_path / "tone.wav", tone, 44100)
    level, duration, sample_rate = _levels(tmp_path / "tone.wav")
    assert (duration, sample_rate) == (1.0, 44100)
    assert level[-10].argmax() == round(1000 * 4096 / 44100)
    assert level[2].max() < level[-10].max() - 60


@pytest.mark.slow
def test_the_picture_is_a_png_and_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "picture.png"
    assert run(["spectrogram", str(SONG), str(SONG), "-o", str(picture)]) == 0
    assert capsys.readouterr().out == f"{picture}\n"
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert run(["spectrogram", str(SONG), "-o", str(picture)]) == 1
    assert "already exists" in capsys.readouterr().err


@pytest.mark.slow
def test_a_folder_that_does_not_exist_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["spectrogram", str(SONG), "-o", str(tmp_path / "no" / "picture.png")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_without_matplotlib_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert run(["spectrogram", str(SONG), "-o", str(tmp_path / "picture.png")]) == 1
    assert "stemdock[plot]" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["$x_$.wav", r"$\frac$.wav", "a$b$c\x1b\u202e.wav", os.fsdecode(b"caf\xe9.wav")]
)
def test_a_name_is_no_formula(tmp_path: Path, name: str) -> None:
    song = tmp_path / name
    shutil.copyfile(SONG, song)
    assert run(["spectrogram", str(song), "-o", str(tmp_path / "picture.png")]) == 0
