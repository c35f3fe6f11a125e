"""Downloads over HTTP that survive bad lines: time-outs, retries, and resuming where a file broke off."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import requests

from stemdock import CancelledError, parse_json
from stemdock_models.errors import DownloadError, store_errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from threading import Event

_CHUNK_LENGTH: Final = 1 << 15
_MAX_BYTES: Final = 2 << 30
"""Three times what the largest released archive unpacks to: a server that sends more fills the disk."""
_TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses after which it is worth asking again."""
_PARTIAL: Final = 206
_OUT_OF_RANGE: Final = 416


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How patient a download is."""

    timeout: float = 30
    """Seconds for connecting, and seconds without a byte after which a server counts as stalled."""
    n_attempts: int = 5
    """Attempts in a row that may bring nothing new."""
    backoff: float = 1
    """Seconds before the second attempt, twice as many before each further one."""


class _BrokenOffError(Exception):
    """An attempt ended early; another one may help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One file on its way."""

    model: str
    """What it is for, in error messages."""
    url: str
    path: Path
    """Where it goes; what is there is taken for its beginning."""
    line: Line
    on_bytes: Callable[[int, int | None], None]
    """Told how many bytes there are, and of how many if that is known."""
    on_size: Callable[[int, int], None]
    """Told before the first byte how many are to come, and how many it will then be."""
    on_retry: Callable[[str], None]
    """Told why and when the next attempt is made."""
    cancel: Event | None
    remedy: str
    """What to do if it fails."""

    def run(self) -> None:
        """Brings the file to its full length; what has come stays if it cannot.

        Raises:
            DownloadError: The server cannot be reached, has no such file, or stalls time and again.
            StoreError: The file cannot be written.
            CancelledError: `cancel` was set.
        """
        n_failures = 0
        while True:
            n_before = self._n_bytes()
            try:
                self._attempt()
            except (_BrokenOffError, requests.ConnectionError, requests.Timeout) as error:
                reason = _reason(error)
            except requests.exceptions.ChunkedEncodingError:
                reason = "the connection was cut"
            except requests.RequestException as error:
                raise self._error(_reason(error)) from error
            else:
                return
            n_failures = 1 if self._n_bytes() > n_before else n_failures + 1
            if n_failures >= self.line.n_attempts:
                raise self._error(f"{reason}, {n_failures} times in a row")
            self._wait(reason, self.line.backoff * 2 ** (n_failures - 1))

    def _attempt(self) -> None:
        n_bytes = self._n_bytes()
        headers = {"Accept-Encoding": "identity"}
        if n_bytes:
            headers["Range"] = f"bytes={n_bytes}-"
            if tag := self._tag():
                headers["If-Range"] = tag
        with requests.get(
            self.url, headers=headers, stream=True, timeout=(self.line.timeout, self.line.timeout)
        ) as response:
            if response.status_code == _OUT_OF_RANGE:
                # There is more here than there; if it is all of it, the hash would have told before.
                self._restart()
                raise _BrokenOffError("the file has changed")
            if response.status_code in _TRANSIENT:
                raise _BrokenOffError(f"the server is busy ({response.status_code} {response.reason})")
            if not response.ok:
                raise self._error(f"the server answers {response.status_code} {response.reason}")
            if response.status_code != _PARTIAL:
                n_bytes = 0
            elif not response.headers.get("Content-Range", "").startswith(f"bytes {n_bytes}-"):
                self._restart()
                raise _BrokenOffError("the server sent another part than was asked for")
            self._receive(response, n_bytes)

    def _receive(self, response: requests.Response, n_bytes: int) -> None:
        length = response.headers.get("Content-Length", "")
        n_total = n_bytes + int(length) if length.isdecimal() else None
        if n_total is not None:
            self.on_size(n_total - n_bytes, n_total)
        with store_errors(self.path):
            tag_path(self.path).write_text(
                json.dumps({"url": self.url, "tag": response.headers.get("ETag", "")}), "utf-8"
            )
            file = self.path.open("ab" if n_bytes else "wb")
        with file:
            for chunk in response.iter_content(_CHUNK_LENGTH):
                if self.cancel is not None and self.cancel.is_set():
                    raise CancelledError
                with store_errors(self.path):
                    file.write(chunk)
                    file.flush()
                n_bytes += len(chunk)
                if n_bytes > _MAX_BYTES:
                    self._restart()
                    raise self._error(f"the file has more than {_MAX_BYTES / 1e6:.0f} MB")
                self.on_bytes(n_bytes, n_total)
        if n_total is not None and n_bytes < n_total:
            raise _BrokenOffError("the connection was cut")

    def _n_bytes(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def _tag(self) -> str:
        """The entity tag of the file that was begun, if it was begun from the same address."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            begun = parse_json(tag_path(self.path).read_text("utf-8"))
            # A weak tag promises no equal bytes.
            if begun["url"] == self.url and not begun["tag"].startswith("W/"):
                return str(begun["tag"])
        return ""

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


def tag_path(path: Path) -> Path:
    """Where a download remembers which version of the file it has begun."""
    return path.with_name(f"{path.name}.json")


def _reason(error: Exception) -> str:
    """A sentence out of nested exceptions that name sockets and pools."""
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be reached or refuses (see HTTPS_PROXY and NO_PROXY)"
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate cannot be trusted"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "the server does not answer"
    if isinstance(error, requests.ConnectionError):
        return "no connection to the server"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
