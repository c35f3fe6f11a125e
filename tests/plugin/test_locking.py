"""Locks between processes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from stemdock.errors import CancelledError
from stemdock.lib.locking import locked, locked_if_free

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLDER = """
import sys
from pathlib import Path
from stemdock.lib.locking import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its standard input ends."""
    command = [sys.executable, "-c", HOLDER, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_lock_is_held_by_one_process_at_a_time(path: Path, holder: subprocess.Popen[str]) -> None:
    n_waits = 0

    def on_wait() -> None:
        nonlocal n_waits
        n_waits += 1
        if n_waits == 3:
            assert holder.stdin is not None
            holder.stdin.close()

    with locked(path, on_wait=on_wait):
        assert n_waits >= 3
        with locked_if_free(path) as free:
            assert not free
    with locked_if_free(path) as free:
        assert free


def test_an_exception_ends_the_wait(path: Path, holder: subprocess.Popen[str]) -> None:
    def cancel() -> None:
        raise CancelledError

    with pytest.raises(CancelledError), locked(path, on_wait=cancel):
        pass
    assert holder.poll() is None


def test_a_killed_process_holds_no_lock(path: Path, holder: subprocess.Popen[str]) -> None:
    with locked_if_free(path) as free:
        assert not free
    holder.kill()
    holder.wait(60)
    with locked_if_free(path) as free:
        assert free
