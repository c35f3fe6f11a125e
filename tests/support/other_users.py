"""Two users of one machine: programs that run as either of them, in folders that both can reach.

Python may be installed where only root can read. So the programs keep root's power to read, and only that:
what they may write depends on their user.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

VICTIM: Final = 64_531
ATTACKER: Final = 64_532
"""Ids that no user and no file has."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the two users share."""

    folder: Path
    """Both can enter it."""
    home: Path
    """The victim's home, which only the victim can enter."""
    temporary: Path
    """As /tmp: anyone can write into it."""

    def run(
        self, user: int, *command: str | Path, timeout: float = 60, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a program."""
        return subprocess.run(
            [*_as_user(user), *command], env=self.environment(**environment), cwd="/", capture_output=True,
            text=True, check=False, timeout=timeout,
        )  # fmt: skip

    def cli(
        self, *arguments: str | Path, timeout: float = 60, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs plugin-cli as the victim."""
        return self.run(VICTIM, sys.executable, "-m", "stemdock", *arguments, timeout=timeout, **environment)

    def attack(self, script: str) -> None:
        """Runs a shell script as the attacker, whose files everyone may read and write."""
        done = self.try_attack(f"umask 0; {script}")
        assert done.returncode == 0, done.stderr

    def try_attack(self, script: str) -> subprocess.CompletedProcess[str]:
        """Runs a shell script as the attacker, without the power to read."""
        return subprocess.run(
            [*_as_user(ATTACKER, can_read=False), "sh", "-c", script], env=self.environment(), cwd="/",
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    @contextmanager
    def attacking(self, program: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
        """A Python program of the attacker, which has printed its first line."""
        with subprocess.Popen(
            [*_as_user(ATTACKER), sys.executable, "-c", program, *arguments], env=self.environment(), cwd="/",
            stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            try:
                assert process.stdout is not None
                assert process.stdout.readline()
                yield process
            finally:
                process.kill()

    def environment(self, **changes: str) -> dict[str, str]:
        """The environment of both; both use `temporary`."""
        path = os.environ.get("PYTHONPATH")
        return {
            "HOME": str(self.home),
            "USER": "victim",
            "LOGNAME": "victim",
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "TMPDIR": str(self.temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
            **({"PYTHONPATH": path} if path else {}),
            **changes,
        }

    def give(self, path: Path, user: int, mode: int = 0o700) -> Path:
        """Makes a folder of a user."""
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        os.chown(path, user, user)
        return path

    def written_by_others(self, folder: Path) -> list[Path]:
        """Everything below a folder that others than its owner may write to."""
        return [path for path in folder.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o022]


@contextmanager
def two_users(home: str = "victim") -> Iterator[Machine]:
    """A machine with two users.

    Args:
        home: Name of the victim's home.
    """
    _require_users()
    folder = Path(tempfile.mkdtemp(prefix="stemdock-users-", dir="/var/tmp"))
    try:
        folder.chmod(0o755)
        machine = Machine(folder=folder, home=folder / home, temporary=folder / "tmp")
        machine.give(machine.home, VICTIM)
        machine.temporary.mkdir()
        machine.temporary.chmod(0o1777)
        yield machine
    finally:
        shutil.rmtree(folder)


def _as_user(user: int, *, can_read: bool = True) -> tuple[str, ...]:
    """What to put before a command."""
    powers = "-all,+dac_read_search" if can_read else "-all"
    return (
        "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", f"--inh-caps={powers}",
        f"--ambient-caps={powers}", f"--bounding-set={powers}",
    )  # fmt: skip


@cache
def _require_users() -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root of a Linux system can run programs as two other users")
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not installed")
    program = [*_as_user(VICTIM), sys.executable, "-c", "import stemdock.cli"]
    if subprocess.run(program, cwd="/", capture_output=True, check=False).returncode:
        pytest.skip("setpriv cannot change the user here")
