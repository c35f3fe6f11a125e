"""How plugin-cli starts and ends: what is opened early, and what is left to the system."""

from __future__ import annotations

import os
import subprocess
import sys
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from stemdock.cli.early_opening import EarlyOpening
from stemdock.errors import CancelledError, ModelDamagedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_ENDING = """
import atexit, sys
import stemdock.cli.main
from stemdock.cli.start import main

def run():
    atexit.register(print, "cleaned up")
    print("done", end=" ")
    {end}

stemdock.cli.main.main = run
sys.argv = ["plugin-cli"]
main()
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=buffered, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("status", [0, 1, 130])
def test_the_end_cleans_up_and_keeps_output_and_status(status: int) -> None:
    ended = run(_ENDING.format(end=f"sys.exit({status})"))
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, "done cleaned up\n", "")


def test_an_unforeseen_error_ends_python_as_usual() -> None:
    ended = run(_ENDING.format(end="raise LookupError('lost')"))
    assert (ended.returncode, ended.stdout) == (1, "done cleaned up\n")
    assert ended.stderr.endswith("LookupError: lost\n")


def test_ctrl_c_during_the_first_imports() -> None:
    importing = """
import sys
from stemdock.cli.start import main

class Interrupted:
    def find_spec(self, name, *_):
        if name == "click":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
sys.argv = ["plugin-cli"]
main()
"""
    ended = run(importing)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "cancelled\n")


class Slow:
    """A model that must be prepared."""

    def __init__(self) -> None:
        self.is_asked = Event()
        self.was_prepared = False

    def open(self, confirm: Callable[[], object]) -> Any:
        self.is_asked.set()
        confirm()
        self.was_prepared = True
        return self


def test_a_model_that_turns_out_to_be_needed_is_prepared() -> None:
    slow = Slow()
    with EarlyOpening(slow.open) as early:
        assert slow.is_asked.wait(10)
        assert not slow.was_prepared
        opened: Any = early.result()
    assert opened is slow


def test_a_model_that_is_not_needed_is_not_prepared() -> None:
    slow = Slow()
    with EarlyOpening(slow.open) as early:
        assert slow.is_asked.wait(10)
    assert not slow.was_prepared
    with pytest.raises(CancelledError):
        early.result()


def test_errors_of_opening_reach_who_needs_the_model() -> None:
    def fail(_: object) -> Any:
        raise ModelDamagedError("own", "is damaged", remedy="Install it again.")

    with EarlyOpening(fail) as early, pytest.raises(ModelDamagedError, match="is damaged"):
        early.result()
    with EarlyOpening(fail):
        pass


@pytest.mark.slow
def test_a_wrong_command_prepares_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMDOCK_CACHE", str(tmp_path / "cache"))
    command = [sys.executable, "-m", "stemdock", "separate", "song.wav", "--estimate", "-o", "-"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--estimate cannot be used with -o -" in ended.stderr
    assert not list(tmp_path.rglob("model.onnx"))
