"""Download a file over HTTP, with time-outs and retries; an interrupted download is resumed."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import requests

from stemdock import CancelledError, StemdockError
from stemdock_models.downloaded import read_tag, write_tag
from stemdock_models.errors import DownloadError, store_errors
from stemdock_models.requesting import InvalidAnswerError, answer, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from threading import Event

_CHUNK_LENGTH: Final = 1 << 15
_MAX_BYTES: Final = 2 << 30
"""Upper limit for a file: three times the unpacked size of the largest released archive."""
_TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses after which a retry may succeed."""
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
"""A Content-Length."""
_PARTIAL: Final = 206
_OUT_OF_RANGE: Final = 416


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When an attempt to download has failed, and how often it is repeated."""

    timeout: float = 30
    """Seconds without a connection, or without a byte, after which an attempt fails."""
    n_attempts: int = 5
    """Attempts in a row that may fail without a new byte."""
    backoff: float = 1
    """Seconds before the second attempt, doubled before each further one."""


class _InterruptedError(Exception):
    """An attempt failed; a retry may succeed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """The download of one file."""

    model: str
    """The model that needs the file, for error messages."""
    url: str
    path: Path
    """Where the file is written. A file that exists there is taken as its first part."""
    retry: RetryPolicy
    on_bytes: Callable[[int, int | None], None]
    """Called with the number of bytes received, and with the total or None if it is not known."""
    on_size: Callable[[int, int], None]
    """Called before the first byte with the number of bytes to come, and with the total. May raise."""
    on_retry: Callable[[str], None]
    """Called with the reason for the next attempt and the time until it."""
    cancel: Event | None
    remedy: str
    """What to do if it fails."""

    def run(self) -> None:
        """Download the rest of the file. If that fails, the received part is kept.

        Raises:
            DownloadError: The server cannot be reached, does not have the file, or keeps failing.
            StoreError: The file cannot be written.
            CancelledError: `cancel` was set.
        """
        n_failures = 0
        while True:
            n_before = self._n_bytes()
            try:
                self._attempt()
            except (_InterruptedError, requests.ConnectionError, requests.Timeout) as error:
                reason = reason_of(error)
            except requests.exceptions.ChunkedEncodingError:
                reason = "the connection was cut"
            except (requests.RequestException, InvalidAnswerError) as error:
                raise self._error(reason_of(error)) from error
            except OSError as error:
                # requests raises a bare OSError for it.
                if isinstance(error, StemdockError) or "CA certificate" not in str(error):
                    raise
                raise self._error(f"{error} (see REQUESTS_CA_BUNDLE)") from error
            else:
                return
            n_failures = 1 if self._n_bytes() > n_before else n_failures + 1
            if n_failures >= self.retry.n_attempts:
                raise self._error(f"{reason} ({n_failures} attempts)")
            self._wait(reason, self.retry.backoff * 2 ** (n_failures - 1))

    def _attempt(self) -> None:
        n_bytes = self._n_bytes()
        headers = {"Accept-Encoding": "identity"}
        if n_bytes:
            headers["Range"] = f"bytes={n_bytes}-"
            if tag := read_tag(self.path, self.url):
                headers["If-Range"] = tag
        with answer(self.url, headers, self.retry.timeout) as response:
            if response.status_code == _OUT_OF_RANGE:
                # The part here is longer than the file there. A complete file would have the right hash and
                # would not be downloaded at all.
                self._restart()
                raise _InterruptedError("the file on the server has changed")
            if response.status_code in _TRANSIENT:
                raise _InterruptedError(f"the server is busy ({response.status_code} {response.reason})")
            if not response.ok:
                raise self._error(f"the server answered {response.status_code} {response.reason}")
            if response.status_code != _PARTIAL:
                n_bytes = 0
            elif not response.headers.get("Content-Range", "").startswith(f"bytes {n_bytes}-"):
                self._restart()
                raise _InterruptedError("the server sent a different part of the file than requested")
            self._receive(response, n_bytes)

    def _receive(self, response: requests.Response, n_bytes: int) -> None:
        length = response.headers.get("Content-Length", "")
        n_total = n_bytes + int(length) if _LENGTH.fullmatch(length) else None
        if n_total is not None:
            self._require_size(n_total)
            self.on_size(n_total - n_bytes, n_total)
        with store_errors(self.path):
            write_tag(self.path, self.url, response.headers.get("ETag", ""))
            file = self.path.open("ab" if n_bytes else "wb")
        with file:
            for chunk in response.iter_content(_CHUNK_LENGTH):
                if self.cancel is not None and self.cancel.is_set():
                    raise CancelledError
                with store_errors(self.path):
                    file.write(chunk)
                    file.flush()
                n_bytes += len(chunk)
                self._require_size(n_bytes)
                self.on_bytes(n_bytes, n_total)
        if n_total is not None and n_bytes < n_total:
            raise _InterruptedError("the connection was cut")

    def _n_bytes(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def _require_size(self, n_bytes: int) -> None:
        if n_bytes > _MAX_BYTES:
            self._restart()
            raise self._error(f"the file is larger than {_MAX_BYTES / 1e6:.0f} MB")

    def _restart(self) -> None:
        with store_errors(self.path):
            self.path.unlink(missing_ok=True)

    def _wait(self, reason: str, seconds: float) -> None:
        self.on_retry(f"{reason}; trying again in {seconds:g} s")
        if self.cancel is None:
            time.sleep(seconds)
        elif self.cancel.wait(seconds):
            raise CancelledError

    def _error(self, reason: str) -> DownloadError:
        return DownloadError(self.model, self.url, reason, remedy=self.remedy)
