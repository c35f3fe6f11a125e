"""The model of the worker stays loaded, and a missing one is fetched."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

import stemdock
from stemdock import CancelledError, FetchProgress, ModelDownload, ModelEntry, ModelNotInstalledError
from stemdock_hostkit.errors import UnansweredError
from stemdock_hostkit.job.folder import Job
from stemdock_hostkit.worker.models import Models
from stemdock_hostkit.worker.reporter import Reporter
from support.reaper_model.known_separator import known_separator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Shop:
    """Stands in for Separator: models that are installed or can be fetched."""

    def __init__(self, installed: set[str]) -> None:
        self.installed = installed
        self.opened: list[str] = []
        self.during_loading: Callable[[], object] = lambda: None
        self.during_fetch: Callable[[], object] = lambda: None

    def __call__(self, name: str, plugins: Any) -> Any:
        assert plugins is None
        self.opened.append(name)
        self.during_loading()
        if name not in self.installed:
            raise ModelNotInstalledError(self.download(name))
        return known_separator()

    def download(self, name: str) -> ModelDownload:
        return ModelDownload(
            name=name, stems=("a", "b"), bandwidth=11_000.0, n_bytes=38_700_000, source="https://example.org",
            licence="MIT", fetch=self.fetch,
        )  # fmt: skip

    def fetch(
        self, *, on_progress: Callable[[FetchProgress], None] | None = None, cancel: Event | None = None
    ) -> ModelEntry:
        assert on_progress
        assert cancel
        on_progress(FetchProgress(step="download", n_done_bytes=10, n_total_bytes=40))
        self.during_fetch()
        if cancel.is_set():
            raise CancelledError
        self.installed.add("4stems")
        return ModelEntry(name="4stems", stems=("a",), sample_rate=44100, version="1")


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop({"2stems", "5stems"})
    monkeypatch.setattr(stemdock, "Separator", shop, raising=False)
    return shop


@pytest.fixture
def reporter(tmp_path: Path) -> Reporter:
    return Reporter(Job(tmp_path))


def test_a_model_is_loaded_once(shop: Shop, reporter: Reporter) -> None:
    models = Models()
    assert models.open("2stems", reporter) is models.open("2stems", reporter)
    assert shop.opened == ["2stems"]
    models.open("5stems", reporter)
    models.open("2stems", reporter)
    assert shop.opened == ["2stems", "5stems", "2stems"]


def test_a_missing_model_is_fetched_after_a_question_about_it(
    shop: Shop, reporter: Reporter, tmp_path: Path
) -> None:
    job = Job(tmp_path)
    models = Models()
    with ThreadPoolExecutor(1) as pool:
        opened = pool.submit(models.open, "4stems", reporter)
        while not ((latest := job.progress()) and latest.state == "asking"):
            assert not opened.done()
        assert latest.text == (
            "The model 4stems is not installed. Download it once, about 39 MB from https://example.org?"
        )
        assert "4stems" not in shop.installed
        job.allow_download()
    opened.result()
    assert "4stems" in shop.installed


def test_a_model_that_is_not_wanted_is_not_fetched(shop: Shop, reporter: Reporter, tmp_path: Path) -> None:
    shop.during_fetch = pytest.fail
    Job(tmp_path).cancel()
    with pytest.raises(CancelledError):
        Models().open("4stems", reporter)


def test_a_question_that_nobody_answers_ends(
    shop: Shop, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.during_fetch = pytest.fail
    monkeypatch.setattr("stemdock_hostkit.worker.reporter._ANSWER_TIME", 0.0)
    with pytest.raises(UnansweredError, match="nobody answered"):
        Models().open("4stems", reporter)


def test_progress_of_the_download_is_shown(shop: Shop, reporter: Reporter, tmp_path: Path) -> None:
    Job(tmp_path).allow_download()
    models = Models()
    progress = []
    shop.during_fetch = lambda: progress.append(reporter._job.progress())
    models.open("4stems", reporter)
    (shown,) = progress
    assert shown is not None
    assert (shown.state, shown.fraction) == ("fetching", 0.25)
    assert shown.text == "Downloading the model 4stems once: about 39 MB from https://example.org"


def test_fetching_can_be_cancelled(shop: Shop, reporter: Reporter, tmp_path: Path) -> None:
    Job(tmp_path).allow_download()
    shop.during_fetch = reporter.cancel.set
    with pytest.raises(CancelledError):
        Models().open("4stems", reporter)
    assert "4stems" not in shop.installed


def test_a_job_that_is_cancelled_while_its_model_is_loaded_does_not_wait(
    shop: Shop, reporter: Reporter, tmp_path: Path
) -> None:
    loaded = Event()
    shop.during_loading = loaded.wait
    models = Models()
    reporter.cancel.set()
    with pytest.raises(CancelledError):
        models.open("2stems", reporter)
    loaded.set()
    # The next job gets the model that was loaded meanwhile.
    models.open("2stems", Reporter(Job(tmp_path)))
    assert shop.opened == ["2stems"]


def test_a_server_that_has_fallen_silent_does_not_hold_a_cancelled_job(
    shop: Shop, reporter: Reporter, tmp_path: Path
) -> None:
    answered = Event()

    def silence() -> None:
        reporter.cancel.set()
        assert answered.wait(20), "the job waited for the server"

    shop.during_fetch = silence
    Job(tmp_path).allow_download()
    with pytest.raises(CancelledError):
        Models().open("4stems", reporter)
    answered.set()


def test_a_model_that_is_prepared_is_loaded_once(shop: Shop, reporter: Reporter) -> None:
    models = Models()
    models.prepare("5stems")
    models.prepare("5stems")
    models.open("5stems", reporter)
    assert shop.opened == ["5stems"]


def test_preparing_waits_for_nothing_and_the_job_tries_again(shop: Shop, reporter: Reporter) -> None:
    models = Models()
    models.prepare("4stems")
    shop.installed.add("4stems")
    models.open("4stems", reporter)
    assert shop.opened == ["4stems", "4stems"]
