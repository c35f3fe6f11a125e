"""Another user of the machine attacks the queue, the lock and the pipe."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stemdock_audacity.profile.folders import PLUGIN_FILES
from support.other_users import ATTACKER, VICTIM, two_users

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from support.other_users import Machine

pytestmark = pytest.mark.slow

STATE = ".local/state/stemdock/audacity"
PLUGINS = ".local/share/audacity/Plug-Ins"
PIPES = [Path(f"/tmp/audacity_script_pipe.{way}.{VICTIM}") for way in ("to", "from")]  # noqa: S108  Audacity's

FIFOS = """
import os, sys
to, back = sys.argv[1:]
os.umask(0)
for path in (to, back):
    os.mkfifo(path, 0o666)
commands, answers = os.open(to, os.O_RDWR), os.open(back, os.O_RDWR)
print("ready", flush=True)
received = b""
while True:
    received += os.read(commands, 65536)
    print("got", flush=True)
    while b"\\n" in received:
        line, received = received.split(b"\\n", 1)
        body = line if line.startswith(b"Message") else b"[ ]"
        os.write(answers, body + b"\\nBatchCommand finished: OK\\n\\n")
"""
HOLD = """
import fcntl, os, sys, time
os.umask(0)
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o666)
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def machine() -> Iterator[Machine]:
    with two_users() as machine:
        yield machine


@pytest.fixture
def _no_pipes() -> Iterator[None]:
    yield
    for path in PIPES:
        path.unlink(missing_ok=True)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def test_a_home_with_an_umlaut_leads_to_no_folder_that_others_can_make_first() -> None:
    with two_users("Jürgen") as machine:
        hostile = machine.temporary / f"stemdock-{b'victim'.hex()}"
        machine.attack(f"mkdir -p {hostile}/inbox {hostile}/jobs")
        done = machine.cli("audacity", "install")
        assert done.returncode == 1
        assert "XDG_STATE_HOME" in one_line(done)
        assert not (machine.home / PLUGINS).exists()
        assert {path.name for path in hostile.rglob("*")} == {"inbox", "jobs"}
        runtime = machine.give(machine.folder / "run", VICTIM)
        done = machine.cli("audacity", "install", XDG_RUNTIME_DIR=str(runtime))
        assert done.returncode == 0, done.stderr
        text = (machine.home / PLUGINS / "stemdock-separate.ny").read_text("utf-8")
        assert f"{runtime}/stemdock-audacity/inbox/" in text
        assert str(hostile) not in text


@pytest.mark.parametrize("kind", ["foreign", "writable", "link", "file"])
def test_a_queue_that_others_can_change_is_not_used(machine: Machine, kind: str) -> None:
    state = machine.give(machine.folder / "state", VICTIM, 0o755)
    queue = state / "stemdock/audacity"
    machine.give(queue.parent, VICTIM, 0o755)
    theirs = machine.give(machine.folder / "theirs", ATTACKER, 0o777)
    if kind == "foreign":
        machine.give(queue, ATTACKER, 0o777)
    elif kind == "writable":
        machine.give(queue, VICTIM, 0o770)
    elif kind == "link":
        queue.symlink_to(theirs)
    else:
        queue.touch()
    for command in ("install", "uninstall", "status", "cancel", "separate"):
        done = machine.cli("audacity", command, XDG_STATE_HOME=str(state))
        assert done.returncode == 1
        assert str(queue) in one_line(done)
    launcher = (sys.executable, "-m", "stemdock_audacity.launcher")
    done = machine.run(VICTIM, *launcher, XDG_STATE_HOME=str(state))
    assert done.returncode == 1
    assert str(queue) in done.stderr
    assert "Traceback" not in done.stderr
    assert not (machine.home / PLUGINS).exists()
    assert list(theirs.iterdir()) == []
    assert not queue.is_dir() or list(queue.iterdir()) == []


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_what_audacity_runs_is_written_by_its_user_only(machine: Machine, umask: str) -> None:
    install = f"umask {umask}; exec {sys.executable} -m stemdock audacity install"
    done = machine.run(VICTIM, "sh", "-c", install)
    assert done.returncode == 0, done.stderr
    queue = machine.home / STATE
    assert [path.stat().st_mode & 0o777 for path in (queue, queue / "inbox", queue / "jobs")] == [0o700] * 3
    assert (queue / "stemdock-launch").stat().st_mode & 0o777 == 0o700
    assert {path.name for path in (machine.home / PLUGINS).iterdir()} == set(PLUGIN_FILES)
    written = machine.written_by_others(machine.home / ".local")
    assert written == []


@pytest.mark.parametrize("kind", ["folder", "closed file", "link", "held"])
def test_what_others_put_into_the_temporary_folder_is_no_lock(machine: Machine, kind: str) -> None:
    lock = machine.temporary / f"stemdock-audacity-{VICTIM}.lock"
    precious = machine.home / "precious"
    if kind == "folder":
        machine.attack(f"mkdir {lock}")
    elif kind == "closed file":
        machine.attack(f"touch {lock}; chmod 600 {lock}")
    elif kind == "link":
        machine.attack(f"ln -s {precious} {lock}")
    if kind == "held":
        with machine.attacking(HOLD, lock):
            done = machine.cli("audacity", "separate")
    else:
        done = machine.cli("audacity", "separate")
    assert "Audacity is not running" in one_line(done)
    assert done.returncode == 3
    assert not precious.exists()


def test_the_lock_cannot_be_held_by_others(machine: Machine) -> None:
    assert machine.cli("audacity", "separate").returncode == 3
    lock = machine.home / STATE / "pipe.lock"
    assert lock.stat().st_mode & 0o777 == 0o600
    machine.home.chmod(0o755)
    assert "Permission denied" in machine.try_attack(f"cat {lock}").stderr


@pytest.mark.usefixtures("_no_pipes")
def test_pipes_of_others_are_not_believed_to_be_audacity(machine: Machine) -> None:
    with machine.attacking(FIFOS, *PIPES) as attacker:
        done = machine.cli("audacity", "separate")
        assert done.returncode == 3
        assert f"{PIPES[0]} is not a pipe of your Audacity" in one_line(done)
        checked = machine.cli("audacity", "doctor").stdout
        assert f"{PIPES[0]} is not a pipe of your Audacity" in checked
        attacker.kill()
        assert attacker.stdout is not None
        assert attacker.stdout.read() == ""  # nothing arrived there


@pytest.mark.usefixtures("_no_pipes")
def test_audacity_is_not_started_at_pipes_of_others(machine: Machine) -> None:
    program = machine.give(machine.home / "bin", VICTIM) / "audacity"
    program.write_text(f"#!/bin/sh\ntouch {machine.home}/started\nsleep 5\n")
    program.chmod(0o755)
    with machine.attacking(FIFOS, *PIPES):
        done = machine.cli("audacity", "launch", PATH=f"{program.parent}{os.pathsep}{os.defpath}")
        assert done.returncode == 3
        assert "is not a pipe of your Audacity" in one_line(done)
        assert not (machine.home / "started").exists()
