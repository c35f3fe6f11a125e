"""What the errors of stores mean.

Errors of the backends can contain addresses with secrets, so none of their texts is used.
"""

from __future__ import annotations

from typing import Final

_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of servers that may pass."""
_DENIED: Final = frozenset({401, 403})
_MISSING: Final = frozenset({404, 410})
_EXISTS: Final = 412
_RACED: Final = 409
"""S3 gives this to one of two uploads that meet; it says that the request is to be sent again."""


class StoreError(Exception):
    """A location cannot be used. The text says why, without the address."""

    def __init__(self, reason: str, *, remedy: str = "Check the address and your access to it.") -> None:
        super().__init__(reason)
        self.remedy = remedy


class MissingObjectError(StoreError):
    """There is no such object."""


class ExistingObjectError(StoreError):
    """There is an object already."""


class PassingError(StoreError):
    """The same request may succeed later."""


class RacedError(PassingError):
    """Another request for the same object came at the same time."""


def failure_of(error: Exception) -> StoreError:
    """What an error of a backend means, without its text."""
    status = _status(error)
    if isinstance(error, FileNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # the web's backend says so whatever happened
    return _answer(error, status) or _trouble(error, status)


def _answer(error: Exception, status: int | None) -> StoreError | None:
    """What a store says; None if it says nothing that is known here."""
    failure: StoreError | None = None
    if status in _MISSING or isinstance(error, FileNotFoundError):
        failure = MissingObjectError("no such file", remedy="Check the address.")
    elif status == _RACED:
        failure = RacedError("another upload of the same object was in the way", remedy="Try again.")
    elif status == _EXISTS or isinstance(error, FileExistsError):
        failure = ExistingObjectError("already exists")
    elif status in _DENIED or isinstance(error, PermissionError):
        failure = StoreError(
            "access is denied",
            remedy="Check your credentials and their rights. S3 also says this of missing objects if "
            "s3:ListBucket is not allowed.",
        )
    return failure


def _trouble(error: Exception, status: int | None) -> StoreError:
    """What happened on the way to a store."""
    kind = type(error).__name__
    failure: StoreError
    if "Credential" in kind:
        failure = StoreError(
            "no credentials were found", remedy="Set them up as for the provider's own tools."
        )
    elif status in _PASSING:
        failure = PassingError(f"the server answered {status}", remedy="Try again later.")
    elif isinstance(error, TimeoutError | ConnectionError) or "Timeout" in kind or "Connect" in kind:
        failure = PassingError(
            "the server does not answer", remedy="Check the address and the network, and try again."
        )
    elif any(word in kind for word in ("Payload", "IncompleteRead", "Disconnected")):
        failure = PassingError("the connection broke", remedy="Try again.")
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
