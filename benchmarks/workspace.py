"""Manages the benchmark's folders and environments, and runs commands in them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.errors import BenchmarkError, CommandFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout."""
WORK: Final = ROOT / ".tools" / "bench"
"""All files that the benchmark creates. You can delete the folder at any time."""
_REMOVED_VARIABLES: Final = frozenset(
    {"PYTHONPATH", "OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}
)
"""Variables that would make programs import the checkout or change their use of threads."""
_LOG_LENGTH: Final = 2000
"""Characters of a failed command's messages that are shown."""


def run(command: Sequence[str | Path], variables: Mapping[str, str] | None = None) -> str:
    """Runs a command in the work folder, with more environment variables, and returns its standard output.

    Raises:
        CommandFailedError: The command ended with an error.
    """
    words = [str(word) for word in command]
    WORK.mkdir(parents=True, exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if name not in _REMOVED_VARIABLES}
    done = subprocess.run(
        words, cwd=WORK, env=inherited | dict(variables or {}), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CommandFailedError(words, done.returncode, (done.stdout + done.stderr)[-_LOG_LENGTH:])
    return done.stdout


def environment(name: str, requirements: Sequence[str], *, python: str = "") -> Path:
    """The folder of programs of a virtual environment with these packages, created if it is missing.

    Args:
        name: Name of its folder.
        requirements: Requirements for pip.
        python: Name of the interpreter on the PATH; if empty, the current one.

    Raises:
        BenchmarkError: The interpreter is not on the PATH.
        CommandFailedError: pip failed.
    """
    folder = WORK / "environments" / name
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    stamp = folder / ("installed-" + hashlib.sha256(repr((requirements, python)).encode()).hexdigest()[:16])
    if not stamp.exists():
        interpreter = shutil.which(python) if python else sys.executable
        if interpreter is None:
            raise BenchmarkError(f"{name} needs {python}, which is not on the PATH")
        print(f"installing {name}", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        run([interpreter, "-m", "venv", folder])
        run([programs / "python", "-m", "pip", "install", "--quiet", *requirements])
        stamp.touch()
    return programs


def available_memory() -> float:
    """Bytes that programs can use without swapping, estimated by Linux."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return 1024.0 * int(kilobytes)
