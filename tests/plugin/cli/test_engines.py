"""The options of engines: what is refused, and what workers get. No engine runs."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

import pytest

from stemdock import BatchEngine, Execution, Plugins, hookimpl, serve_songs
from stemdock.cli import builtin
from stemdock.cli.engine_options import EngineOptions
from stemdock.cli.engines import engine_shares, opening_execution
from stemdock.cli.main import run
from stemdock.lib.cores import n_physical_cores
from stemdock_ray import opening, plugin
from support.scripted import LONGEST
from support.small_model import write_noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from stemdock import WorkerNeeds
    from support.small_model import SmallPlugin


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--engine", "slurm"), "There is no engine 'slurm'. Engines of plug-ins: ray."),
        (("--engine", "slurm"), "Install Stemdock again with the extra of the engine"),
        (("--address", "head:6379"), "--address needs --engine."),
        (("--max-workers", "3"), "--max-workers needs --engine."),
        (("--worker-cpus", "0.5"), "--worker-cpus needs --engine."),
        (("--worker-gpus", "0.5"), "--worker-gpus needs --engine."),
        (("--engine", "ray", "-o", "-"), "--engine cannot be used with -o -"),
        (("--engine", "ray", "-o", "memory://out"), "--engine cannot be used with memory://"),
    ],
)
def test_options_that_cannot_work_are_refused(
    tmp_path: Path, options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plugins = Plugins()
    plugins.register(builtin, "stemdock")
    plugins.register(plugin, "ray")
    assert run(["separate", str(tmp_path), *options], plugins) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_without_ray_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(opening, "find_spec", lambda _: None)
    plugins = Plugins()
    plugins.register(builtin, "stemdock")
    plugins.register(plugin, "ray")
    assert run(["separate", str(tmp_path), "-o", str(tmp_path / "out"), "--engine", "ray"], plugins) == 1
    told = capsys.readouterr().err
    assert "needs the package ray" in told
    assert "pip install 'stemdock[ray]'" in told
    assert not (tmp_path / "out").exists()


def options(
    address: str | None = None, worker_cpus: float | None = None, worker_gpus: float | None = None
) -> EngineOptions:
    return EngineOptions(
        engine="ray", address=address, max_workers=None, worker_cpus=worker_cpus, worker_gpus=worker_gpus
    )


def test_on_this_machine_workers_share_it() -> None:
    shares, needs = engine_shares(options(), Execution(n_threads=5, memory=3000), 2)
    assert [(share.n_threads, share.memory) for share in shares] == [(3, 1500), (2, 1500)]
    assert (needs.n_workers, needs.n_cores, needs.n_gpus, needs.address) == (2, 3, 0, None)
    assert engine_shares(options(), Execution(), 1)[1].n_cores == n_physical_cores()


def test_elsewhere_workers_get_what_is_named() -> None:
    shares, needs = engine_shares(options("head:6379"), Execution(provider="cuda"), 1000)
    assert (len(shares), {(share.n_threads, share.memory) for share in shares}) == (1000, {(1, 0)})
    assert (needs.n_cores, needs.address) == (1, "head:6379")
    assert opening_execution(shares[0], options("head:6379")).provider == "cpu"
    shares, needs = engine_shares(options("head:6379", 2.5, 0.25), Execution(memory=8000), 4)
    assert {(share.n_threads, share.memory) for share in shares} == {(3, 2000)}
    assert (needs.n_cores, needs.n_gpus) == (2.5, 0.25)


class ThreadWorker:
    """A worker that is a thread of this process."""

    def __init__(self, recipe: Any, n_songs: int, told: SimpleQueue[tuple[Any, Any]]) -> None:
        self._told = told
        self._inbox: SimpleQueue[Any] = SimpleQueue()
        self.opened: SimpleQueue[None] = SimpleQueue()
        self._link = Link(self, self._inbox)
        Thread(target=self._serve, args=(recipe, n_songs), daemon=True).start()

    def _serve(self, recipe: Any, n_songs: int) -> None:
        serve_songs(self._link, recipe, n_songs)
        self.tell(None)

    def tell(self, message: Any) -> None:
        self._told.put((self, message))
        self.opened.put(None)

    def send(self, plan: Any) -> None:
        self._inbox.put(plan)

    def end(self) -> str:
        return ""


class Link:
    """The end of the messages that the worker has."""

    def __init__(self, worker: ThreadWorker, inbox: SimpleQueue[Any]) -> None:
        self._worker = worker
        self.recv = inbox.get
        self.send = worker.tell


class Threads:
    """Starts threads one after another. Something changes before the second."""

    def __init__(self, change: Callable[[], None]) -> None:
        self._change = change
        self._told: SimpleQueue[tuple[Any, Any]] = SimpleQueue()
        self._n_started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def start(self, recipe: Any, n_songs: int) -> ThreadWorker:
        self._n_started += 1
        if self._n_started == 2:
            self._change()
        worker = ThreadWorker(recipe, n_songs, self._told)
        worker.opened.get(timeout=LONGEST)
        return worker

    def receive(self, workers: Sequence[Any], timeout: float | None) -> Iterator[tuple[Any, Any]]:  # noqa: ARG002
        try:
            yield self._told.get(timeout=timeout)
        except Empty:
            return


class ThreadsPlugin:
    def __init__(self, change: Callable[[], None]) -> None:
        self._change = change

    @hookimpl
    def stemdock_batch_engines(self) -> list[BatchEngine]:
        def start(needs: WorkerNeeds) -> Threads:  # noqa: ARG001
            return Threads(self._change)

        return [BatchEngine(name="threads", summary="", open=start)]


def test_a_machine_with_another_model_is_told_and_not_paid(
    tmp_path: Path, plugins: Plugins, small_plugin: SmallPlugin, capsys: pytest.CaptureFixture[str]
) -> None:
    def change_model() -> None:
        assert small_plugin.entry.path
        small_plugin.entry.path.write_bytes(b"another")
        small_plugin.entry = replace(small_plugin.entry, sha256=sha256(b"another").hexdigest())

    for number in range(5):
        write_noise(tmp_path / f"{number}.wav")
    plugins.register(ThreadsPlugin(change_model), "threads")
    line = ["separate", str(tmp_path), "-m", "small", "-o", str(tmp_path / "out"), "--progress", "json"]
    assert run([*line, "--engine", "threads", "-w", "2", "--worker-cpus", "3", "--report"], plugins) == 0
    events = [json.loads(told) for told in capsys.readouterr().err.splitlines()]
    (warning,) = (event for event in events if event["event"] == "warning")
    assert "has another model small" in warning["error"]
    assert warning["remedy"] == "Install the same model on all machines."
    summary, report = events[-2:]
    assert summary["n_done"] == 5
    # Only one of the two workers had its cores.
    assert 0 < report["core_hours"] <= 3 * summary["elapsed"] / 3600
