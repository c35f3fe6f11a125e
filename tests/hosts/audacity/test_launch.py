"""Starting an Audacity whose check of plug-ins replaces its FIFOs, with a program in Audacity's place."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

if sys.platform == "win32":
    pytest.skip("this system has no FIFOs", allow_module_level=True)

from stemdock_audacity.install import launch
from stemdock_audacity.link import pipe, transport, unreachable
from stemdock_audacity.link.pipe import connect

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

# Serves FIFOs as Audacity does, new ones for each client. Its answers are empty lines until it is ready. A
# second process makes FIFOs of its own meanwhile, waits at them, and is ended. It must not be disturbed.
PROGRAM = """#!{python}
import os, signal, sys, time
from contextlib import suppress

check_after, check_seconds, ready_after = {times}
names = [sys.argv[0] + ".to", sys.argv[0] + ".from"]
began = time.monotonic()


def make():
    for name in names:
        with suppress(OSError):
            os.unlink(name)
        with suppress(OSError):
            os.mkfifo(name)


make()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if check_seconds and os.fork() == 0:
    time.sleep(check_after)
    make()
    signal.setitimer(signal.ITIMER_REAL, check_seconds)
    open(names[0])
    open(sys.argv[0] + ".disturbed", "w")
    time.sleep(60)
while True:
    with suppress(BrokenPipeError), open(names[0]) as commands, open(names[1], "w") as replies:
        for line in commands:
            end = "OK" if line.startswith("GetInfo") else "Failed!"
            is_ready = time.monotonic() > began + ready_after
            print(f"{{line}}BatchCommand finished: {{end}}\\n" if is_ready else "", file=replies, flush=True)
    make()
"""


@pytest.mark.parametrize(
    ("check_after", "check_seconds", "ready_after"),
    [
        pytest.param(0.2, 0.3, 0.0, id="check at once"),
        pytest.param(0.2, 3.0, 0.0, id="long check"),
        pytest.param(0.0, 0.0, 4.0, id="slow"),
        pytest.param(2.2, 0.3, 4.0, id="check while a client waits"),
        pytest.param(3.7, 0.3, 6.0, id="check after a client"),
    ],
)
def test_the_pipe_works_whenever_plug_ins_are_checked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    check_after: float,
    check_seconds: float,
    ready_after: float,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(pipe, "GREETING_TIME", 1.0)
    folder = tmp_path / "program"
    folder.mkdir()
    program = folder / "audacity"
    program.write_text(PROGRAM.format(python=sys.executable, times=(check_after, check_seconds, ready_after)))
    program.chmod(0o700)
    fifos = {name: folder / f"audacity.{name}" for name in ("to", "from")}
    monkeypatch.setattr(transport, "TO_AUDACITY", fifos["to"])
    monkeypatch.setattr(transport, "FROM_AUDACITY", fifos["from"])
    for module in (pipe, unreachable):
        monkeypatch.setattr(module, "find_audacity", lambda: (os.getpid(),))
    start, started = launch._start, []

    def noted_start(program: Path) -> subprocess.Popen[bytes]:
        started.append(start(program))
        return started[-1]

    monkeypatch.setattr(launch, "_start", noted_start)
    try:
        assert launch.launch(program) == started[0].pid
        for _ in range(2):
            with connect() as link:
                assert link.run("GetInfo", seconds=20).ok
        assert set(folder.iterdir()) <= {program, *fifos.values()}
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
