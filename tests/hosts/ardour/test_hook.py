"""The script that waits for stems, in Lua without Ardour: what takes longer than a test in Ardour may."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import stemdock_ardour

SHIPPED = Path(stemdock_ardour.__file__).parent / "lua/stemdock"

# What the script uses of Ardour while nothing is placed; it says what it shows and starts.
ARDOUR = """
    local folder, say = ...
    now, said = 1000, say
    os.time = function () return now end
    os.forkexec = function (...) say ("start", table.concat ({ ... }, " ")) end
    Session = { path = function () return "/session" end, actively_recording = function () return false end }
    ARDOUR = { LuaAPI = { FileTest = { Exists = 1 }, file_test = function (path)
      local file = io.open (path)
      return file ~= nil and file:close ()
    end } }
    LuaDialog = { MessageType = {}, ButtonType = {}, Message = function (_, text)
      return { run = function () say ("message", text) end }
    end }
    local hook = assert (loadfile (folder .. "/start.lua")) (folder, "hook")
    return function (seconds)
      for second = 1, seconds do
        for tick = 1, 10 do hook () end
        now = now + 1
      end
    end
"""


class Waiting:
    """A job of the session, and the script that looks at it."""

    def __init__(self, folder: Path) -> None:
        self.job = folder / "jobs/one"
        self.job.mkdir(parents=True)
        for part in SHIPPED.glob("*.lua"):
            shutil.copy(part, folder)
        (folder / "commands.tsv").write_text("work\t/bin/sh\twork\n")
        (folder / "jobs/list.tsv").write_text(f"/session\t{self.job}\n")
        (self.job / "request.tsv").write_text("session\tname\t44100\n")
        self.said: list[tuple[str, str]] = []
        lua = import_module("lupa.lua53").LuaRuntime(unpack_returned_tuples=True)
        self.wait: Any = lua.execute(ARDOUR, str(folder), lambda kind, text: self.said.append((kind, text)))


@pytest.fixture
def waiting(tmp_path: Path) -> Waiting:
    return Waiting(tmp_path / "stemdock")


def test_a_cancelled_job_is_forgotten(waiting: Waiting) -> None:
    waiting.wait(5)
    (waiting.job / "job.json").touch()
    waiting.wait(5)
    shutil.rmtree(waiting.job)
    waiting.wait(500)
    assert waiting.said == []


def test_a_program_that_does_not_start_is_told_once(waiting: Waiting) -> None:
    waiting.wait(500)
    assert [kind for kind, _ in waiting.said] == ["message"]
    assert "did not start" in waiting.said[0][1]


def test_a_job_whose_worker_has_gone_is_taken_up_once(waiting: Waiting) -> None:
    (waiting.job / "job.json").touch()
    progress = waiting.job / "progress.jsonl"
    for number in range(30):  # a worker writes all the time
        waiting.wait(10)
        progress.write_text("line\n" * number)
    assert waiting.said == []
    waiting.wait(1000)
    assert waiting.said == [("start", f"/bin/sh work {waiting.job}")]
    (waiting.job / "result.json").touch()
    waiting.wait(1000)
    assert len(waiting.said) == 1


def test_a_result_that_nobody_passed_on_is_passed_on_once(waiting: Waiting) -> None:
    (waiting.job / "job.json").touch()
    waiting.wait(10)
    (waiting.job / "result.json").touch()
    waiting.wait(1000)
    assert waiting.said == [("start", f"/bin/sh work {waiting.job}")]
