"""What plugin-cli separate writes, and where: from the options to the files."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
import soundfile

from stemdock.cli.main import run
from support.child_signals import default_signals
from support.mixtures import SONG
from support.small_model import write_noise

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Plugins


needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


@pytest.fixture
def out(tmp_path: Path) -> list[str]:
    return ["-m", "small", "-o", str(tmp_path / "out")]


def results(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-c", "flac"], ["song/high.flac", "song/low.flac"]),
        (["-c", "mp3", "--bitrate", "128K", "--stems", "low"], ["song/low.mp3"]),
        (["--stems", "none", "--mix", "rest=all-low"], ["song/rest.wav"]),
        (["--stems", "high, low", "--mix", "a=low", "--mix", "b=low+high"],
         ["song/a.wav", "song/b.wav", "song/high.wav", "song/low.wav"]),
        (["-f", "{model}/{filename}_{instrument}.{codec}"], ["small/song_high.wav", "small/song_low.wav"]),
        (["-f", "{instrument}/{filename}"], ["high/song", "low/song"]),
        (["-f", "{title} {artist} {instrument}"], ["song unknown artist high", "song unknown artist low"]),
    ],
)  # fmt: skip
def test_what_is_written_where(
    plugins: Plugins, song: Path, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str],
    options: list[str], expected: list[str],
) -> None:  # fmt: skip
    assert run(["separate", str(song), *out, *options], plugins) == 0
    assert results(tmp_path / "out") == expected
    told = capsys.readouterr().out.splitlines()
    assert sorted(told) == [str(tmp_path / "out" / path) for path in expected]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--stems", "guitar"], "its stems: low, high"),
        (["--mix", "low=high"], "already used"),
        (["--mix", "k=low", "--mix", "k=high"], "twice"),
        (["--preview", "-c", "raw"], "--preview cannot be used with raw"),
        (["--growing", "-c", "mp3"], "mp3 files cannot be played before they are complete"),
        (["--growing", "--prevent-clipping"], "Use wav, flac, ogg, opus or raw"),
        (["--mix", "k"], "not a valid mix"),
        (["--mix", "k=low:loud"], "mix: k: 'loud' of low is neither a gain nor a pan. Write for example"),
        (["--mix", "@nowhere.txt"], "mix: nowhere.txt cannot be read"),
        (["--codec", "mp3", "--bit-depth", "16"], "mp3 does not support 16"),
        (["--codec", "wav", "--bitrate", "128k"], "wav does not support 128k"),
        (["--codec", "mp3", "--bitrate", "fast"], "is not a bit rate"),
        (["--codec", "opus", "--sample-rate", "44100"], "opus does not support 44100"),
        (["--codec", "midi"], "midi"),
        (["--template", "{song}/{instrument}"], "{filename}, {foldername}"),
        (["--template", "../{instrument}"], "leads out"),
        (["--stems", "none"], "--stems none needs at least one --mix"),
        (["--codec", "mp3", "--bitrate", "128000"], "mp3 does not support 128000. Use 40k to 320k"),
        (["--codec", "flac", "--bit-depth", "32f"], "flac does not support 32f. "),
        (["--mix", "a/b=low"], "the name 'a/b' cannot be a file name"),
        (["--model", ""], "the model name is empty"),
        (["--start", "nan"], "'nan' is not a finite number of seconds"),
        (["--start", "inf"], "'inf' is not a finite number of seconds"),
        (["--duration", "nan"], "'nan' is not a finite number of seconds"),
        (["--duration", "inf"], "'inf' is not a finite number of seconds"),
    ],
)
def test_wrong_usage(
    plugins: Plugins, song: Path, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str],
    options: list[str], reason: str,
) -> None:  # fmt: skip
    assert run(["separate", str(song), *out, *options], plugins) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_mixes_from_a_file(
    plugins: Plugins, song: Path, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    presets = tmp_path / "practice.txt"
    presets.write_text("\ufeff# For the choir\n\nquiet = low:-12dB + high\n left=low:L100\n", "utf-8")
    options = ["--stems", "none", "--mix", f"@{presets}", "--mix", "k=all-low"]
    assert run(["separate", str(song), *out, *options], plugins) == 0
    assert results(tmp_path / "out") == ["song/k.wav", "song/left.wav", "song/quiet.wav"]
    assert not soundfile.read(tmp_path / "out" / "song" / "left.wav")[0][:, 1].any()
    assert run(["separate", str(song), *out, *options, "--resume"], plugins) == 0
    presets.write_text("quiet=low:-13dB+high\nleft=low:L100\n")
    capsys.readouterr()
    assert run(["separate", str(song), *out, *options, "--resume"], plugins) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a=low\n# b\nc=low:9\n", "m.txt, line 3: c: '9' of low is neither a gain nor a pan"),
        (b"a=low\nA\n", "m.txt, line 2: 'A' is not a valid mix"),
        (b"a=low\na=high\n", "m.txt, line 2: a is defined twice"),
        (
            b"a=low\n\nb=high+guitar\n",
            "m.txt, line 3: b: the model has no stem 'guitar'. Choose from its stems: ",
        ),
        (b"a=low\nb=all-low+high\n", "m.txt, line 2: b both adds and omits stems"),
        (b"#\n", "m.txt cannot be read (it contains no mix)"),
        (b"\xff", "m.txt cannot be read (it is not UTF-8 text)"),
        (b"#" * 70_000, "m.txt cannot be read (File too large)"),
    ],
)
def test_a_file_of_mixes_with_errors(
    plugins: Plugins, song: Path, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str],
    content: bytes, reason: str,
) -> None:  # fmt: skip
    (tmp_path / "m.txt").write_bytes(content)
    assert run(["separate", str(song), *out, "--mix", f"@{tmp_path / 'm.txt'}"], plugins) == 2
    assert reason in capsys.readouterr().err


def test_a_template_that_does_not_tell_stems_apart(
    plugins: Plugins, song: Path, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["separate", str(song), *out, "-f", "{filename}.{codec}"], plugins) == 1
    assert "Put {instrument} into the template" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert run(["separate", str(song), *out, "-f", "{filename}.{codec}", "--stems", "low"], plugins) == 0
    assert results(tmp_path / "out") == ["song.wav"]


def test_a_template_that_does_not_tell_songs_apart(
    plugins: Plugins, song: Path, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_noise(tmp_path / "other.wav")
    assert run(["separate", str(song), str(other), *out, "-f", "{instrument}.{codec}"], plugins) == 1
    assert "2 songs" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_names_from_tags(plugins: Plugins, tmp_path: Path, out: list[str]) -> None:
    options = ["-f", "{artist}/{album}/{instrument}.{codec}", "--stems", "low"]
    assert run(["separate", str(SONG), *out, *options], plugins) == 0
    assert results(tmp_path / "out") == ["Steven M Bryant/ccMixter/low.wav"]


def test_the_gain_is_told(
    plugins: Plugins, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    song = write_noise(tmp_path / "loud.wav", level=4)
    assert run(["separate", str(song), *out, "-b", "16", "--prevent-clipping"], plugins) == 0
    captured = capsys.readouterr()
    assert "lowered by 1" in captured.err
    assert "clipped" not in captured.err


def test_programs_are_told_of_mixes_gain_and_warnings(
    plugins: Plugins, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    song = write_noise(tmp_path / "loud.wav", level=4, sample_rate=11025)
    options = ["-c", "opus", "--prevent-clipping", "--mix", "sum=low+high", "--progress", "json"]
    assert run(["separate", str(song), *out, *options], plugins) == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (done,) = [event for event in events if event["event"] == "done"]
    assert list(done["outputs"]) == ["low", "high", "sum"]
    assert done["gain_db"] < -10
    assert "12000 Hz" in done["warnings"][0]


def test_resuming_separates_anew_what_was_asked_for_otherwise(
    plugins: Plugins, song: Path, tmp_path: Path, out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["separate", str(song), *out], plugins) == 0
    assert run(["separate", str(song), *out, "--resume"], plugins) == 0
    capsys.readouterr()
    assert run(["separate", str(song), *out, "--resume", "-b", "16"], plugins) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert soundfile.info(tmp_path / "out" / "song" / "low.wav").subtype == "PCM_16"


@pytest.mark.slow
@needs_ffmpeg
def test_an_interrupt_at_the_terminal_is_not_taken_for_ffmpegs_failure(tmp_path: Path) -> None:
    """It reaches the programs that were started, too: one that decodes and two that encode."""
    song = tmp_path / "long.mka"
    make = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "anullsrc=r=44100:cl=mono", "-t", "1200"]
    subprocess.run([*make, "-c:a", "pcm_s16le", song], check=True)
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "stemdock",
        "separate",
        song,
        "-o",
        tmp_path / "out",
        "-c",
        "m4a",
    ]
    with default_signals():
        process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    with process:
        try:
            deadline = time.monotonic() + 60
            while not any(path.stat().st_size for path in tmp_path.glob("out/long/.stemdock-*/vocals.m4a")):
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGINT)
            _, message = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert b"ffmpeg" not in message
    assert not list(tmp_path.glob("out/long/*.m4a"))


def piped(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "stemdock", "separate", *arguments, "-o", "-"]
    return subprocess.run(command, stderr=subprocess.PIPE, check=False, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.slow
def test_a_stem_on_standard_output(tmp_path: Path) -> None:
    done = piped(SONG, "--stems", "vocals", stdout=subprocess.PIPE, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert soundfile.info(io.BytesIO(done.stdout)).frames == 479832
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["wav", "flac", "mp3"])
def test_a_reader_that_goes_away(tmp_path: Path, codec: str) -> None:
    """As if SIGPIPE had ended the program, which tells a script that nothing is wrong with it."""
    with subprocess.Popen(["true"], stdin=subprocess.PIPE) as reader:
        reader.wait()
        done = piped(SONG, "--stems", "vocals", "-c", codec, stdout=reader.stdin, cwd=tmp_path)
    assert done.stderr == b""
    assert done.returncode == 141


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["wav", "ogg", "mp3"])
def test_what_arrives_before_the_song_ends(tmp_path: Path, codec: str) -> None:
    """The separation goes on when the first segment has arrived, except of mp3, whose files cannot grow."""
    song, rate = tmp_path / "song.wav", 44100
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (30 * rate, 2)).astype(np.float32)
    soundfile.write(song, noise, rate, subtype="FLOAT")
    (tmp_path / "temporary").mkdir()
    command = [sys.executable, "-c", _PAUSING, str(song), codec]
    environment = os.environ | {"TMPDIR": str(tmp_path / "temporary")}
    with default_signals():
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
    with process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            early = b"" if codec == "mp3" else process.stdout.read(20_000)
            process.stdin.close()  # the reader of the song goes on
            late = process.stdout.read()
            assert process.stderr is not None
            assert process.stderr.read() == b""
            process.wait(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 0
    found, _ = soundfile.read(io.BytesIO(early + late), frames=rate * 29, dtype="float32")
    assert np.abs(found[rate * 25 :]).max() > 0.01
    assert not list((tmp_path / "temporary").glob(".stemdock-*"))


_PAUSING: Final = """
import sys
import stemdock.separator
from stemdock.cli.main import main

unpaused = stemdock.separator.supervised

def pausing(*arguments):
    for number, block in enumerate(unpaused(*arguments)):
        if number == 1 and sys.argv[2] != "mp3":
            sys.stdin.read()  # until the first block has arrived
        yield block

stemdock.separator.supervised = pausing
sys.argv[1:] = ["separate", sys.argv[1], "--stems", "accompaniment", "-c", sys.argv[2], "-o", "-"]
main()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("codec", ["wav", "flac"])
def test_stopping_while_the_reader_does_not_read(tmp_path: Path, codec: str) -> None:
    """The thread that compresses waits for the reader, too."""
    command = [sys.executable, "-m", "stemdock", "separate", str(SONG), "--stems", "vocals", "-o", "-"]
    command += ["-c", codec]
    (tmp_path / "temporary").mkdir()
    with default_signals():
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=os.environ | {"TMPDIR": str(tmp_path / "temporary")},
        )  # fmt: skip
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.read(1000)
            process.terminate()  # a paused player leaves it waiting
            process.wait(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 143
    assert not list((tmp_path / "temporary").glob(".stemdock-*"))


def test_standard_output_takes_one_result(
    plugins: Plugins, song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["separate", str(song), "-m", "small", "-o", "-"], plugins) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "this run writes 2" in captured.err


def test_a_song_that_fails_leaves_standard_output_empty(
    plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = str(tmp_path / "nothing.wav")
    assert run(["separate", nothing, "-m", "small", "--stems", "low", "-o", "-"], plugins) == 1
    assert capsys.readouterr().out == ""
