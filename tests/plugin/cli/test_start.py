"""How plugin-cli starts and ends: what is opened early, and what is left to the system."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from stemdock.cli.early_opening import EarlyOpening, is_opening
from stemdock.cli.main import run as main
from stemdock.errors import ModelDamagedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock import Plugins


def run(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


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
        self.is_asked = threading.Event()
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
    with EarlyOpening(slow.open):
        assert slow.is_asked.wait(10)
    while is_opening():
        time.sleep(0.01)
    assert not slow.was_prepared


def test_errors_of_opening_reach_who_needs_the_model() -> None:
    def fail(_: object) -> Any:
        raise ModelDamagedError("own", "is damaged", remedy="Install it again.")

    with EarlyOpening(fail) as early, pytest.raises(ModelDamagedError, match="is damaged"):
        early.result()
    with EarlyOpening(fail):
        pass


_HANGING = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
import stemdock.cli.commands.separate as command
from stemdock.cli.start import main

# Python waits for such a thread at its end.
command._open = lambda *_: ThreadPoolExecutor(1).submit(time.sleep, 600).result()
sys.argv = ["plugin-cli", "separate", "song.wav", "--estimate", "-o", "-"]
main()
"""


def test_a_command_that_fails_does_not_wait_for_its_model() -> None:
    ended = run(_HANGING)
    assert ended.returncode == 2
    assert "--estimate cannot be used with -o -" in ended.stderr


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_waits_for_the_end_of_an_import(name: str, status: int) -> None:
    """Otherwise it could leave a module locked that the thread of the model needs."""
    importing = f"""
import signal, sys
import stemdock.cli.commands.separate as command
from stemdock.cli.start import main

class Slow:
    def find_spec(self, name, *_):
        if name == "stemdock.cli.separating":
            signal.raise_signal(signal.{name})
            print("imported", flush=True)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Slow())
sys.argv = ["plugin-cli", "separate", "song.wav"]
main()
"""
    ended = run(importing)
    assert (ended.returncode, ended.stdout) == (status, "imported\n")
    assert ended.stderr.strip() == ("cancelled" if name == "SIGINT" else "")


def test_engines_of_plug_ins_are_opened_in_the_main_thread(
    plugins: Plugins, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stemdock.cli.commands.separate.EarlyOpening", pytest.fail)
    assert plugins.may_have_engines
    assert main(["separate", str(song), "-m", "small", "-o", str(tmp_path / "out")], plugins) == 0


@pytest.mark.slow
def test_a_wrong_command_prepares_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMDOCK_CACHE", str(tmp_path / "cache"))
    command = [sys.executable, "-m", "stemdock", "separate", "song.wav", "--estimate", "-o", "-"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--estimate cannot be used with -o -" in ended.stderr
    assert not list(tmp_path.rglob("model.onnx"))
