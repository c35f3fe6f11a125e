"""What the window says, and what happens where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stemdock_hostkit.job.states import JobProgress
from stemdock_hostkit.window import showing
from stemdock_hostkit.window.values import Ending, Subject
from stemdock_hostkit.window.words import remaining_text, state_text, stems_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

SUBJECT = Subject(host="Audacity", title="Song", stems=("vocals", "everything but vocals"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0, "a few seconds left"),
        (4.9, "a few seconds left"),
        (5.1, "about 5 s left"),
        (33.0, "about 35 s left"),
        (59.0, "about 1 min left"),
        (89.0, "about 1 min left"),
        (151.0, "about 3 min left"),
    ],
)
def test_the_remaining_time_is_rough(seconds: float | None, text: str) -> None:
    assert remaining_text(seconds) == text


def test_a_state_has_its_share_once_it_is_known() -> None:
    assert state_text(JobProgress(state="separating", fraction=0.426)) == "Separating, 43%"
    assert state_text(JobProgress(state="loading")) == "Loading the model\N{HORIZONTAL ELLIPSIS}"


def test_stems_and_host_are_named() -> None:
    assert stems_text(SUBJECT.stems, "Audacity") == "Vocals, everything but vocals, for Audacity"
    assert stems_text(None, "Audacity") == "All stems, for Audacity"


@pytest.mark.parametrize("kind", ["done", "cancelled", "failed"])
def test_without_a_display_notifications_tell(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    told: list[str] = []
    monkeypatch.setattr(showing, "notify", told.append)
    ending = Ending(kind=kind, text="It ended.", next_step="Choose Undo.")  # type: ignore[arg-type]

    def task(report: Callable[[JobProgress], None], cancel: Event, consent: Event) -> Ending:
        report(JobProgress(state="separating"))
        assert not cancel.is_set()
        assert not consent.is_set()
        return ending

    assert showing.show(task, SUBJECT) == ending
    end = [] if kind == "cancelled" else ["It ended. Choose Undo."]
    assert told == ["Song: separating. Vocals, everything but vocals, for Audacity.", *end]


def test_without_a_display_a_download_follows_a_sentence_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    told: list[str] = []
    monkeypatch.setattr(showing, "notify", told.append)

    def task(report: Callable[[JobProgress], None], _: Event, consent: Event) -> Ending:
        for _n in range(2):
            report(JobProgress(state="asking", text="Download it, about 39 MB?"))
        assert consent.is_set()
        return Ending(kind="cancelled")

    showing.show(task, SUBJECT)
    assert told[1:] == ["Download it, about 39 MB?"]
