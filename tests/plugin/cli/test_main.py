from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock import hookimpl
from stemdock.cli.main import run
from support.child_signals import default_signals
from support.mixtures import SONG
from support.small_model import write_noise

if TYPE_CHECKING:
    from stemdock import Plugins, SeparatedFile


@pytest.fixture
def out(tmp_path: Path) -> list[str]:
    return ["-m", "small", "-o", str(tmp_path / "out")]


def test_stems_are_written_and_told(
    plugins: Plugins, song: Path, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["separate", str(song), *out], plugins) == 0
    captured = capsys.readouterr()
    expected = [tmp_path / "out" / "song" / f"{stem}.wav" for stem in ("low", "high")]
    assert captured.out.splitlines() == [str(path) for path in expected]
    assert captured.err == ""
    assert all(soundfile.info(path).frames == 16000 for path in expected)


@pytest.mark.parametrize("song_name", ["", "  ", "nothing.wav", "empty", "*.wav"])
def test_an_unusable_path_is_one_line_with_a_remedy(
    plugins: Plugins,
    out: list[str],
    tmp_path: Path,
    song_name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert run(["separate", song_name, *out], plugins) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("error: ")
    assert line.count(". ") >= 1
    assert not (tmp_path / "out").exists()


def test_a_bad_song_does_not_stop_the_good_ones(
    plugins: Plugins, song: Path, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["separate", str(tmp_path / "nothing.wav"), str(song), *out], plugins) == 1
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert "2 songs: 1 done, 1 failed" in captured.err


def test_songs_that_share_a_name_are_refused_before_any_work(
    plugins: Plugins, song: Path, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b").mkdir()
    other = write_noise(tmp_path / "b" / "song.flac.wav").rename(tmp_path / "b" / "song.flac")
    assert run(["separate", str(song), str(other), *out], plugins) == 1
    assert "2 songs" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_names_that_windows_would_not_keep(plugins: Plugins, tmp_path: Path, out: list[str]) -> None:
    song = write_noise(tmp_path / "what now. . .wav")
    assert run(["separate", str(song), *out], plugins) == 0
    assert (tmp_path / "out" / "what now" / "low.wav").exists()


def test_clipping_is_told(
    plugins: Plugins, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    song = write_noise(tmp_path / "loud.wav", level=4)
    assert run(["separate", str(song), *out, "--bit-depth", "16"], plugins) == 0
    assert "samples clipped (peak" in capsys.readouterr().err


def test_an_observer_that_fails_is_told_and_harms_nothing(
    plugins: Plugins, song: Path, out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    class Observer:
        @hookimpl
        def stemdock_separated(self, separated: SeparatedFile) -> None:
            raise ValueError(separated.source.name)

    plugins.register(Observer(), "observer")
    assert run(["separate", str(song), *out], plugins) == 0
    assert "plug-in observer failed: ValueError: song.wav" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["separate"], ["separate", "x.wav", "--bit-depth", "17"], ["frobnicate"], ["--frobnicate"]],
)
def test_wrong_usage(plugins: Plugins, arguments: list[str]) -> None:
    assert run(arguments, plugins) == 2


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("stemdock ")


@pytest.mark.slow
def test_doctor_finds_the_embedded_model_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    assert "ok      model 2stems" in capsys.readouterr().out


def test_doctor_fails_if_a_model_is_damaged(
    plugins: Plugins, small_plugin: object, capsys: pytest.CaptureFixture[str]
) -> None:
    small_plugin.entry.path.write_bytes(b"")  # type: ignore[attr-defined]
    assert run(["doctor"], plugins) == 1
    assert "failure model small" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("program", ["plugin-cli", "stemdock"])
def test_the_real_program_on_the_real_song(tmp_path: Path, program: str) -> None:
    path = Path(sys.executable).with_name(program)
    done = subprocess.run(
        [path, "separate", SONG, "-o", tmp_path], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert [Path(line).name for line in done.stdout.splitlines()] == ["vocals.wav", "accompaniment.wav"]
    assert soundfile.info(tmp_path / "audio_example" / "vocals.wav").frames == 479832


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupting_leaves_nothing(tmp_path: Path, number: int, status: int) -> None:
    song = tmp_path / "long.wav"
    soundfile.write(song, np.zeros((44100 * 1200, 2), np.float32), 44100)
    command: list[str | Path] = [sys.executable, "-m", "stemdock", "separate", song, "-o", tmp_path / "out"]
    with default_signals():
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("out/long/.stemdock-*/vocals.wav")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        _, message = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == status
    assert b"Traceback" not in message
    assert not (tmp_path / "out").exists()


def test_asking_for_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom stemdock.cli.main import run\nassert run(['--help']) == 0\n"
        "heavy = {'numpy', 'scipy', 'onnxruntime', 'soundfile', 'tensorflow', 'onnx'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.slow
def test_a_plain_separation_imports_only_what_it_needs(tmp_path: Path) -> None:
    """Each of these takes 5 to 30 ms, for which every start would wait."""
    song, out = str(SONG), str(tmp_path)
    separate = (
        "import sys\nfrom stemdock.cli.main import run\n"
        f"assert run(['separate', {song!r}, '--duration', '1', '-o', {out!r}, '--overwrite']) == 0\n"
    )
    check = (
        "unneeded = {'email', 'fsspec', 'importlib.metadata', 'multiprocessing', 'numpy.ma', 'onnx', "
        "'psutil', 'scipy.fft', 'xml.etree', 'zipfile'} & set(sys.modules)\n"
        "assert not unneeded, unneeded"
    )
    # The first one prepares the model.
    for code in (separate, separate + check):
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
