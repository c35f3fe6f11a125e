"""Errors of the web page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from stemdock import StemdockError

if TYPE_CHECKING:
    from pathlib import Path


_FOLDERS: Final = re.compile(
    r"""(?<![\w:/.])(/[^/\s'"]+)+/|(?<!\w)[A-Za-z]:(\\[^\\\s'"]+)*\\""",
)
"""The folders of an absolute path on any system, but no part of a web address."""


class WebMissingError(StemdockError):
    """The packages of the server are not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(
            f"the web page needs the package {package}", remedy="Run: pip install 'stemdock[web]'"
        )


class AddressError(StemdockError):
    """The server cannot listen at an address.

    Attributes:
        host: The address.
        port: The port.
    """

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"the page cannot be served at {host}, port {port} ({reason})",
            remedy="Choose another port with --port, or another address with --host.",
        )
        self.host = host
        self.port = port


class RuntimePackageError(StemdockError):
    """The package that runs networks in browsers is missing, another one, or damaged.

    Attributes:
        path: The package.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path}: {reason}", remedy="Run: npm pack onnxruntime-web, and pass its file with --runtime."
        )
        self.path = path


class RefusedError(StemdockError):
    """The server does not do what a page asks for.

    Attributes:
        status: The status of the answer, as in HTTP.
    """

    def __init__(self, status: int, reason: str, *, remedy: str) -> None:
        super().__init__(reason, remedy=remedy)
        self.status = status


class UnknownSongError(RefusedError):
    """The page names a song that it does not have."""

    def __init__(self) -> None:
        super().__init__(404, "this page has no such song", remedy="Reload the page.")


class TooLargeError(RefusedError):
    """An upload is larger than the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            413,
            f"the song is larger than {limit / 1e9:.3g} GB",
            remedy="Cut the song, or convert it to FLAC.",
        )


class DiskFullError(RefusedError):
    """The pages have used the space that they may use, or the disk has too little left."""

    def __init__(self) -> None:
        super().__init__(
            507,
            "there is no space left for songs",
            remedy="Remove songs that you have finished, in all open pages.",
        )


class TooManyError(RefusedError):
    """A page has too many songs, or there are too many pages."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(
            429, f"there are already {limit} {what}", remedy="Remove some of them, and try again."
        )


def without_paths(text: str, names: dict[Path, str]) -> str:
    """A message without the folders of this machine.

    Args:
        text: The message.
        names: What stands for each known path; the longest path is replaced first. Of other paths, the last
            part stays.
    """
    for path, name in sorted(names.items(), key=lambda item: -len(str(item[0]))):
        text = text.replace(str(path), name)
    return _FOLDERS.sub("", text)
