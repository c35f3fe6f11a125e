"""Locks that two programs of ours, or two threads of one, never hold at once."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from stemdock_audacity.lock import try_lock

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys
from pathlib import Path
from stemdock_audacity.lock import try_lock
with try_lock(Path(sys.argv[1])) as is_ours:
    print(is_ours, flush=True)
    input()
"""


def test_a_lock_is_held_once(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "x.lock"
    with try_lock(path) as first, try_lock(path) as second:
        assert (first, second) == (True, False)
    with try_lock(path) as again:
        assert again


def test_a_killed_holder_loses_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline().strip() == b"True"
        with try_lock(path) as is_free:
            assert not is_free
        holder.kill()
        holder.wait()
        with try_lock(path) as is_free:
            assert is_free
