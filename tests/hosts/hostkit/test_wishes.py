"""A model that may be needed soon is loaded, but never in the way of a job."""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from stemdock import StemdockError
from stemdock_hostkit import client
from stemdock_hostkit.job.folder import Job
from stemdock_hostkit.job.request import Request, Source
from stemdock_hostkit.worker.places import worker_folder
from stemdock_hostkit.worker.queue import Queue
from stemdock_hostkit.worker.serving import Service
from stemdock_hostkit.worker.wishes import take_wish, wish_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class BusyModels:
    """Takes the place of the models: a job waits until the test lets it fail."""

    def __init__(self) -> None:
        self.prepared: list[str] = []
        self.opened: list[str] = []
        self.go_on = Event()

    def prepare(self, name: str) -> None:
        self.prepared.append(name)

    def open(self, name: str, _: Any) -> Any:
        self.opened.append(name)
        assert self.go_on.wait(60)
        raise StemdockError("no model", remedy="")


@pytest.fixture
def models(tmp_path: Path) -> Iterator[BusyModels]:
    """Those of a worker that serves the queue in `tmp_path`."""
    models = BusyModels()
    service = Service(Queue(tmp_path), models)  # type: ignore[arg-type]
    thread = Thread(target=service.run)
    thread.start()
    yield models
    models.go_on.set()
    service.stop()
    thread.join(60)
    assert not thread.is_alive()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def new_job(tmp_path: Path, name: str) -> Job:
    folder = tmp_path / name
    folder.mkdir()
    job = Job(folder)
    source = Source(id="s", name="s", path=tmp_path / "song.wav")
    job.write_request(Request(host="test", output_folder=tmp_path, model="2stems", sources=(source,)))
    return job


def test_a_worker_without_jobs_loads_the_model(tmp_path: Path, models: BusyModels) -> None:
    wish_for(tmp_path, "4stems")
    wait_for(lambda: models.prepared)
    assert models.prepared == ["4stems"]
    assert take_wish(tmp_path) is None


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_worker_with_jobs_drops_wishes(tmp_path: Path, models: BusyModels, n_jobs: int) -> None:
    for number in range(n_jobs):
        Queue(tmp_path).put(new_job(tmp_path, f"job {number}"))
    wait_for(lambda: models.opened)
    wish_for(tmp_path, "4stems")
    models.go_on.set()
    wait_for(lambda: not Queue(tmp_path).tickets())
    wait_for(lambda: not (tmp_path / "wish.json").exists())
    wish_for(tmp_path, "5stems")
    wait_for(lambda: models.prepared)
    assert models.prepared == ["5stems"]
    assert len(models.opened) == n_jobs


def test_the_latest_wish_counts_and_damaged_ones_go(tmp_path: Path) -> None:
    wish_for(tmp_path, "4stems")
    wish_for(tmp_path, "5stems")
    assert take_wish(tmp_path) == "5stems"
    for content in (b"", b"[]", b'{"model": 3}'):
        (tmp_path / "wish.json").write_bytes(content)
        assert take_wish(tmp_path) is None
        assert list(tmp_path.iterdir()) == []


def test_a_host_gets_a_worker_that_has_its_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Path] = []
    monkeypatch.setattr("stemdock_hostkit.client.ensure_worker", started.append)
    client.prepare("2stems")
    assert started == [worker_folder()]
    assert take_wish(worker_folder()) == "2stems"
