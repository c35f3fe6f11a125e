"""The window on a real screen: what it shows, and what its buttons do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("Xvfb"), reason="needs Xvfb"),
    pytest.mark.skipif(
        subprocess.run([sys.executable, "-c", "import tkinter"], check=False, capture_output=True).returncode
        != 0,
        reason="this Python has no tkinter",
    ),
]

_SCRIPT = """
import json, sys, time
from pathlib import Path
from stemdock_hostkit.job.states import JobProgress
from stemdock_hostkit.window.theme import DARK, LIGHT
from stemdock_hostkit.window.values import Ending, Subject
from stemdock_hostkit.window.view import View

colours, act, ending, question = json.loads(sys.argv[1])
subject = Subject(host="Audacity", title="Song", stems=("vocals", "drums"))
view = View(subject, {"dark": DARK, "light": LIGHT}[colours])
root, shown = view._root, []

def visible(widget):
    if not widget.winfo_ismapped():
        return []
    text = [widget.cget("text")] if "text" in widget.keys() else []
    return text + [each for child in widget.winfo_children() for each in visible(child)]

def task(report, cancel, consent):
    if question:
        report(JobProgress(state="asking", text=question))
        assert consent.wait(20)
    report(JobProgress(state="separating", fraction=0.42, remaining=33.0))
    if ending is None:
        raise RuntimeError("boom")
    if act and not cancel.wait(20):
        raise AssertionError("nothing was cancelled")
    time.sleep(0.7)
    kind, text, next_step, *paths = ending
    folder, log = (Path(path) if path else None for path in paths)
    return Ending(kind=kind, text=text, next_step=next_step, folder=folder, log=log)

def look():
    shown.append(visible(root))
    if view._button["text"] == "Close":
        view._button.invoke()
        return
    if "Download" in shown[-1]:
        view._download.invoke()
    if act and len(shown) == 5:
        {"button": view._button.invoke, "escape": lambda: root.event_generate("<Escape>"),
         "close": lambda: root.tk.call(*root.tk.splitlist(root.protocol("WM_DELETE_WINDOW")))}[act]()
    root.after(60, look)

root.after(60, look)
if act == "escape":
    root.after(100, root.focus_force)
outcome = view.run(task)
print(json.dumps({"shown": shown, "kind": outcome.kind}))
"""


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24", "-noreset"],
        pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    with os.fdopen(reading) as number:
        yield f":{number.readline().strip()}"
    server.terminate()
    server.wait(20)


def show(
    display: str,
    ending: tuple[str, str, str, str, str] | None,
    *,
    act: str = "",
    colours: str = "light",
    question: str = "",
) -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, "-c", _SCRIPT, json.dumps([colours, act, ending, question])],
        env={**os.environ, "DISPLAY": display}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.stdout, run.stderr
    result: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return result


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_progress_and_success_are_shown(display: str, colours: str) -> None:
    done = ("done", "2 new tracks are in your project.", "To remove them, choose Edit > Undo.", "", "")
    result = show(display, done, colours=colours)
    assert ["Song", "Vocals, drums, for Audacity", "Separating, 42%", "about 35 s left", "Cancel"] in result[
        "shown"
    ]
    assert result["shown"][-1] == [*done[1:3], "Close"]
    assert result["kind"] == "done"


def test_a_failure_is_shown_until_it_is_closed(display: str) -> None:
    failed = ("failed", "The disk is full.", "Free some space.", "/", "/log.txt")
    result = show(display, failed)
    assert result["shown"][-1] == [*failed[1:3], "Open log", "Open folder", "Close"]
    assert result["kind"] == "failed"


def test_an_unexpected_failure_is_shown_too(display: str) -> None:
    result = show(display, None)
    assert any("boom" in text for text in result["shown"][-1])
    assert result["kind"] == "failed"


@pytest.mark.parametrize("act", ["button", "escape", "close"])
def test_the_task_can_be_cancelled(display: str, act: str) -> None:
    result = show(display, ("cancelled", "", "", "", ""), act=act)
    assert result["kind"] == "cancelled"
    assert any("Cancelling\N{HORIZONTAL ELLIPSIS}" in shown for shown in result["shown"])
    assert "Close" not in result["shown"][-1]


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_download_waits_for_a_click(display: str, colours: str) -> None:
    question = "The model 4stems is not installed. Download it once, about 39 MB from https://example.org?"
    result = show(display, ("cancelled", "", "", "", ""), colours=colours, question=question)
    assert ["Song", "Vocals, drums, for Audacity", question, "", "Download", "Cancel"] in result["shown"]
    assert ["Song", "Vocals, drums, for Audacity", "Separating, 42%", "about 35 s left", "Cancel"] in result[
        "shown"
    ]


_OFFERING = """
import json
from stemdock_hostkit.window.theme import LIGHT
from stemdock_hostkit.window.values import Ending, Offer, Subject
from stemdock_hostkit.window.view import View

view = View(Subject(host="Audacity", title="Song", stems=None), LIGHT)
root, runs = view._root, []

def again(report, cancel, consent):
    runs.append(cancel.wait(1.0))
    if len(runs) == 1:
        return waiting()
    return Ending(kind="done", text="Added.")

def waiting(*_):
    return Ending(kind="done", text="Ready.", offer=Offer(label="Bring in", text="Bringing in", task=again))

def look():
    if view._ending and view._button["text"] == "Close":
        (view._offer_button if view._offer_button.winfo_ismapped() else view._button).invoke()
    elif len(runs) == 0 and view._state["text"].startswith("Bringing in"):
        view._button.invoke()
    root.after(60, look)

root.after(60, look)
outcome = view.run(waiting)
print(json.dumps({"cancelled": runs, "text": outcome.text}))
"""


def test_an_offer_that_was_cancelled_can_be_taken_again(display: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _OFFERING],
        env={**os.environ, "DISPLAY": display}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert json.loads(run.stdout) == {"cancelled": [True, False], "text": "Added."}, run.stderr
