"""What the list of songs says, without a browser."""

from __future__ import annotations

from importlib.resources import files

from support.page_script import PageScript


def test_songs_behind_a_question_say_what_they_wait_for() -> None:
    queue = files("stemdock_web").joinpath("page", "queue.js").read_text(encoding="utf-8")
    page = PageScript("", [queue])
    page.run("const asking = { state: 'asking', name: 'a.wav', text: 'Download it?' };")
    assert page.value("stateText(asking, asking)") == "Download it?"
    said = page.value("stateText({ state: 'queued' }, asking)")
    assert said == "Waits until you answer for a.wav, or cancel it"
    assert page.value("stateText({ state: 'queued' }, undefined)") == "In the queue"
    assert page.value("stateText({ state: 'done', text: '' }, asking)") == "Ready"
