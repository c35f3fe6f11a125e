"""Ctrl-C, once and twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from support.child_signals import default_signals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HANGING: Final = """
import sys, time
from pathlib import Path
from stemdock.cli.main import main

def hang(*_):
    print("hanging", flush=True)
    while True:
        time.sleep(1)

import stemdock.audio.reading
import stemdock.audio.writing
if sys.argv[3] == "reading":
    stemdock.audio.reading.inspected = hang
else:
    stemdock.audio.writing.AudioWriter.write = hang
sys.argv = ["plugin-cli", "separate", sys.argv[1], "-o", sys.argv[2]]
main()
"""


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals"),
]


@pytest.fixture
def hanging(request: pytest.FixtureRequest, song: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command that hangs while it reads or writes."""
    command = [sys.executable, "-c", _HANGING, str(song), f"{tmp_path}/out", request.param]
    with default_signals():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"hanging\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("hanging", ["reading"], indirect=True)
def test_a_reader_that_hangs_is_left(hanging: subprocess.Popen[bytes]) -> None:
    hanging.send_signal(signal.SIGINT)
    assert hanging.wait(30) == 130


@pytest.mark.parametrize("hanging", ["writing"], indirect=True)
def test_a_disk_that_hangs_is_left_by_a_second_signal(hanging: subprocess.Popen[bytes]) -> None:
    hanging.send_signal(signal.SIGINT)
    # At once, it changes nothing.
    hanging.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        hanging.wait(3.5)
    hanging.send_signal(signal.SIGINT)
    assert hanging.wait(30) == 130
