"""Ask a web server for a file, and say in plain words why it has none."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_REDIRECTS: Final = 10


class InvalidAnswerError(Exception):
    """The server's answer cannot be used; a retry would not help."""


class _Session(requests.Session):
    """Does not follow redirects: requests first reads the whole body of a redirect, which may have no end."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002  of requests
        """None, whatever the answer is."""
        return None


@contextmanager
def answer(url: str, headers: Mapping[str, str], timeout: float) -> Iterator[requests.Response]:
    """The answer to a request, after redirects; its body has not been read.

    Args:
        url: The address.
        headers: Headers of the request.
        timeout: Seconds without a connection, or without a byte.

    Raises:
        InvalidAnswerError: An address is invalid, or the server redirects again and again.
        requests.RequestException: There is no answer.
    """
    with _Session() as session:
        for _ in range(_MAX_REDIRECTS):
            with _ask(session, url, headers, timeout) as response:
                if not response.is_redirect:
                    yield response
                    return
                url = _target(url, response.headers["Location"])
    raise InvalidAnswerError("the server redirects again and again")


def _ask(
    session: requests.Session, url: str, headers: Mapping[str, str], timeout: float
) -> requests.Response:
    try:
        return session.get(url, headers=headers, stream=True, timeout=(timeout, timeout))
    except requests.RequestException:
        raise
    except ValueError as error:
        # requests lets it pass for some invalid addresses.
        raise InvalidAnswerError(f"{url} is not a valid address ({error})") from error


def _target(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
    except ValueError as error:
        raise InvalidAnswerError(f"the server redirects to an invalid address ({error})") from error
    if not target.lower().startswith(("http://", "https://")):
        raise InvalidAnswerError(
            f"the server redirects to {target}, which is not the address of a web server"
        )
    return target


def reason_of(error: Exception) -> str:
    """Say in plain words what requests' nested exceptions mean."""
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be reached or refused the connection (see HTTPS_PROXY and NO_PROXY)"
    if isinstance(error, requests.exceptions.SSLError):
        return (
            "the server's certificate is not trusted (in a company's network, set REQUESTS_CA_BUNDLE to the "
            "file with its certificates)"
        )
    if isinstance(error, requests.exceptions.InvalidSchema) and "SOCKS" in str(error):
        return "the proxy is a SOCKS proxy, which needs the package PySocks (pip install PySocks)"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "the server does not answer"
    if isinstance(error, requests.ConnectionError):
        return "cannot connect to the server"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
