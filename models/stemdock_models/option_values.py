"""Check the values of the options of `models pull`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

from stemdock_models.catalogue import URL_VARIABLE

if TYPE_CHECKING:
    from stemdock_models.catalogue import Release

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_URL: Final = re.compile(r"https?://[^/\s]\S*", re.IGNORECASE)


def checked_sha256(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """The hash in lower case.

    Raises:
        click.BadParameter: It is not the SHA-256 hash of a file.
    """
    if value is None:
        return None
    sha256 = value.lower()
    if not _SHA256.fullmatch(sha256):
        raise click.BadParameter(
            f"{value!r} is not a SHA-256 hash: it needs 64 digits from 0 to 9 and a to f"
        )
    return sha256


def check_address(release: Release, base_url: str | None) -> None:
    """Check the address of a release.

    Args:
        release: The release.
        base_url: The value of the option, which takes precedence over the environment variable.

    Raises:
        click.UsageError: It is not an address of a web server.
    """
    if not _URL.fullmatch(release.url):
        origin = URL_VARIABLE if base_url is None else "--base-url"
        raise click.UsageError(
            f"{origin}: {release.url!r} is not an address that begins with http:// or https://"
        )
