"""Runs tests against a copy of the project with one fault in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
_COPIED = (
    "plugin",
    "export",
    "hosts",
    "models",
    "tests",
    "docs",
    "distribution",
    "pyproject.toml",
    "README.md",
)
_PATIENCE = 4
"""A run that takes this many times as long as without a fault counts as noticed: something waits for ever."""


class Copy:
    """A copy of the project in which modules can be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.time_limit = 600.0
        ignored = shutil.ignore_patterns("__pycache__", ".venv", "fuzz-findings")
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=ignored, symlinks=True)
            else:
                shutil.copy2(source, folder / name)

    def measure(self, tests: Sequence[str]) -> None:
        """Runs the tests without a fault, which sets the time limit.

        Raises:
            RuntimeError: They fail.
        """
        began = time.monotonic()
        if not self.passes(tests):
            raise RuntimeError(f"these tests fail without a fault: {' '.join(tests)}")
        self.time_limit = _PATIENCE * (time.monotonic() - began) + 10

    def notices(self, module: str, source: str, tests: Sequence[str]) -> bool:
        """Whether the tests fail with this source of a module."""
        path = self.folder / module
        original = path.read_text(encoding="utf-8")
        path.write_text(source, encoding="utf-8")
        try:
            return not self.passes(tests)
        finally:
            path.write_text(original, encoding="utf-8")

    def passes(self, tests: Sequence[str]) -> bool:
        """Whether the tests pass within the time limit."""
        paths = [str(self.folder / name) for name in ("plugin", "export", "hosts", "models", "tests")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
        options = [
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            "--no-header",
            "--basetemp",
            str(self.folder / "tmp"),
        ]
        with subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                return process.wait(self.time_limit) == 0
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                return False
