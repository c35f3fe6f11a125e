"""The model of the worker, which stays loaded between jobs."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final, TypeVar, cast

from stemdock import CancelledError, ModelNotInstalledError

if TYPE_CHECKING:
    from stemdock import FetchProgress, ModelDownload, Plugins, Separator
    from stemdock_hostkit.worker.reporter import Reporter

T = TypeVar("T")

_CHECK_EVERY: Final = 0.1
"""Seconds between two checks for cancellation while a model is loaded or fetched."""
_MEGABYTE: Final = 1e6


class Models:
    """Loads models, fetches those that are missing, and keeps one, to save memory."""

    def __init__(self, plugins: Plugins | None = None) -> None:
        """Keeps no model yet.

        Args:
            plugins: Models and engines; all installed plug-ins if None.
        """
        self._plugins = plugins
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="loading")
        self._name = ""
        self._loaded: Future[Separator] | None = None

    def open(self, name: str, reporter: Reporter) -> Separator:
        """Gives a loaded model.

        Raises:
            ModelError: It is unavailable, damaged or contradicts itself.
            UnansweredError: It must be downloaded, and the user does not answer whether it may be.
            CancelledError: The job was cancelled meanwhile.
        """
        reporter.report("loading", 0.0, "Loading the model")
        try:
            return self._load(name, reporter)
        except ModelNotInstalledError as error:
            _fetch(cast("ModelDownload", error.download), reporter)
        reporter.report("loading", 0.0, "Loading the model")
        return self._load(name, reporter)

    def prepare(self, name: str) -> None:
        """Begins to load a model. If that fails, the job that needs it tries again, and says why."""
        self._begin(name)

    def forget(self) -> None:
        """Releases the model."""
        self._loaded = None

    def _load(self, name: str, reporter: Reporter) -> Separator:
        loaded = self._begin(name)
        try:
            # Loading cannot be stopped. It goes on after a cancellation, for the next job.
            return _outcome(loaded, reporter)
        except BaseException:
            if loaded.done():
                self.forget()
            raise

    def _begin(self, name: str) -> Future[Separator]:
        loaded = self._loaded
        if loaded is None or self._name != name or (loaded.done() and loaded.exception()):
            self.forget()
            self._name = name
            loaded = self._loaded = self._pool.submit(self._separator, name)
        return loaded

    def _separator(self, name: str) -> Separator:
        from stemdock import Separator  # noqa: PLC0415  slow, so it follows the first progress line

        return Separator(name, plugins=self._plugins)


def download_question(download: ModelDownload) -> str:
    """What the user is asked before a model is downloaded."""
    return f"The model {download.name} is not installed. Download it once, {_about(download)}?"


def _about(download: ModelDownload) -> str:
    return f"about {download.n_bytes / _MEGABYTE:.0f} MB from {download.source}"


def _fetch(download: ModelDownload, reporter: Reporter) -> None:
    """Downloads a model, with progress, if the user allows it.

    Raises:
        ModelError: It is unavailable.
        UnansweredError: The user does not answer.
        CancelledError: The job was cancelled meanwhile.
    """
    text = f"Downloading the model {download.name} once: {_about(download)}"

    def on_progress(progress: FetchProgress) -> None:
        total = progress.n_total_bytes
        reporter.report("fetching", min(1.0, progress.n_done_bytes / total) if total else 0.0, text)

    reporter.ask(download_question(download))
    reporter.report("fetching", 0.0, text)
    pool = ThreadPoolExecutor(1, thread_name_prefix="fetching")
    try:
        # A server that has fallen silent holds the thread until its time-out, but not the job.
        _outcome(pool.submit(download.fetch, on_progress=on_progress, cancel=reporter.cancel), reporter)
    finally:
        pool.shutdown(wait=False)


def _outcome(future: Future[T], reporter: Reporter) -> T:
    """Waits for the work of a thread, unless the job is cancelled."""
    while True:
        if wait([future], _CHECK_EVERY).done:
            return future.result()
        if reporter.cancel.is_set():
            raise CancelledError
