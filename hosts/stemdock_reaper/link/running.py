"""The running REAPER: whether there is one, and what it can be asked."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from stemdock_hostkit import finding

if TYPE_CHECKING:
    from pathlib import Path


def running_programs() -> list[Path]:
    """The program file of each running REAPER; only its name where the system does not show more."""
    return list(finding.running_programs("reaper").values())


def run_script(program: Path, script: Path) -> bool:
    """Has the running REAPER run a script.

    Returns:
        Whether it answered.
    """
    try:
        subprocess.run(  # noqa: S603  REAPER itself, with our script
            [program, "-nonewinst", script], check=True, stdin=subprocess.DEVNULL, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True
