"""Packages of npm that tests use."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def packed(package: str, folder: Path) -> Path:
    """The archive of a package, as `npm pack` writes it; without it, the test is skipped.

    Args:
        package: Name and version.
        folder: A folder without archives.
    """
    npm = shutil.which("npm")
    if not npm:
        pytest.skip(f"npm, which gives {package}, is not installed")
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), package]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip(f"npm does not give {package}")
    (archive,) = folder.glob("*.tgz")
    return archive
