"""Reading that hangs: it is left behind when it is cancelled, and ends with Stemdock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from threading import Event, Timer
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

import pytest

from stemdock import Observer, Separator, open_audio, separate_file
from stemdock.audio import read_tags, reading
from stemdock.errors import CancelledError
from stemdock.lib.processes import is_running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="named pipes and scripts")

_HANGING: Final = {
    "hangs": "exec sleep 600",
    "ignores signals": "trap '' TERM INT HUP 29; exec sleep 600",
    "is a script": "sleep 600 & echo $! >> $(dirname $0)/pids; wait",
    "hangs in the middle": "head -c 44 $(dirname $0)/song.wav; exec sleep 600",
    "prints without end": "while :; do echo '[error] x' >&2; done",
}
"""Shell scripts in place of ffmpeg. 29 is what Linux sends by default where a pipe is closed."""


def put_ffmpeg(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ffmpeg on the PATH; returns the file that gets the ids of its processes."""
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\necho $$ >> {folder}/pids\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder / "pids"


def song_for_ffmpeg(folder: Path) -> Path:
    path = folder / "song.m4a"
    path.write_bytes(b"\0\0\0\x20ftypM4A " + bytes(1000))
    return path


def assert_cancelled(read: Callable[[Event], object]) -> None:
    """Reading must end soon after it is cancelled; if it does not, the test ends nevertheless."""
    cancel = Event()
    errors: list[CancelledError] = []
    ended = Event()

    def run() -> None:
        try:
            read(cancel)
        except CancelledError as error:
            errors.append(error)
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    assert not ended.wait(0.5)
    cancel.set()
    assert ended.wait(10)
    assert len(errors) == 1


def release(pipe: Path) -> None:
    """Lets the thread end that reads a named pipe."""
    os.close(os.open(pipe, os.O_RDWR))


def assert_ended(pids: Path) -> None:
    deadline = monotonic() + 10
    for pid in map(int, pids.read_text().split()):
        while is_running(pid):
            assert monotonic() < deadline
            sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("kind", _HANGING)
def test_an_ffmpeg_that_hangs_ends_when_it_is_cancelled(
    kind: str, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_separator: Separator
) -> None:
    pids = put_ffmpeg(tmp_path, _HANGING[kind], monkeypatch)
    source = song_for_ffmpeg(tmp_path)
    assert song == tmp_path / "song.wav"
    assert_cancelled(
        lambda cancel: separate_file(
            small_separator, source, tmp_path / "out", observer=Observer(cancel=cancel)
        )
    )
    assert_ended(pids)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("where", ["the second look", "libsndfile's opening", "libsndfile's reading"])
def test_a_file_that_hangs_is_left_behind(
    where: str, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_separator: Separator
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def hang(*_: object, **__: object) -> bytes:
        return pipe.read_bytes()

    if where == "the second look":
        monkeypatch.setattr(reading, "inspected", hang)
    elif where == "libsndfile's opening":
        # The wait is in C, in open().
        monkeypatch.setattr("stemdock.audio.sndfile.reading.native_name", lambda _: str(pipe))
    else:
        monkeypatch.setattr("soundfile.SoundFile.read", hang)
    try:
        assert_cancelled(
            lambda cancel: separate_file(
                small_separator, song, tmp_path / "out", observer=Observer(cancel=cancel)
            )
        )
        assert not (tmp_path / "out").exists()
    finally:
        release(pipe)


@pytest.mark.slow
def test_tags_that_hang_are_left_behind(song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setattr("stemdock.audio.tags.reading.open_regular_file", lambda _: pipe.open("rb"))
    try:
        assert_cancelled(lambda cancel: read_tags(song, cancel))
    finally:
        release(pipe)


def test_a_cancelled_reader_opens_nothing(song: Path) -> None:
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError), open_audio(song, cancel=cancel):
        pass


def test_errors_and_samples_are_those_of_the_same_thread(song: Path, tmp_path: Path) -> None:
    with open_audio(song) as plain, open_audio(song, cancel=Event()) as other:
        assert plain.total_length == other.total_length
        for block, same in zip(plain.blocks, other.blocks, strict=True):
            assert (block == same).all()
    with pytest.raises(FileNotFoundError) as error, open_audio(tmp_path / "none", cancel=Event()):
        pass
    assert type(error.value).__name__ == "AudioFileNotFoundError"
    before = threading.active_count()
    with open_audio(song, cancel=Event()) as audio:
        next(audio.blocks)
        assert threading.active_count() == before + 1
    deadline = monotonic() + 10
    while threading.active_count() > before and monotonic() < deadline:
        sleep(0.01)
    assert threading.active_count() == before


_READER: Final = """
import sys
from pathlib import Path
from stemdock import open_audio
with open_audio(Path(sys.argv[1])) as audio:
    next(audio.blocks)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="no other system kills a child with its parent")
@pytest.mark.parametrize("kind", ["hangs", "ignores signals", "is a script"])
def test_ffmpeg_ends_when_stemdock_is_killed(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = put_ffmpeg(tmp_path, _HANGING[kind], monkeypatch)
    with subprocess.Popen([sys.executable, "-c", _READER, song_for_ffmpeg(tmp_path)]) as process:
        overdue = Timer(60, process.kill)
        overdue.start()
        n_expected = 2 if kind == "is a script" else 1
        while process.poll() is None and (not pids.exists() or len(pids.read_text().split()) < n_expected):
            sleep(0.01)
        # The reader waits for it.
        sleep(0.2)
        process.send_signal(signal.SIGKILL)
        overdue.cancel()
    assert_ended(pids)
