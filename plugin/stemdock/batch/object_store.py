"""Files at locations, reached with fsspec (`stemdock[remote]`): the only module that knows it.

Credentials are found by the backends, as the provider's own tools find them. Errors of the backends can
contain addresses with secrets, so none of their texts and none of the errors themselves leave this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

from stemdock.errors import CancelledError
from stemdock.files.staging import temporary_folder
from stemdock.lib.hashing import file_sha256
from stemdock.lib.locations import Location

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from threading import Event

_EXTRAS: Final = {"gs": "remote-gs"}
"""Extras by scheme; all others are in `remote`."""
_POLL: Final = 0.2
"""Seconds between two looks at `cancel`."""
_WEB: Final = frozenset({"http", "https"})
_WAITS: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds before another attempt on the web, after errors that may pass. The other backends try again
themselves."""
_CONNECT_TIMEOUT: Final = 20
_READ_TIMEOUT: Final = 60
"""Seconds without a byte, after which the other side counts as gone."""
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of servers that may pass."""
_DENIED: Final = frozenset({401, 403})
_MISSING: Final = frozenset({404, 410})
_CONFLICT: Final = frozenset({409, 412})
_VERSIONS: Final = ("ETag", "etag", "generation", "md5Hash", "Content-MD5", "Last-Modified", "created")
"""What the backends call the version of an object, best first."""


class StoreError(Exception):
    """A location cannot be used. The text says why, without the address."""

    def __init__(self, reason: str, *, remedy: str = "Check the address and your access to it.") -> None:
        super().__init__(reason)
        self.remedy = remedy


class MissingObjectError(StoreError):
    """There is no such object."""


class ExistingObjectError(StoreError):
    """There is an object already."""


class _PassingError(StoreError):
    """The same request may succeed later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectVersion:
    """What identifies the content of an object, as its store says."""

    size: int
    """Bytes."""
    etag: str
    """The ETag, or what the store has in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """What a store says about an object."""

    size: int | None
    """Bytes; None if unknown, as for some web servers."""
    etag: str
    """Empty if the store has none, nor anything in its place."""
    is_folder: bool

    @property
    def version(self) -> ObjectVersion | None:
        """None if the store does not say enough."""
        return None if self.size is None or not self.etag else ObjectVersion(size=self.size, etag=self.etag)


def info(location: Location, cancel: Event | None = None) -> ObjectInfo:
    """What the store says about an object or a folder.

    Raises:
        MissingObjectError: There is none.
        StoreError: The store does not answer.
        CancelledError: `cancel` was set.
    """
    found = _call(location, "info", _key(location), cancel=cancel)
    size = found.get("size")
    etag = next((str(found[name]) for name in _VERSIONS if found.get(name)), "")
    return ObjectInfo(
        size=size if isinstance(size, int) else None,
        etag=etag.strip('"'),
        is_folder=found.get("type") == "directory",
    )


def exists(location: Location, cancel: Event | None = None) -> bool:
    """Whether there is an object.

    Raises:
        StoreError: The store does not answer.
        CancelledError: `cancel` was set.
    """
    try:
        return not info(location, cancel).is_folder
    except MissingObjectError:
        return False


def find(location: Location) -> Iterator[Location]:
    """All objects below a folder, or those that match a pattern, in the order of their names.

    Raises:
        StoreError: The store does not answer.
    """
    key = _key(location)
    names = _call(location, "glob" if "*" in key else "find", key)
    for name in sorted(names):
        yield Location(f"{location.scheme}://{name.lstrip('/')}")


def fetch(location: Location, path: Path, *, max_size: int, cancel: Event | None = None) -> None:
    """Downloads an object to a new file.

    Args:
        location: The object.
        path: The file.
        max_size: Bytes that the file may get.
        cancel: Set it to stop.

    Raises:
        StoreError: The object cannot be read, or is larger.
        CancelledError: `cancel` was set.
        OSError: The file cannot be written.
    """
    guard = _callback(max_size)
    with path.open("wb"):  # an error of this machine's disk is no error of the store
        pass
    _call(location, "get_file", _key(location), str(path), callback=guard, cancel=cancel)


def create(location: Location, path: Path, *, may_replace: bool = False, cancel: Event | None = None) -> bool:
    """Uploads a file.

    Args:
        location: The object.
        path: The file.
        may_replace: Whether an existing object is replaced.
        cancel: Set it to stop.

    Returns:
        False if there is an object with these bytes already.

    Raises:
        ExistingObjectError: There is another object, which is not to be replaced.
        StoreError: The object cannot be written.
        CancelledError: `cancel` was set.
    """
    mode = "overwrite" if may_replace else "create"
    try:
        if location.scheme == "memory":  # its put_file cannot refuse
            _call(location, "pipe_file", _key(location), path.read_bytes(), mode=mode)
        else:
            _call(location, "put_file", str(path), _key(location), mode=mode, cancel=cancel)
    except ExistingObjectError:
        # Also after an attempt that succeeded while its answer was lost.
        if info(location, cancel).size != path.stat().st_size or sha256_of(location, cancel) != file_sha256(
            path
        ):
            raise
        return False
    return True


def sha256_of(location: Location, cancel: Event | None = None) -> str:
    """The hash of an object, which is downloaded for it.

    Raises:
        StoreError: It cannot be read.
        CancelledError: `cancel` was set.
    """
    with temporary_folder() as folder:
        fetch(location, folder / "object", max_size=info(location, cancel).size or 0, cancel=cancel)
        return file_sha256(folder / "object")


def read(location: Location, *, max_size: int, cancel: Event | None = None) -> bytes:
    """A small object.

    Raises:
        MissingObjectError: There is none.
        StoreError: It cannot be read, or is larger.
        CancelledError: `cancel` was set.
    """
    if location.scheme == "memory":
        info(location, cancel)  # its cat_file raises a KeyError
    content: bytes = _call(location, "cat_file", _key(location), end=max_size + 1, cancel=cancel)
    if len(content) > max_size:
        raise StoreError(f"is larger than {max_size} bytes")
    return content


def write(location: Location, content: bytes, cancel: Event | None = None, *, only_new: bool = False) -> None:
    """Writes a small object, completely or not at all, in place of one that is there unless `only_new`.

    Raises:
        ExistingObjectError: There is one, and `only_new` was given.
        StoreError: It cannot be written.
        CancelledError: `cancel` was set.
    """
    mode = "create" if only_new else "overwrite"
    _call(location, "pipe_file", _key(location), content, mode=mode, cancel=cancel)


def remove(location: Location) -> None:
    """Removes an object.

    Raises:
        StoreError: It cannot be removed.
    """
    _call(location, "rm_file", _key(location))


def _key(location: Location) -> str:
    return location.address


def _call(
    location: Location, method: str, *arguments: Any, cancel: Event | None = None, **options: Any
) -> Any:
    """Calls a method of a backend, several times if errors may pass."""
    files = _file_system(location.scheme)
    for wait in (*(_WAITS if location.scheme in _WEB else ()), None):
        try:
            return _attempt(files, method, arguments, options, cancel)
        except _PassingError:
            if wait is None:
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
        failure = _failure(error)
    # Outside the block, so that the error of the backend is not its context.
    raise failure


def _awaited(call: Callable[[], Any], loop: AbstractEventLoop, cancel: Event | None) -> Any:
    from asyncio import run_coroutine_threadsafe  # noqa: PLC0415  slow, and not needed on this machine

    future = run_coroutine_threadsafe(call(), loop)
    while True:
        try:
            return future.result(timeout=_POLL)
        except TimeoutError:
            if future.done():
                raise
            if cancel is not None and cancel.is_set():
                future.cancel()
                raise CancelledError from None


def _check(cancel: Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise CancelledError


def _pause(seconds: float, cancel: Event | None) -> None:
    end = monotonic() + seconds
    while monotonic() < end:
        _check(cancel)
        sleep(min(_POLL, seconds))


def _failure(error: Exception) -> StoreError:
    """What an error of a backend means, without its text."""
    status = _status(error)
    if isinstance(error, FileNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # the web's backend says so whatever happened
    kind = type(error).__name__
    failure: StoreError
    if status in _MISSING or isinstance(error, FileNotFoundError):
        failure = MissingObjectError("no such file", remedy="Check the address.")
    elif status in _CONFLICT or isinstance(error, FileExistsError):
        failure = ExistingObjectError("already exists")
    elif status in _DENIED or isinstance(error, PermissionError):
        failure = StoreError("access is denied", remedy="Check your credentials and their rights.")
    elif "Credential" in kind:
        failure = StoreError(
            "no credentials were found", remedy="Set them up as for the provider's own tools."
        )
    elif status in _PASSING:
        failure = _PassingError(f"the server answered {status}", remedy="Try again later.")
    elif isinstance(error, TimeoutError | ConnectionError) or "Timeout" in kind or "Connect" in kind:
        failure = _PassingError(
            "the server does not answer", remedy="Check the address and the network, and try again."
        )
    elif any(word in kind for word in ("Payload", "IncompleteRead", "Disconnected")):
        failure = _PassingError("the connection broke", remedy="Try again.")
    elif isinstance(error, OSError) and error.errno and not status:
        failure = StoreError(error.strerror or kind, remedy="Free some disk space, or set TMPDIR.")
    else:
        reason = f"the server answered {status}" if status else f"the request failed ({kind})"
        failure = StoreError(reason)
    return failure


def _status(error: BaseException) -> int | None:
    """The answer of a server, in this error or in those that caused it."""
    each: BaseException | None = error
    while each is not None:
        response = getattr(each, "response", None)
        if isinstance(response, dict):  # of botocore
            return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) or None
        for name in ("status", "code"):
            status = getattr(each, name, None)
            if isinstance(status, int):
                return status
        each = each.__cause__ or each.__context__
    return None


def _callback(max_size: int) -> Any:
    """What stops a download that gets too large."""
    from fsspec.callbacks import Callback  # noqa: PLC0415  an extra

    class Guard(Callback):  # type: ignore[misc]
        def call(self, *_: Any, **__: Any) -> None:
            if self.value > max_size:
                raise StoreError("is larger than its size says, or than the disk has room for")

    return Guard()


@lru_cache
def _file_system(scheme: str) -> Any:
    """The backend of a scheme, for all threads."""
    try:
        import fsspec  # noqa: PLC0415  an extra

        return fsspec.filesystem(
            scheme, use_listings_cache=False, skip_instance_cache=True, **_options(scheme)
        )
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
    if scheme in _WEB:
        from aiohttp import ClientTimeout  # noqa: PLC0415  an extra

        # Its default ends every download after five minutes.
        timeout = ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT, sock_read=_READ_TIMEOUT)
        return {"client_kwargs": {"timeout": timeout}}
    return {}
