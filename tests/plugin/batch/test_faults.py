"""Batches that are killed, interrupted and starved, and then resumed."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest
import soundfile

from support.child_signals import default_signals
from support.file_limits import files_up_to

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

N_SONGS = 50
DRIVER = Path(__file__).parents[2] / "support" / "batch_driver.py"


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty excerpts of noise, a second each, in folders of ten."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    for number in range(N_SONGS):
        path = folder / str(number // 10) / f"{number}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, rng.uniform(-0.5, 0.5, (16000, 2)).astype(np.float32), 8000, subtype="FLOAT")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("model")


def command(music: Path, model: Path, out: Path, *options: str) -> list[str]:
    line = [sys.executable, str(DRIVER), str(model), "separate", str(music), "-m", "small", "-o", str(out)]
    return [*line, "--progress", "json", "--resume", *options]


@pytest.fixture(scope="module")
def undisturbed(music: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    # As far from the music as other folders for stems: records know a song's place as seen from there.
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    subprocess.run(command(music, model, out), check=True, capture_output=True, timeout=120)
    return tree(out)


def tree(folder: Path) -> dict[str, bytes]:
    """All that is below a folder, hidden files and empty folders included."""
    return {
        path.relative_to(folder).as_posix(): b"" if path.is_dir() else path.read_bytes()
        for path in folder.rglob("*")
    }


def without_remains(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without the file that a claim leaves if its process is killed between removing its two files."""
    return {path: content for path, content in files.items() if not fnmatchcase(path, "*/*.*.claim")}


def events(stderr: bytes) -> list[dict[str, Any]]:
    # A killed run's last line may be half a line. A worker that just starts then prints lines of its own.
    lines = stderr.splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.startswith(b"{") and line.endswith(b"\n")]


def disturbed(line: list[str], number: int, delay: float) -> tuple[int, list[dict[str, Any]]]:
    """Runs a batch, and sends it a signal some time after its first event."""
    with default_signals():
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with process:
        assert process.stderr is not None
        first = process.stderr.readline()
        time.sleep(delay)
        process.send_signal(number)
        if number == signal.SIGINT:
            # An impatient person.
            process.send_signal(number)
        rest = process.stderr.read()
        status = process.wait(60)
    return status, events(first + rest)


@pytest.mark.parametrize(
    ("number", "seed", "options"),
    [
        (signal.SIGKILL, 1, ()),
        (signal.SIGKILL, 2, ("--workers", "3")),
        (signal.SIGINT, 3, ()),
        (signal.SIGINT, 4, ("--workers", "2")),
    ],
)
def test_stopped_at_random_and_resumed_a_batch_ends_as_if_undisturbed(
    music: Path,
    model: Path,
    tmp_path: Path,
    undisturbed: dict[str, bytes],
    number: int,
    seed: int,
    options: tuple[str, ...],
) -> None:
    rng = random.Random(seed)  # noqa: S311
    line = command(music, model, tmp_path / "out", *options)
    n_done: Counter[int] = Counter()
    known: set[int] = set()
    for _ in range(3):
        status, told = disturbed(line, number, rng.uniform(0, 0.25))
        assert status in {0, -signal.SIGKILL, 130}
        ended = {event["song"] for event in told if event["event"] in {"done", "skipped"}}
        n_done.update(event["song"] for event in told if event["event"] == "done")
        assert not [event for event in told if event["event"] == "failed"]
        known |= ended
        if number == signal.SIGINT:
            assert not [path for path in tree(tmp_path) if ".stemdock-" in path or path.endswith(".part")]
            if status == 130:
                assert told[-1]["event"] == "summary"
                assert told[-1]["n_left"] == N_SONGS - len(ended)
    told = finished(line, tmp_path / "out")
    n_done.update(event["song"] for event in told if event["event"] == "done")
    # Nothing that was finished is done again, and nothing twice.
    assert known <= {event["song"] for event in told if event["event"] == "skipped"}
    assert not {song: n for song, n in n_done.items() if n > 1}
    assert without_remains(tree(tmp_path / "out")) == undisturbed


def finished(line: list[str], out: Path) -> list[dict[str, Any]]:
    """Runs a batch, and again if chance has killed the same song three times; gives all that was told."""
    told: list[dict[str, Any]] = []
    for _ in range(2):
        run = subprocess.run(line, check=False, capture_output=True, timeout=240)
        last = events(run.stderr)
        told += last
        if run.returncode == 0:
            return told
        assert {event["kind"] for event in last if event["event"] == "failed"} == {"SetAsideError"}
        forget_deaths(out)
    raise AssertionError(told[-1])


def forget_deaths(out: Path) -> None:
    """Does what the error of a song that is set aside recommends."""
    for path in (out / ".stemdock").glob("*.claim"):
        path.unlink()


def started(line: list[str]) -> subprocess.Popen[bytes]:
    with default_signals():
        return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def songs(told: list[dict[str, Any]], event: str) -> Counter[int]:
    return Counter(each["song"] for each in told if each["event"] == event)


@pytest.mark.parametrize("options", [(), ("--workers", "3")])
def test_two_runs_at_once_do_each_song_once(
    music: Path, model: Path, tmp_path: Path, undisturbed: dict[str, bytes], options: tuple[str, ...]
) -> None:
    line = command(music, model, tmp_path / "out", *options)
    runs = [started(line), started(line)]
    told = [events(run.communicate(timeout=240)[1]) for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    done = [songs(each, "done") for each in told]
    assert done[0] + done[1] == Counter(range(1, N_SONGS + 1))
    assert [each[-1]["n_skipped"] for each in told] == [done[1].total(), done[0].total()]
    assert tree(tmp_path / "out") == undisturbed


@pytest.mark.parametrize("seed", range(4))
def test_of_two_runs_at_once_the_other_goes_on_when_one_is_killed(
    music: Path, model: Path, tmp_path: Path, undisturbed: dict[str, bytes], seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311
    line = command(music, model, tmp_path / "out")
    survivor = started(line)
    status, told = disturbed(line, signal.SIGKILL, rng.uniform(0, 0.5))
    told_too = events(survivor.communicate(timeout=240)[1])
    assert status in {0, -signal.SIGKILL}
    assert survivor.returncode == 0
    assert told_too[-1]["n_done"] + told_too[-1]["n_skipped"] == N_SONGS
    n_done = songs(told, "done") + songs(told_too, "done")
    assert set(n_done.values()) == {1}
    # If the kill came after the stems were in their places, their hidden folder stays until the next run.
    again = subprocess.run(line, check=True, capture_output=True, timeout=120)
    assert events(again.stderr)[-1]["n_skipped"] == N_SONGS
    assert without_remains(tree(tmp_path / "out")) == undisturbed


def workers_of(pid: int) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(pid).children():
        with suppress(psutil.Error):  # it may just be ending
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_workers_that_are_killed_at_random_lose_nothing(
    music: Path, model: Path, tmp_path: Path, undisturbed: dict[str, bytes], seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311
    line = command(music, model, tmp_path / "out", "--workers", "2")
    told = []
    n_killed = 0
    with started(line) as process:
        assert process.stderr is not None
        for text in process.stderr:
            told.append(json.loads(text))
            n_begun = sum(event["event"] == "song" for event in told)
            if n_begun > 8 * n_killed and n_killed < 5:
                time.sleep(rng.uniform(0, 0.02))
                with suppress(psutil.Error, IndexError):
                    rng.choice(workers_of(process.pid)).kill()
                    n_killed += 1
    assert process.returncode == 0
    assert n_killed == 5
    assert set(songs(told, "done").values()) | set(songs(told, "skipped").values()) == {1}
    assert told[-1]["n_done"] + told[-1]["n_skipped"] == N_SONGS
    # In the order of the songs.
    ended = [event["song"] for event in told if event["event"] in {"done", "skipped"}]
    assert ended == sorted(ended)
    again = subprocess.run(line, check=True, capture_output=True, timeout=120)
    assert events(again.stderr)[-1]["n_skipped"] == N_SONGS
    assert without_remains(tree(tmp_path / "out")) == undisturbed


def with_silence(music: Path, folder: Path) -> Path:
    """Five songs, of which the second is silent."""
    folder.mkdir()
    for number in (0, 2, 3, 4):
        shutil.copy(music / "0" / f"{number}.wav", folder)
    soundfile.write(folder / "1.wav", np.zeros((16000, 2), np.float32), 8000, subtype="FLOAT")
    return folder


def failures(told: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(event["song"], event["kind"]) for event in told if event["event"] == "failed"]


@pytest.mark.parametrize("options", [(), ("--shard", "1/1"), ("--workers", "2")])
def test_a_song_that_kills_every_process_is_set_aside_and_can_be_tried_again(
    music: Path, model: Path, tmp_path: Path, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = command(with_silence(music, tmp_path / "music"), model, tmp_path / "out", *options)
    monkeypatch.setenv("DEADLY", "1")
    statuses: list[int] = []
    told: list[dict[str, Any]] = []
    while not statuses or statuses[-1] == -signal.SIGKILL:
        run = subprocess.run(line, check=False, capture_output=True, timeout=240)
        statuses.append(run.returncode)
        told = events(run.stderr)
    # Without workers, the run itself dies of it; the next one that claims the song knows.
    assert statuses == ([1] if "--workers" in options else [-signal.SIGKILL] * 3 + [1])
    assert failures(told) == [(2, "WorkerLostError" if "--workers" in options else "SetAsideError")]
    assert told[-1]["n_done"] + told[-1]["n_skipped"] == 4
    assert not [path for path in tree(tmp_path) if ".stemdock-" in path]
    if "--workers" not in options:
        # A run that is started again by a machine does not die of it again.
        run = subprocess.run(line, check=False, capture_output=True, timeout=240)
        assert failures(events(run.stderr)) == [(2, "SetAsideError")]
        forget_deaths(tmp_path / "out")
    assert not [path for path in tree(tmp_path) if path.endswith(".claim")]
    monkeypatch.delenv("DEADLY")
    again = subprocess.run(line, check=True, capture_output=True, timeout=240)
    assert songs(events(again.stderr), "done") == {2: 1}


def test_a_song_that_killed_others_before_is_not_tried_by_every_worker(
    music: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_silence(music, tmp_path / "music")
    monkeypatch.setenv("DEADLY", "1")
    line = command(folder, model, tmp_path / "out")
    for _ in range(2):
        run = subprocess.run(line, check=False, capture_output=True, timeout=240)
        assert run.returncode == -signal.SIGKILL
    run = subprocess.run([*line, "--workers", "2"], check=False, capture_output=True, timeout=240)
    assert failures(events(run.stderr)) == [(2, "SetAsideError")]


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_other_signals_have_their_own_status(
    music: Path, model: Path, tmp_path: Path, number: int, expected: int
) -> None:
    status, told = disturbed(command(music, model, tmp_path / "out"), number, 0)
    assert status == expected
    assert told[-1]["event"] == "summary"


def test_a_signal_that_the_caller_ignores_is_ignored(music: Path, model: Path, tmp_path: Path) -> None:
    line = ["nohup", *command(music / "0", model, tmp_path / "out")]
    status, told = disturbed(line, signal.SIGHUP, 0)
    assert status == 0
    assert told[-1]["n_done"] == 10


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[None]:
    """A file system of its own with so many bytes."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("may not mount")
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount")
def test_on_a_full_disk_each_song_is_whole_or_absent_and_a_larger_one_resumes(
    music: Path, model: Path, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    # Each song makes 256 kB of stems.
    with small_disk(out, 3_000_000):
        line = command(music, model, out)
        run = subprocess.run(line, check=False, capture_output=True, timeout=120)
        told = events(run.stderr)
        assert run.returncode == 1
        assert told[-1]["event"] == "summary"
        assert 5 <= told[-1]["n_done"] < N_SONGS
        assert told[-1]["n_failed"] == N_SONGS - told[-1]["n_done"]
        kinds = {event["kind"] for event in told if event["event"] == "failed"}
        assert kinds == {"OutputError"}
        left = tree(out)
        assert left.items() <= undisturbed.items()
        subprocess.run(["mount", "-o", "remount,size=100000000", out], check=True)
        resumed = subprocess.run(line, check=True, capture_output=True, timeout=120)
        assert events(resumed.stderr)[-1]["n_skipped"] == told[-1]["n_done"]
        assert tree(out) == undisturbed


@pytest.mark.skipif(sys.platform == "win32", reason="no ulimit")
def test_a_song_too_large_for_the_limit_fails_alone(music: Path, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    shutil.copy(music / "0" / "1.wav", folder)
    soundfile.write(folder / "2.wav", np.zeros((200_000, 2), np.float32), 8000, subtype="FLOAT")
    line = command(folder, model, tmp_path / "out")
    with files_up_to(512_000):
        run = subprocess.run(line, check=False, capture_output=True, timeout=60)
    told = events(run.stderr)
    assert run.returncode == 1
    assert [event["event"] for event in told if event["event"] in {"done", "failed"}] == ["done", "failed"]
    assert not [path for path in tree(tmp_path / "out") if path.startswith(("2", ".stemdock-"))]


def test_a_target_that_cannot_be_written_to(music: Path, model: Path, tmp_path: Path) -> None:
    # A file in the place of the output folder stops root, too.
    (tmp_path / "out").write_text("mine")
    line = command(music / "0", model, tmp_path / "out")
    run = subprocess.run(line, check=False, capture_output=True, timeout=60)
    told = events(run.stderr)
    assert run.returncode == 1
    assert told[-1]["n_failed"] == 10
    assert {event["kind"] for event in told if event["event"] == "failed"} == {"OutputError"}
    assert (tmp_path / "out").read_text() == "mine"
