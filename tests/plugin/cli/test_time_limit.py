"""A limit of processor time ends a run in order."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit"),
]

_LIMIT: Final = "import resource as r; r.setrlimit(r.RLIMIT_CPU, ({}, {}));"
_BUSY_READER: Final = """
import stemdock.audio.reading
from stemdock.cli.main import main

def work_for_ever(path):
    while True:
        pass

stemdock.audio.reading.inspected = work_for_ever
main()
"""
_BUSY_COMMAND: Final = """
import sys
from pathlib import Path
from stemdock.cli import main
from stemdock.files.staging import staging

def work_for_ever():
    with staging(Path(sys.argv[1])) as hidden:
        (hidden / "part").touch()
        while True:
            pass

main.run = work_for_ever
main.main()
"""


@pytest.mark.parametrize(("soft", "hard"), [(4, 4), (3, -1), (2, 60)])
@pytest.mark.parametrize("in_batch", [True, False])
def test_the_run_ends_before_the_system_kills_it(
    soft: int, hard: int, in_batch: bool, song: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    code = _LIMIT.format(soft, hard) + (_BUSY_READER if in_batch else _BUSY_COMMAND)
    arguments = ("separate", song, "-o", out) if in_batch else (out,)
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert run.returncode == 152, run.stderr
    assert run.stderr.endswith(
        "error: the limit of processor time is used up. Raise it (ulimit -t), or continue with --resume.\n"
    )
    assert "Traceback" not in run.stderr
    assert list(out.iterdir()) == []
