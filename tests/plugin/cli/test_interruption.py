"""Ctrl-C, once and twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from support.child_signals import default_signals

if TYPE_CHECKING:
    from pathlib import Path

_HANGING: Final = """
import sys, time
from pathlib import Path
from stemdock.cli.main import main

def hang(path):
    print("reading", flush=True)
    while True:
        time.sleep(1)

import stemdock.batch.resuming
stemdock.batch.resuming.mixture_content = hang  # no thread of its own runs it, unlike the decoder
sys.argv = ["plugin-cli", "separate", sys.argv[1], "-o", sys.argv[2]]
main()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_reader_that_hangs_is_left_by_a_second_signal(song: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HANGING, str(song), f"{tmp_path}/out"]
    with default_signals():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"reading\n"
            process.send_signal(signal.SIGINT)
            # At once, it changes nothing.
            process.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(3.5)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        finally:
            process.kill()
