"""Programs of Windows under wine, with a Windows folder of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from threading import Timer
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from pathlib import Path

_QUIET: Final = {
    "LANG": "C.UTF-8",
    "WINEDEBUG": "-all",
    # Without them, wine does not ask to download .NET and a browser for a new folder.
    "WINEDLLOVERRIDES": "mscoree,mshtml=",
}
_PATIENCE: Final = 300
"""Seconds for a new folder, on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended."""

    status: int
    """Its exit status; negative if it was stopped because it took too long."""
    output: str
    """What it wrote to both streams, with line ends of this system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wine:
    """Wine, with a folder for its Windows."""

    prefix: Path
    """Made by wine when the first program starts."""
    program: str = field(default_factory=lambda: shutil.which("wine") or "")
    """Empty if there is no wine."""

    def run(
        self,
        command: Sequence[str | PathLike[str]],
        *,
        folder: Path,
        timeout: float,
        environment: Mapping[str, str] | None = None,
        show: bool = False,
    ) -> Ended:
        """Runs a program until it ends.

        Its streams are pipes: under wine 8, Python cannot write to other files.

        Args:
            command: A Windows program and its arguments; paths are those of this system, or of Windows.
            folder: Where it runs.
            timeout: Seconds after which it is stopped.
            environment: Variables besides this process's.
            show: Also print what it writes.
        """
        if not self.prefix.exists():
            self._run_own("wineboot", "--init")  # else it writes about it in between
        with subprocess.Popen(
            [self.program, *(os.fspath(word) for word in command)],
            cwd=folder,
            env={**self._variables(), **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            timer = Timer(timeout, self._stop, [process])
            timer.start()
            lines = []
            for line in process.stdout:
                lines.append(line)
                if show:
                    sys.stdout.write(line)
                    sys.stdout.flush()
            timer.cancel()
            return Ended(status=process.wait(), output="".join(lines))

    def path(self, path: Path) -> str:
        """How Windows names a file of this system."""
        return "Z:" + str(path.absolute()).replace("/", "\\")

    def _stop(self, process: subprocess.Popen[str]) -> None:
        """Ends everything in this folder: what a program has started, too."""
        self._run_own("wineboot", "--kill")
        process.kill()

    def _run_own(self, *words: str) -> None:
        self.prefix.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [self.program, *words],
            env=self._variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a pipe would stay open in the services that it starts
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=_PATIENCE,
        )

    def _variables(self) -> dict[str, str]:
        return {**os.environ, **_QUIET, "WINEPREFIX": str(self.prefix)}
