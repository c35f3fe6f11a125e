"""Errors of the web page."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from stemdock import StemdockError
from stemdock_hostkit.worker.places import STATE_VARIABLE

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


class StateFolderError(StemdockError):
    """There is no private folder for the songs."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"there is no private folder for the songs ({reason})",
            remedy=f"Set {STATE_VARIABLE} to a folder of yours that others cannot change.",
        )


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


class NoSpaceError(RefusedError):
    """There is no space for a song or an export."""

    def __init__(self, reason: str, *, remedy: str) -> None:
        super().__init__(507, reason, remedy=remedy)


class DiskFullError(NoSpaceError):
    """The disk has too little space left."""

    def __init__(self) -> None:
        super().__init__(
            "the disk is almost full", remedy="Free some disk space, or remove songs that you have finished."
        )


class SpaceUsedError(NoSpaceError):
    """The pages have used the space that they may use."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the songs of all pages together may use {limit / 1e9:.3g} GB, and no space is left",
            remedy="Remove songs that you have finished, or start plugin-cli web with a larger --max-disk.",
        )


class TooManyError(RefusedError):
    """A page has too many songs, or there are too many pages."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(
            429, f"there are already {limit} {what}", remedy="Remove some of them, and try again."
        )


def unwritable(reason: str) -> NoSpaceError:
    """The system refuses to write a song."""
    return NoSpaceError(f"the song cannot be written ({reason})", remedy="Free some disk space.")


def without_paths(text: str, names: dict[Path, str]) -> str:
    """A message without the folders of this machine.

    Args:
        text: The message.
        names: What stands for each known path; the longest path is replaced first. Of other paths, the last
            part stays.
    """
    for path, name in sorted(names.items(), key=lambda item: -len(str(item[0]))):
        text = text.replace(str(path), name)
    # Its name can have spaces, which end a path elsewhere.
    with suppress(RuntimeError):
        home = Path.home()
        if home != Path(home.anchor):
            text = text.replace(f"{home}{os.sep}", home.anchor)
    return _FOLDERS.sub("", text)
