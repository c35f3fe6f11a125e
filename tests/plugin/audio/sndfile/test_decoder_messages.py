"""What mpg123 prints does not reach the terminal, where it would run into the progress line."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock import open_audio
from stemdock.audio.sndfile.decoder_messages import decoder_messages

if TYPE_CHECKING:
    from pathlib import Path

_PRINTED = b"\n[src/libmpg123/layer3.c:INT123_do_layer3():1847] error: dequantization failed!\n"


@pytest.fixture
def damaged_mp3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An mp3 whose frames have their headers and, in the middle, no sense; ffmpeg is not installed."""
    path = tmp_path / "damaged.mp3"
    noise = np.random.default_rng(5).normal(0, 0.1, (8 * 44100, 2))
    soundfile.write(path, noise, 44100, format="MP3")
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(6)
    place = data.find(b"\xff\xfb", len(data) // 2)
    for _ in range(40):
        data[place + 4 : place + 200] = random.integers(0, 255, 196, np.uint8).tobytes()
        place = data.find(b"\xff\xfb", place + 200)
    path.write_bytes(data)
    monkeypatch.setenv("PATH", str(tmp_path))
    return path


def test_damage_becomes_a_warning_and_not_lines_of_the_decoder(
    damaged_mp3: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with open_audio(damaged_mp3) as audio:
        length = sum(len(block) for block in audio.blocks)
    assert length / 44100 == pytest.approx(8, abs=0.1)
    assert capfd.readouterr().err == ""
    (damage,) = [place for place in audio.damage if place.kind == "invalid"]
    assert damage.start <= 4.1 <= damage.start + damage.duration + 0.5


def test_what_others_print_meanwhile_is_printed_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    with decoder_messages() as messages:
        os.write(2, b"Separating 50 %\n" + _PRINTED + b"Warning: low memory\n")
        assert capfd.readouterr().err == ""
    assert messages.report_damage
    assert capfd.readouterr().err == "Separating 50 %\nWarning: low memory\n"


def test_harmless_messages_are_no_damage(capfd: pytest.CaptureFixture[str]) -> None:
    with decoder_messages() as messages:
        os.write(2, b"Note: Illegal Audio-MPEG-Header 0x00000000 at offset 1.\n")
    assert not messages.report_damage
    assert capfd.readouterr().err == ""


def test_a_thread_that_hangs_does_not_stop_others(capfd: pytest.CaptureFixture[str]) -> None:
    inside, release = threading.Event(), threading.Event()

    def hang() -> None:
        with decoder_messages():
            inside.set()
            release.wait(10)

    thread = threading.Thread(target=hang)
    thread.start()
    assert inside.wait(10)
    with decoder_messages() as messages:
        pass
    assert not messages.report_damage
    release.set()
    thread.join()
    os.write(2, b"seen\n")
    assert capfd.readouterr().err == "seen\n"


def test_a_closed_standard_error_is_no_obstacle(capfd: pytest.CaptureFixture[str]) -> None:
    real = os.dup(2)
    os.close(2)
    try:
        with decoder_messages() as messages:
            pass
    finally:
        os.dup2(real, 2)
        os.close(real)
    assert not messages.report_damage
    assert capfd.readouterr().err == ""
