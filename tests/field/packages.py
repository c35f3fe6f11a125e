"""Source packages whose tests come with files of sound, from the index that pip is configured for."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from field.errors import FieldError

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE: Final = 600
"""Seconds for one download; pip also asks the package for its metadata, which can need a build tool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A source package."""

    name: str
    version: str
    sha256: str
    """Of its archive, hex."""


PACKAGES: Final = (
    Package(
        name="audioread",
        version="3.0.1",
        sha256="ac5460a5498c48bdf2e8e767402583a4dcd13f4414d286f42ce4379e8b35066d",
    ),
    Package(
        name="mediafile",
        version="0.13.0",
        sha256="de71063e1bffe9733d6ccad526ea7dac8a9ce760105827f81ab0cb034c729a6d",
    ),
    Package(
        name="mutagen",
        version="1.47.0",
        sha256="719fadef0a978c31b4cf3c956261b3c58b6948b32023078a2117b1de09f0fc99",
    ),
)


def fetched(package: Package, folder: Path) -> Path:
    """Downloads a package and unpacks it into a new folder, which is returned.

    Args:
        package: Its archive must have its SHA-256, else pip refuses it.
        folder: Where the new folder is made.

    Raises:
        FieldError: pip cannot download it, or it is another archive.
    """
    place = folder / package.name
    archives = place.with_name(f"{package.name}.archives")
    archives.mkdir(parents=True)
    wanted = archives / "requirements.txt"
    wanted.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-binary", ":all:", "--require-hashes", "--dest", str(archives), "-r", str(wanted)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_PATIENCE)
    if done.returncode:
        raise FieldError(f"{package.name} {package.version} cannot be downloaded:\n{done.stderr[-2000:]}")
    wanted.unlink()
    (archive,) = archives.iterdir()
    with tarfile.open(archive) as content:
        content.extractall(place, filter="data")
    return place
