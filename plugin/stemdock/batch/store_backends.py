"""Calls of fsspec's backends (`stemdock[remote]`): the only module that knows fsspec.

Credentials are found by the backends, as the provider's own tools find them. Their errors do not leave this
module.
"""

from __future__ import annotations

import os
from functools import lru_cache, partial
from threading import Event
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

from stemdock.batch.s3_uploads import taking_back
from stemdock.batch.store_errors import PassingError, RacedError, StoreError, failure_of
from stemdock.errors import CancelledError
from stemdock.lib.locations import WEB

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from stemdock.lib.locations import Location

_EXTRAS: Final = {"gs": "remote-gs"}
"""Extras by scheme; all others are in `remote`."""
_PATIENCE: Final = 10.0
"""Seconds for a request to end after it was cancelled."""
_POLL: Final = 0.2
"""Seconds between two looks at `cancel`."""
_WAITS: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds before another attempt, after errors that may pass."""
_CONNECT_TIMEOUT: Final = 20
_READ_TIMEOUT: Final = 60
"""Seconds without a byte, after which the other side counts as gone."""


def call(
    location: Location, method: str, *arguments: Any, cancel: Event | None = None, **options: Any
) -> Any:
    """Calls a method of a location's backend, several times if errors may pass.

    Args:
        location: Says which backend.
        method: Its name.
        arguments: Its arguments.
        cancel: Set it to stop.
        options: Its named arguments.

    Raises:
        StoreError: The call failed.
        CancelledError: `cancel` was set.
    """
    files = _file_system(location.scheme, os.getpid())
    for wait in (*_WAITS, None):
        try:
            return _attempt(files, method, arguments, options, cancel)
        except PassingError as error:
            # The other backends try again themselves, but after a race.
            if wait is None or not (location.scheme in WEB or isinstance(error, RacedError)):
                raise
            _pause(wait, cancel)
    raise AssertionError


def _attempt(files: Any, method: str, arguments: Any, options: Any, cancel: Event | None) -> Any:
    _check(cancel)
    failure: StoreError | None
    try:
        if not files.async_impl:
            return getattr(files, method)(*arguments, **options)
        call = partial(getattr(files, f"_{method}"), *arguments, **options)
        return _awaited(call, files.loop, cancel)
    except (CancelledError, StoreError):
        raise
    except Exception as error:  # noqa: BLE001  backends raise what they like
        failure = failure_of(error)
    # Outside the block, so that the error of the backend is not its context.
    raise failure


def _awaited(call: Callable[[], Any], loop: AbstractEventLoop, cancel: Event | None) -> Any:
    from asyncio import run_coroutine_threadsafe  # noqa: PLC0415  slow, and not needed on this machine

    ended = Event()

    async def called() -> Any:
        try:
            return await call()
        finally:
            ended.set()

    future = run_coroutine_threadsafe(called(), loop)
    while True:
        try:
            return future.result(timeout=_POLL)
        except TimeoutError:
            if future.done():
                raise
            if cancel is not None and cancel.is_set():
                future.cancel()
                ended.wait(_PATIENCE)  # an upload in parts is taken back
                raise CancelledError from None


def _check(cancel: Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise CancelledError


def _pause(seconds: float, cancel: Event | None) -> None:
    end = monotonic() + seconds
    while monotonic() < end:
        _check(cancel)
        sleep(min(_POLL, seconds))


def guard(max_size: int) -> Any:
    """What stops a download that gets too large."""
    from fsspec.callbacks import Callback  # noqa: PLC0415  an extra

    class Guard(Callback):  # type: ignore[misc]
        def call(self, *_: Any, **__: Any) -> None:
            if self.value > max_size:
                raise StoreError("is larger than its size says, or than the disk has room for")

    return Guard()


@lru_cache
def _file_system(scheme: str, process: int) -> Any:  # noqa: ARG001  a backend does not survive a fork
    """The backend of a scheme, for all threads of a process."""
    try:
        import fsspec  # noqa: PLC0415  an extra

        kind = fsspec.get_filesystem_class(scheme)
        if scheme == "s3":
            kind = taking_back(kind)
        return kind(use_listings_cache=False, skip_instance_cache=True, **_options(scheme))
    except ImportError:
        extra = _EXTRAS.get(scheme, "remote")
        raise StoreError(
            f"{scheme}:// needs further packages", remedy=f"Install them: pip install 'stemdock[{extra}]'."
        ) from None


def forget_file_systems() -> None:
    """Makes new backends, which look for credentials and servers again."""
    _file_system.cache_clear()


def _options(scheme: str) -> dict[str, Any]:
    if scheme == "s3":
        return {"config_kwargs": {"connect_timeout": _CONNECT_TIMEOUT, "read_timeout": _READ_TIMEOUT}}
    if scheme in WEB:
        from aiohttp import ClientTimeout  # noqa: PLC0415  an extra

        # Its default ends every download after five minutes.
        timeout = ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT, sock_read=_READ_TIMEOUT)
        return {"client_kwargs": {"timeout": timeout}}
    return {}
