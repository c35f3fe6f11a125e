"""The files of the extension, filled in for this computer."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import stemdock
from stemdock_audacity.audacity4.libraries import shipped_libraries
from stemdock_audacity.audacity4.program import MODULE
from stemdock_audacity.errors import NoLibraryError
from stemdock_hostkit.install.plan import OwnFile
from stemdock_hostkit.job.request import PROTOCOL
from stemdock_hostkit.worker.starting import RUN_MODULE, background_python

if TYPE_CHECKING:
    from stemdock_audacity.audacity4.places import Audacity4

PREFIX: Final = "stemdock-"
_SOURCES: Final = Path(__file__).parent / "extension"
_DIGEST_LENGTH: Final = 8


def bundle_files(place: Audacity4, jobs: Path) -> list[OwnFile]:
    """The extension.

    Each content gets a folder of its own. Audacity keeps what it knows of an extension under the path of its
    manifest, and a library that is loaded cannot be replaced on Windows.

    Args:
        place: Where Audacity is.
        jobs: The folder for jobs, which the library creates.

    Raises:
        NoLibraryError: This Stemdock was built without its library.
    """
    libraries = shipped_libraries()
    if not libraries:
        raise NoLibraryError
    manifest = (_SOURCES / "manifest.json").read_text("utf-8").replace("@version@", stemdock.__version__)
    configuration = {
        "protocol": PROTOCOL,
        "program": [background_python(), *RUN_MODULE, MODULE],
        "jobs": str(jobs),
    }
    contents = {
        "manifest.json": manifest.encode("utf-8"),
        "effect.js": (_SOURCES / "effect.js").read_bytes(),
        "program.json": (json.dumps(configuration, indent=1) + "\n").encode("ascii"),
        **libraries,
    }
    folder = place.extensions / f"{PREFIX}{stemdock.__version__}-{_digest(contents)}"
    return [OwnFile(path=folder / name, content=content) for name, content in contents.items()]


def library_of(files: list[OwnFile]) -> Path | None:
    """The library for the processor of this Python; None if there is none."""
    name = "arm64" if _machine() in {"aarch64", "arm64"} else _machine()
    return next((file.path for file in files if file.path.parent.name == name), None)


def _machine() -> str:
    import platform  # noqa: PLC0415  slow to import

    machine = platform.machine().lower()
    return "x86_64" if machine in {"amd64", "x86_64"} and sys.maxsize > 1 << 32 else machine


def _digest(contents: dict[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name, content in sorted(contents.items()):
        whole.update(f"{name}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()[:_DIGEST_LENGTH]
