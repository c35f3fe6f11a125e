"""Places of files that are not on this machine: addresses such as `s3://bucket/song.mp3`.

A location knows nothing about how its file is reached; `stemdock.batch.object_store` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, TypeAlias

WEB: Final = frozenset({"http", "https"})
"""Servers: addresses can have queries, and folders cannot be listed."""
INPUT_SCHEMES: Final = ("s3", "gs", "https", "http", "memory")
"""Where songs can be read from."""
OUTPUT_SCHEMES: Final = ("s3", "gs", "memory")
"""Where stems can be written to."""

_ADDRESS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
_PARAMETERS: Final = re.compile(
    r"\?(versionId|Expires|Signature|AWSAccessKeyId|GoogleAccessId|X-(Amz|Goog)-[\w-]+)=.*",
    re.DOTALL | re.IGNORECASE,
)
"""A query of a store. The names of objects can contain question marks, too."""
_USER: Final = re.compile(
    r"\A(?!\[[0-9a-f:.]*\](:\d{1,5})?(/|\Z))(?=[^/]*@|[^/@:]*:(?!\d{1,5}(/|\Z))[^@]*@)(.*@(?=[^@]*/)|.*?@)",
    re.DOTALL | re.IGNORECASE,
)
"""A user and a password, which can contain slashes, @, ? and # that should have been escaped. Up to the last
@ that a path can follow: rather too much is hidden than too little. Brackets have the colons of IPv6."""


@dataclass(frozen=True, slots=True)
class Location:
    """The address of a file or folder. Its text never has a user, a password or a query."""

    address: str = field(repr=False)
    """In full, to open the file. It may contain secrets: never print, log or store it."""

    def __str__(self) -> str:
        scheme, rest = _parts(self.address)
        rest = _USER.sub("", rest)
        rest = rest.partition("#")[0].partition("?")[0] if scheme in WEB else _PARAMETERS.sub("", rest)
        return f"{scheme}://{rest}"

    @property
    def scheme(self) -> str:
        """Before `://`, in lower case."""
        return _parts(self.address)[0]

    @property
    def has_user(self) -> bool:
        """Whether the address contains a user, and perhaps a password."""
        return _USER.match(_parts(self.address)[1]) is not None

    @property
    def name(self) -> str:
        """The last part of its path; empty for a bucket, a server or a folder with a slash at its end."""
        text = str(self)
        return "" if text.endswith("/") or len(self.path.parts) <= len(("/", "bucket")) else self.path.name

    @property
    def path(self) -> PurePosixPath:
        """An absolute path that starts with the bucket or the server."""
        rest = str(self).partition("://")[2]
        if self.scheme in WEB:
            from urllib.parse import unquote  # noqa: PLC0415  this module is imported by every command

            rest = unquote(rest)
        return PurePosixPath("/", rest)

    @property
    def has_bucket(self) -> bool:
        """Whether the address names a bucket or a server."""
        return len(self.path.parts) > 1

    def __truediv__(self, path: str) -> Location:
        """A file below this folder, by a relative path with forward slashes."""
        return Location(f"{self.address.rstrip('/')}/{path}")


Place: TypeAlias = Path | Location
"""Where a file is: on this machine or elsewhere."""


def is_address(text: str) -> bool:
    """Whether a text is an address (`s3://…`, `file://…`) instead of a path."""
    return _ADDRESS.match(text) is not None


def place_of(text: str) -> Place:
    """The place that a path or an address means; `file://` addresses are paths.

    Raises:
        ValueError: It is a `file://` address of another machine.
    """
    if not is_address(text):
        return Path(text)
    scheme, rest = _parts(text)
    if scheme != "file":
        return Location(f"{scheme}://{rest}")
    host, slash, path = rest.partition("/")
    if host not in {"", "localhost"}:
        raise ValueError("this address names a file on another machine")
    from urllib.parse import urlsplit  # noqa: PLC0415
    from urllib.request import url2pathname  # noqa: PLC0415  takes as long as the rest of the command line

    return Path(url2pathname(urlsplit(f"file:///{path}").path if slash else ""))


def _parts(address: str) -> tuple[str, str]:
    match = _ADDRESS.match(address)
    if match is None:
        raise ValueError("this is not an address")
    return match[1].lower(), match[2]
