"""Secrets: who may open a page, and which page is which.

The address that the command prints ends in a token. It stands behind the `#`, which browsers do not send, so
no log and no other site gets it. The page exchanges it for a key of its own, which it keeps in the tab and
sends with every request. There are no cookies: other programs at this address would get them, too.
"""

from __future__ import annotations

import hmac
import secrets
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_ONCE_TIME: Final = 120.0
"""Seconds in which the browser that the command starts must use its token: other users of this machine can
see with which address it was started."""


def new_secret() -> str:
    """A secret of 256 random bits, in 43 characters that addresses may contain."""
    return secrets.token_urlsafe(32)


class Tokens:
    """The tokens that open a page."""

    def __init__(self) -> None:
        """Makes the token for the user."""
        self.token = new_secret()
        self.on_twice: Callable[[], object] = lambda: None
        """Called when a token that is valid once is used a second time: one of the two is somebody else."""
        self._once: dict[str, float] = {}
        self._opened: dict[str, tuple[str, float]] = {}

    def single(self) -> str:
        """A token that is valid once, and not for long."""
        token = new_secret()
        self._once[token] = time.monotonic() + _ONCE_TIME
        return token

    def note(self, token: str, key: str) -> None:
        """Notes which key a token was exchanged for."""
        if token != self.token:
            self._opened[token] = (key, time.monotonic() + _ONCE_TIME)

    def key_of_other(self, token: str) -> str | None:
        """The key that a single token was exchanged for before, if that was just now."""
        key, until = self._opened.pop(token, ("", 0.0))
        return key if until > time.monotonic() else None

    def accepts(self, token: str) -> bool:
        """Whether a token opens a page. A single one does not a second time."""
        if self._once.pop(token, 0.0) > time.monotonic():
            return True
        return hmac.compare_digest(token.encode(errors="replace"), self.token.encode())
