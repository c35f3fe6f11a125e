"""Songs in actors of a real Ray on this machine: kills, errors, cancelling, and what is left afterwards."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from stemdock import StemdockError, WorkerNeeds
from stemdock.batch.events import Done, Failed, Skipped, Started
from stemdock.batch.running import run_batch
from stemdock.batch.worker_pool import WorkerLostError, WorkerPool, WorkersUnusableError
from stemdock_ray.errors import RayAddressError, TooFewResourcesError
from stemdock_ray.opening import open_actors
from support.child_signals import default_signals
from support.scripted import LONGEST, ScriptedRecipe, n_tries, plans
from support.small_model import write_noise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock.batch.events import BatchEvent, SongPlan
    from stemdock_ray.actors import Actors

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(find_spec("ray") is None, reason="needs ray: pip install 'stemdock[ray]'"),
    pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL"),
]

TESTS = Path(__file__).parents[2]
DRIVER = TESTS / "support" / "batch_driver.py"
N_SONGS = 12


@pytest.fixture(autouse=True)
def _tests_in_actors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def actors(n_workers: int = 2, address: str | None = None, n_gpus: float = 0) -> Actors:
    return open_actors(WorkerNeeds(n_workers=n_workers, n_cores=0.5, n_gpus=n_gpus, address=address))


def pool(folder: Path, n_workers: int = 2, *, fault: str = "", n_least: int | None = None) -> WorkerPool:
    recipes = [ScriptedRecipe(folder, fault)] * n_workers
    return WorkerPool(recipes, actors(n_workers), n_least=n_least, cancel=Event(), idle=0)


def last_events(events: list[BatchEvent]) -> list[tuple[int, type[BatchEvent]]]:
    return [(event.plan.number, type(event)) for event in events if not isinstance(event, Started)]


def assert_nothing_is_left() -> None:
    """All that Ray started ends, and its folder is gone."""
    end = time.monotonic() + LONGEST
    while rays := [child for child in psutil.Process().children(recursive=True) if is_of_ray(child)]:
        assert time.monotonic() < end, rays
        time.sleep(0.1)
    assert not list(Path(tempfile.gettempdir()).glob("stemdock-*/r"))


def is_of_ray(process: psutil.Process) -> bool:
    try:
        return "ray" in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def test_songs_in_actors_that_are_killed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    songs = plans("after b", "b", "mortal", "deadly", "old c", "bad", "d")
    cleaned: list[SongPlan] = []
    workers = WorkerPool([ScriptedRecipe(tmp_path)] * 2, actors(), cancel=Event(), clean=cleaned.append)
    events = list(run_batch(songs, workers))
    kinds = [Done, Done, Done, Failed, Skipped, Failed, Done]
    assert last_events(events) == list(enumerate(kinds, 1))
    lost, bad = (event.error for event in events if isinstance(event, Failed))
    assert isinstance(lost, WorkerLostError)
    assert "deadly.wav" in str(lost)
    assert n_tries(tmp_path, "deadly") == 3
    assert n_tries(tmp_path, "mortal") == 2
    assert [plan.number for plan in cleaned] == [4]
    assert (str(bad), bad.remedy) == ("cannot travel", "Stay.")
    assert capfd.readouterr() == ("", "")
    assert_nothing_is_left()


def test_actors_come_with_the_songs_and_cancelling_ends_them(tmp_path: Path) -> None:
    workers = pool(tmp_path, n_least=1)
    handler = signal.getsignal(signal.SIGTERM)
    events = []
    for event in run_batch(plans("after endless", "endless", "endless 2", "d"), workers):
        events.append(event)
        # The first song ends only if there is a second actor.
        if len(list(tmp_path.glob("endless*.tries"))) == 2:
            workers.cancel.set()
    assert last_events(events) == [(1, Done)]
    assert signal.getsignal(signal.SIGTERM) is handler
    assert_nothing_is_left()


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [("error", StemdockError, "no model"), ("kill", WorkersUnusableError, "Ray says")],
)
def test_what_keeps_an_actor_from_loading_its_model_ends_the_batch(
    tmp_path: Path, fault: str, error: type[StemdockError], text: str
) -> None:
    with pytest.raises(error, match=text):
        list(run_batch(plans("a"), pool(tmp_path, 1, fault=fault)))
    assert_nothing_is_left()


def test_a_machine_without_graphics_processors_is_refused(tmp_path: Path) -> None:
    lacking = actors(1, n_gpus=1000)
    with pytest.raises(TooFewResourcesError, match="1000 graphics processors"):
        list(run_batch(plans("a"), WorkerPool([ScriptedRecipe(tmp_path)], lacking, cancel=Event())))
    assert_nothing_is_left()


def test_addresses_that_nobody_answers_are_refused(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for address in (f"127.0.0.1:{port}", "nowhere", "auto"):
        with pytest.raises(RayAddressError, match=address) as caught:
            list(
                run_batch(
                    plans("a"), WorkerPool([ScriptedRecipe(tmp_path)], actors(1, address), cancel=Event())
                )
            )
        assert "ray start --head" in caught.value.remedy
    with pytest.raises(RayAddressError, match="client"):
        actors(1, "ray://127.0.0.1:10001")


def command(root: Path, out: str, *options: str) -> list[str]:
    line = [sys.executable, str(DRIVER), str(root / "model"), "separate", "music", "-m", "small", "-o", out]
    return [*line, "--resume", "--progress", "json", *options]


@pytest.fixture
def music(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    for number in range(N_SONGS):
        path = tmp_path / "music" / str(number % 3) / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_noise(path, level=0.1 + number / 100)
    return tmp_path


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): b"" if path.is_dir() else path.read_bytes()
        for path in folder.rglob("*")
    }


def run(root: Path, out: str, *options: str) -> tuple[list[str], list[dict[str, Any]]]:
    done = subprocess.run(
        command(root, out, *options), cwd=root, check=True, capture_output=True, text=True, timeout=600
    )
    return done.stdout.replace(out, "OUT").splitlines(), [
        json.loads(line) for line in done.stderr.splitlines()
    ]


UNORDERED = {"song", "progress", "warning"}  # the last comes if Ray starts slowly
RAY = ("--engine", "ray", "--workers", "2")


def test_two_actors_write_and_tell_what_one_process_does(music: Path) -> None:
    # Workers must not import what is in the current folder.
    (music / "soundfile.py").write_text("raise ImportError('of somebody else')")
    printed, told = run(music, "one")
    by_actors = run(music, "two", *RAY, "--report")
    assert by_actors[0] == printed
    assert tree(music / "two") == tree(music / "one")
    assert by_actors[1].pop()["event"] == "report"
    lasts = [
        [(each["event"], each.get("song")) for each in events if each["event"] not in UNORDERED]
        for events in (told, by_actors[1])
    ]
    assert lasts[0] == lasts[1]
    again = run(music, "two", *RAY)
    assert again[1][-1]["n_skipped"] == N_SONGS


def children(process: subprocess.Popen[bytes], title: str) -> Iterator[psutil.Process]:
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if title in " ".join(child.cmdline()):
                yield child
        except psutil.Error:
            pass


@pytest.mark.parametrize("victim", ["actor", "all"])
def test_killed_or_interrupted_and_resumed_all_is_as_if_undisturbed(music: Path, victim: str) -> None:
    run(music, "one")
    with default_signals():
        process = subprocess.Popen(
            command(music, "two", *RAY), cwd=music, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
    with process:
        assert process.stderr is not None
        line = b""
        while b'"song"' not in line:
            line = process.stderr.readline()
            assert line
        started = list(psutil.Process(process.pid).children(recursive=True))
        if victim == "actor":
            for child in [*children(process, "Mailbox")][:1]:
                child.kill()
        else:
            os.killpg(process.pid, signal.SIGINT)
        rest = process.stderr.read()
        status = process.wait(LONGEST)
    summary = json.loads(rest.splitlines()[-1])
    assert summary["n_failed"] == 0
    if victim == "actor":
        assert status == 0
    else:
        assert status in {0, 130}  # it may have been done already
        assert not [path for path in tree(music / "two") if ".stemdock-" in path or path.endswith(".claim")]
    assert not psutil.wait_procs(started, timeout=LONGEST)[1]
    run(music, "two", *RAY)
    assert tree(music / "two") == tree(music / "one")
