"""Processes, looked up among real ones."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psutil
import pytest

from stemdock import find_processes, is_running, processor_time
from stemdock.lib.processes import is_gone, process_space, start_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# Reads a line, then computes until the next one ends the program.
CODE = """
import threading
input()
threading.Thread(target=input).start()
while threading.active_count() > 1:
    pass
"""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program with a name of its own that waits for a line."""
    program = Path(sys.executable)
    if sys.platform != "win32":  # there, a link to Python does not find its libraries
        program = tmp_path / "Stemdock-Test"
        program.symlink_to(sys.executable)
    with subprocess.Popen([program, "-c", CODE], stdin=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="a program cannot be renamed by a link there")
def test_a_process_is_found_by_its_name(process: subprocess.Popen[bytes]) -> None:
    found = find_processes({"stemdock-test", "other"})
    assert found == {process.pid: Path(sys.executable).resolve()}
    assert find_processes({"stemdock"}) == {}
    process.kill()
    # The process has ended and stays in the system's table until it is collected.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_running(process.pid)
    assert find_processes({"stemdock-test"}) == {}


def test_a_process_is_gone_when_it_has_ended_or_another_has_its_number(
    process: subprocess.Popen[bytes],
) -> None:
    start = start_of(process.pid)
    assert start
    assert not is_gone(process.pid, start)
    assert not is_gone(os.getpid(), start_of(os.getpid()))
    assert is_gone(process.pid, "another start")
    # What is not known proves nothing.
    assert not is_gone(process.pid, "")
    process.kill()
    if sys.platform != "win32":
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(process.pid, start)
    process.wait()
    assert is_gone(process.pid, start)
    assert start_of(process.pid) == ""
    assert all(is_gone(pid, start) for pid in (-1, 0, 1 << 40, 1 << 62))


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can be another user")
def test_a_hidden_process_of_another_user_is_not_gone(
    process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden(pid: int) -> NoReturn:
        raise psutil.NoSuchProcess(pid)

    start = start_of(process.pid)
    monkeypatch.setattr(psutil, "Process", hidden)
    monkeypatch.setattr(psutil, "pid_exists", lambda _: False)
    os.seteuid(65_534)
    try:
        assert not is_gone(process.pid, start)
    finally:
        os.seteuid(0)


def test_processes_of_one_system_see_one_another() -> None:
    code = "from stemdock.lib.processes import process_space; print(process_space())"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == process_space() != ""


@pytest.mark.timeout(60)
def test_processor_time_grows_while_a_process_computes(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    # The system counts in steps of 10 ms, so a program that started faster than that still has 0.
    idle = processor_time(process.pid)
    process.stdin.write(b"\n")
    process.stdin.flush()
    while processor_time(process.pid) < idle + 0.1:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not is_running(process.pid)
    assert processor_time(process.pid) == 0
