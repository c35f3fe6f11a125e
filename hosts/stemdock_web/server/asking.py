"""Reading requests, which may contain anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stemdock import parse_json
from stemdock_web.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from stemdock_web.session import Session
    from stemdock_web.sessions import Sessions

_KNOWN: Final = "stemdock.known"
_MOST_DIGITS: Final = 15
_LONGEST_BODY: Final = 1 << 16
"""Bytes of a request that is not a song."""


def key_of(request: Request) -> str:
    """The key or the token in a request; empty if there is none."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key if scheme == "Bearer" else ""


def stranger() -> RefusedError:
    """The answer to a request without a valid key or token."""
    return RefusedError(
        401,
        "this page is not connected",
        remedy="Open the address that plugin-cli web printed in the terminal.",
    )


def recognise(request: Request) -> None:
    """Notes that a request is that of a page of ours: its connection is kept when there are too many."""
    request.scope[_KNOWN] = True


def is_known(scope: Mapping[str, Any] | None) -> bool:
    """Whether the latest request of a connection was that of a page of ours; it may have sent none."""
    return scope is not None and _KNOWN in scope


def session_of(request: Request, sessions: Sessions) -> Session:
    """The session of the page that sent a request.

    Raises:
        RefusedError: No page has its key.
    """
    session = sessions.find(key_of(request))
    if session is None:
        raise stranger()
    recognise(request)
    return session


def n_announced(request: Request) -> int:
    """Bytes that a request says it has; 0 if it does not say so."""
    announced = request.headers.get("content-length", "0")
    return int(announced) if announced.isdecimal() and len(announced) <= _MOST_DIGITS else 0


def span_of(request: Request, most: int) -> tuple[int, int]:
    """The span from `start` to `end` in an address.

    Raises:
        RefusedError: It is invalid, or longer than `most`.
    """
    start, end = (request.query_params.get(name, "") for name in ("start", "end"))
    is_number = all(
        text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS for text in (start, end)
    )
    if not (is_number and int(start) <= int(end) <= int(start) + most):
        raise RefusedError(400, "the span is invalid", remedy="Reload the page.")
    return int(start), int(end)


async def body_of(request: Request) -> Any:
    """The JSON value that a request contains.

    Raises:
        RefusedError: It is damaged or too long.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            raise RefusedError(413, "the request is too long", remedy="Reload the page.")
    try:
        return parse_json(body)
    except ValueError as error:
        raise RefusedError(400, "the request is damaged", remedy="Reload the page.") from error
