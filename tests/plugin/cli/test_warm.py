"""Commands that a process in the background does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from stemdock.cli.warm import meeting
from support.child_signals import default_signals
from support.mixtures import SONG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux copies such a process"),
]

LONG = 120
"""Seconds; far more than anything here needs."""
SHORT = ("-d", "0.5", "--overwrite")


class Place:
    """A folder to work in, and a folder for the socket, whose path must be short."""

    def __init__(self, folder: Path, runtime: Path) -> None:
        self.folder = folder
        self.runtime = runtime
        self.variables = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "STEMDOCK_WARM_SECONDS": str(LONG)}

    def start(self, *arguments: object, **options: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "stemdock", "separate", *map(str, arguments)]
        options = {"cwd": self.folder, "env": self.variables, **options}
        with default_signals():
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def run(self, *arguments: object, **options: Any) -> tuple[int, bytes, bytes]:
        given = options.pop("input", None)
        process = self.start(*arguments, stdin=subprocess.PIPE, **options)
        output, messages = process.communicate(given, timeout=LONG)
        return process.returncode, output, messages

    def server(self) -> psutil.Process | None:
        """The process in the background."""
        for process in psutil.process_iter(["cmdline", "environ", "ppid"]):
            command, variables = process.info["cmdline"] or [], process.info["environ"] or {}
            if command[-1:] == ["stemdock.cli.warm"] and variables.get("XDG_RUNTIME_DIR") == str(
                self.runtime
            ):
                parent = process.parent()
                if parent is None or parent.cmdline()[-1:] != ["stemdock.cli.warm"]:
                    return process
        return None

    def copies(self) -> list[psutil.Process]:
        """Those that do commands."""
        server = self.server()
        return [each for each in server.children() if each.status() != "zombie"] if server else []

    def stems(self, folder: str) -> dict[str, bytes]:
        root = self.folder / folder
        return {str(path.relative_to(root)): path.read_bytes() for path in root.glob("*/*.wav")}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    runtime = Path(tempfile.mkdtemp(prefix="warm"))
    made = Place(tmp_path, runtime)
    try:
        yield made
    finally:
        while server := made.server():
            for process in (*made.copies(), server):
                process.kill()
            server.wait(LONG)
        shutil.rmtree(runtime)


@pytest.fixture
def warm(place: Place) -> Place:
    """With a process in the background."""
    status, _, messages = place.run(SONG, *SHORT, "-o", "first", "--warm")
    assert (status, messages) == (0, b"")
    assert place.server()
    return place


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_stems_output_and_messages_are_those_of_an_ordinary_run(warm: Place) -> None:
    server = warm.server()
    found = warm.run(SONG, *SHORT, "-o", "warm", "--warm")
    without_option = warm.run(SONG, *SHORT, "-o", "warm too")
    assert warm.server() == server
    ordinary = warm.run(SONG, *SHORT, "-o", "cold", env={**warm.variables, "XDG_RUNTIME_DIR": "/nothing"})
    assert found[0] == without_option[0] == ordinary[0] == 0
    assert found[1].replace(b"warm", b"cold") == ordinary[1] != b""
    assert without_option[1].replace(b"warm too", b"cold") == ordinary[1]
    assert found[2] == ordinary[2] == b""
    assert warm.stems("warm") == warm.stems("warm too") == warm.stems("cold") == warm.stems("first") != {}


def test_the_copy_does_the_work(warm: Place) -> None:
    """Not the user's process."""
    process = warm.start("-", "-o", "out", stdin=subprocess.PIPE)
    wait_for(warm.copies)
    assert "numpy" not in Path(f"/proc/{process.pid}/maps").read_text("utf-8")
    (copy,) = warm.copies()
    assert copy.cwd() == str(warm.folder)
    process.communicate(SONG.read_bytes(), timeout=LONG)
    assert process.returncode == 0
    assert len(warm.stems("out")) == 2


def test_standard_streams_variables_and_umask_are_the_users(warm: Place) -> None:
    status, output, _ = warm.run(
        "-", "-o", "-", "--stems", "vocals", *SHORT, input=SONG.read_bytes(), umask=0o027
    )
    assert status == 0
    assert output[:4] == b"RIFF"
    warm.run(SONG, *SHORT, "-o", "private", umask=0o077)
    modes = {path.stat().st_mode & 0o777 for path in warm.folder.glob("private/*/*.wav")}
    assert modes == {0o600}
    variables = {**warm.variables, "STEMDOCK_CACHE": str(warm.folder / "own cache")}
    assert warm.run(SONG, *SHORT, "-o", "out", env=variables)[0] == 0
    assert (warm.folder / "own cache").exists()


@pytest.mark.parametrize(
    "arguments", [("nothing.wav",), ("--model", "none", SONG), ("--bitrate", "1", SONG), ()]
)
def test_errors_are_those_of_an_ordinary_run(warm: Place, arguments: tuple[object, ...]) -> None:
    found = warm.run(*arguments, "-o", "out")
    ordinary = warm.run(*arguments, "-o", "out", env={**warm.variables, "XDG_RUNTIME_DIR": "/nothing"})
    assert found == ordinary
    assert found[0] in {1, 2}


def long_song(folder: Path) -> Path:
    """Several names of one song, which take a while."""
    for number in range(40):
        shutil.copy(SONG, folder / f"song {number}.mp3")
    return folder


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_reach_the_copy(warm: Place, tmp_path: Path, number: int, status: int) -> None:
    (tmp_path / "songs").mkdir()
    process = warm.start(long_song(tmp_path / "songs"), "-o", "out")
    wait_for(lambda: warm.stems("out"))
    process.send_signal(number)
    process.communicate(timeout=LONG)
    assert process.returncode == status
    wait_for(lambda: not warm.copies())
    assert len(warm.stems("out")) < 80
    assert not list(warm.folder.glob("out/**/.stemdock-*/*"))
    assert warm.run(SONG, *SHORT, "-o", "next")[0] == 0


@pytest.mark.parametrize("of_sigint", [signal.SIG_DFL, signal.SIG_IGN])
def test_the_copy_ends_with_the_users_process(
    warm: Place, tmp_path: Path, of_sigint: signal.Handlers
) -> None:
    (tmp_path / "songs").mkdir()
    process = warm.start(
        long_song(tmp_path / "songs"), "-o", "out",
        preexec_fn=lambda: signal.signal(signal.SIGINT, of_sigint),
    )  # fmt: skip
    wait_for(lambda: warm.stems("out"))
    process.kill()
    process.communicate(timeout=LONG)
    wait_for(lambda: not warm.copies())
    assert len(warm.stems("out")) < 80
    assert warm.server()


def test_a_copy_that_is_killed_is_reported(warm: Place, tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    process = warm.start(long_song(tmp_path / "songs"), "-o", "out")
    wait_for(warm.copies)
    wait_for(lambda: warm.stems("out"))
    for copy in warm.copies():
        copy.kill()
    _, messages = process.communicate(timeout=LONG)
    assert process.returncode == 1
    assert b"ended unexpectedly" in messages


@pytest.mark.parametrize("variables", [{"LC_ALL": "C"}, {"PYTHONWARNINGS": "ignore"}])
def test_other_surroundings_mean_an_ordinary_run(warm: Place, variables: dict[str, str]) -> None:
    status, _, messages = warm.run(SONG, *SHORT, "-o", "out", env={**warm.variables, **variables})
    assert (status, messages) == (0, b"")
    status, _, messages = warm.run(SONG, *SHORT, "-o", "out", "--warm", env={**warm.variables, **variables})
    assert status == 0
    assert b"ordinary run" in messages


def test_a_limit_of_the_users_process_holds(warm: Place) -> None:
    import resource  # noqa: PLC0415  missing on Windows

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    status, _, messages = warm.run(SONG, *SHORT, "-o", "out", preexec_fn=limit)
    assert status == 1
    assert b"cannot be written" in messages


def test_workers_and_files_that_grow(warm: Place) -> None:
    """The workers are started by the copy, and are none themselves."""
    songs = [shutil.copy(SONG, warm.folder / f"{name}{SONG.suffix}") for name in "ab"]
    status, printed, messages = warm.run(*songs, *SHORT, "-o", "out", "--workers", "2", "--growing")
    assert (status, len(printed.splitlines()), messages.count(b"error")) == (0, 4, 0)
    assert warm.run(SONG, *SHORT, "-o", "expected")[0] == 0
    expected = {Path(path).name: content for path, content in warm.stems("expected").items()}
    found = warm.stems("out")
    assert len(found) == 4
    assert all(content == expected[Path(path).name] for path, content in found.items())
    wait_for(lambda: not warm.copies())


def test_a_reader_that_goes_away(warm: Place) -> None:
    with subprocess.Popen(["true"], stdin=subprocess.PIPE) as reader:
        reader.wait()
        command = [sys.executable, "-m", "stemdock", "separate", str(SONG), "--stems", "vocals", "-o", "-"]
        done = subprocess.run(
            command,
            stdout=reader.stdin,
            stderr=subprocess.PIPE,
            env=warm.variables,
            check=False,
            timeout=LONG,
        )
    assert (done.returncode, done.stderr) == (141, b"")


def test_it_ends_when_it_is_idle(place: Place) -> None:
    place.variables["STEMDOCK_WARM_SECONDS"] = "0.5"
    assert place.run(SONG, *SHORT, "-o", "out", "--warm")[0] == 0
    wait_for(lambda: not place.server())
    assert list(place.runtime.glob("stemdock/warm/*")) == []
    assert place.run(SONG, *SHORT, "-o", "again")[0] == 0


def test_the_socket_of_a_killed_process_is_replaced(warm: Place) -> None:
    server = warm.server()
    assert server
    server.kill()
    server.wait(LONG)
    assert warm.run(SONG, *SHORT, "-o", "out")[0] == 0
    assert warm.server() is None
    assert warm.run(SONG, *SHORT, "-o", "out", "--warm")[0] == 0
    assert warm.server()


def test_a_run_without_it_leaves_nothing(place: Place) -> None:
    assert place.run(SONG, *SHORT, "-o", "out")[0] == 0
    assert list(place.runtime.iterdir()) == []


def test_a_folder_that_others_can_write_is_not_used(place: Place) -> None:
    (place.runtime / "stemdock" / "warm").mkdir(parents=True)
    (place.runtime / "stemdock" / "warm").chmod(0o777)
    status, _, messages = place.run(SONG, *SHORT, "-o", "out", "--warm")
    assert status == 0
    assert b"ordinary run" in messages
    assert place.server() is None


def test_other_systems_are_not_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert not meeting.is_supported()
