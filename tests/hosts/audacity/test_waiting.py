"""Stems that wait: no try to bring them in loses them. And what is said where nothing can be shown."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest

from hosts.audacity.test_jobs import REQUEST, SAMPLE_RATE, added, separated
from stemdock import AudacityTrack, CancelledError
from stemdock_audacity import launcher, transfer
from stemdock_audacity.courier import Courier
from stemdock_audacity.delivery.delivered import Delivered
from stemdock_audacity.delivery.importing import Delivery, Placed
from stemdock_audacity.delivery.project import write_project
from stemdock_audacity.errors import BusyError, ModuleOffError
from stemdock_audacity.jobs.job import AudacityJob, Phase
from stemdock_audacity.jobs.queue import JobQueue
from stemdock_audacity.link.protocol import Reply, TrackInfo
from stemdock_hostkit.window import ability, notifying

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    queue = JobQueue(folder=tmp_path / "queue")
    queue.prepare()
    return queue


@pytest.fixture
def waiting(queue: JobQueue) -> AudacityJob:
    job = added(queue)
    write_project(job.project, separated(job), float(SAMPLE_RATE), (3, 7, 3))
    job.update(Phase(phase="ready"))
    return job


def answer(monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> None:
    def attempt(*_: object) -> Placed:
        if error:
            raise error
        return Placed(below="Words")

    monkeypatch.setattr(transfer, "connect", nullcontext)
    monkeypatch.setattr(Delivery, "attempt", attempt)
    monkeypatch.setattr(transfer, "_RETRY_TIME", 0.01)
    monkeypatch.setattr("stemdock_audacity.courier.BRINGING_TIME", 0.05)


def test_they_are_brought_in_and_the_place_is_said(
    queue: JobQueue, waiting: AudacityJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, None)
    offer = Courier(queue, waiting)._offer()
    assert offer.label == "Bring into Audacity"
    ending = offer.task(lambda _: None, Event(), Event())
    assert (ending.kind, ending.text) == ("done", "2 stems added below “Words”.")
    assert not waiting.folder.exists()


@pytest.mark.parametrize("error", [ModuleOffError(), BusyError("busy"), ZeroDivisionError()])
def test_a_try_that_fails_can_be_repeated(
    queue: JobQueue, waiting: AudacityJob, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    answer(monkeypatch, error)
    ending = Courier(queue, waiting)._offer().task(lambda _: None, Event(), Event())
    assert (ending.kind, waiting.phase().is_over) == ("failed", True)
    assert ending.offer
    assert queue.waiting() == [waiting]
    answer(monkeypatch, None)
    assert ending.offer.task(lambda _: None, Event(), Event()).kind == "done"


def test_a_try_that_is_stopped_loses_nothing(
    queue: JobQueue, waiting: AudacityJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, BusyError("busy"))
    stop = Event()
    stop.set()
    courier = Courier(queue, waiting)
    with pytest.raises(CancelledError):
        courier.bring_in(stop)
    ending = courier._offer().task(lambda _: None, stop, Event())
    assert ending.offer
    assert (ending.text, waiting.phase().phase) == ("The stems are ready.", "ready")
    assert queue.waiting() == [waiting]


def test_stems_that_the_menu_has_brought_in_come_only_once(
    queue: JobQueue, waiting: AudacityJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, AssertionError("imported again"))
    waiting.project.with_name("stems.aup.imported").touch()
    assert queue.waiting() == []
    ending = Courier(queue, waiting)._offer().task(lambda _: None, Event(), Event())
    assert (ending.kind, ending.next_step.split(".")[0]) == ("done", "They were already in your project")


@pytest.mark.parametrize(
    ("names", "below", "text"),
    [
        (["a"], "", "1 stem added."),
        (["a", "b"], "Words", "2 stems added below “Words”."),
        (["a", "b"], "W" * 50, f"2 stems added below “{'W' * 39}…”."),
        (["a"], "x\x1b[31m\u202e", "1 stem added below “x\\x1b[31m\\u202e”."),
    ],
)
def test_the_place_of_new_tracks(names: list[str], below: str, text: str) -> None:
    assert Delivered(names=names, below=below).ending().text == text


NEW = ["vocals", "accompaniment"]


class Audacity:
    """Only what an import asks for; every command but PrevTrack shows a window for a moment."""

    def __init__(self, n_tracks: int, selected: set[int], focus: int) -> None:
        self.names = [f"Track {place}" for place in range(n_tracks)]
        self.selected = selected
        self.focus = focus
        self.muted: set[int] = set()
        self.commands: list[str] = []

    def tracks(self) -> tuple[TrackInfo, ...]:
        return tuple(
            TrackInfo(
                name=name, kind="wave", selected=place in self.selected, focused=place == self.focus,
                start=0.0, end=5.0, n_channels=2, mute=place in self.muted, solo=False,
            )
            for place, name in enumerate(self.names)
        )  # fmt: skip

    def do(self, name: str, **values: object) -> str:
        self.commands.append(name)
        if name == "SelectTracks":
            change = {int(str(values["Track"]))}
            self.selected = self.selected - change if values["Mode"] == "Remove" else self.selected | change
        elif name == "SetTrackAudio":
            self.muted |= self.selected
        elif name == "Import2":
            self.names += NEW
            self.focus = len(self.names) - 1
        return ""

    def run(self, name: str) -> Reply:
        self.commands.append(name)
        self.focus -= name == "PrevTrack"
        return Reply(text="", ok=True)


@pytest.mark.parametrize(
    ("selected", "commands"),
    [
        ({1}, ["SetTrackAudio", "Import2"]),
        ({0, 1}, ["SelectTracks", "SetTrackAudio", "SelectTracks", "Import2"]),
        ({0}, [*["SelectTracks"] * 2, "SetTrackAudio", *["SelectTracks"] * 2, "Import2"]),
    ],
)
def test_an_import_needs_few_commands_and_leaves_focus_and_selection(
    tmp_path: Path, selected: set[int], commands: list[str]
) -> None:
    request = replace(
        REQUEST, tracks=(replace(REQUEST.tracks[0], index=1, name="Track 1"),), mute_original=True
    )
    stems = [
        AudacityTrack(
            name=name, audio=tmp_path.as_posix(), sample_rate=SAMPLE_RATE, n_channels=2, length=40_000
        )
        for name in NEW
    ]  # fmt: skip
    audacity = Audacity(3, set(selected), focus=0)
    delivery = Delivery(request, stems, tmp_path, None)
    placed = delivery.attempt(audacity)  # type: ignore[arg-type]
    assert placed == Placed(below="Track 2")
    assert (audacity.selected, audacity.focus, audacity.muted) == (selected, 0, {1})
    assert [name for name in audacity.commands if name != "PrevTrack"] == commands
    assert audacity.commands.count("PrevTrack") == 4


@pytest.mark.parametrize(("silent", "kind"), [(False, "detached"), (True, "message")])
def test_without_window_and_notifications_the_plugin_says_what_happens(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch, silent: bool, kind: str
) -> None:
    job = added(queue)
    monkeypatch.setattr(launcher, "is_silent", lambda: silent)
    monkeypatch.setattr(launcher, "read_request", lambda _: REQUEST)
    monkeypatch.setattr(launcher, "add_job", lambda *_, **__: job)
    monkeypatch.setattr("stemdock_hostkit.client.submit", lambda _: None)
    monkeypatch.setattr(launcher, "start_detached", lambda *_: None)
    assert launcher._serve(queue).split(" ")[0] == kind


@pytest.mark.parametrize(
    ("modules", "command", "status", "text"),
    [
        ({"_tkinter"}, [], "ok", "tkinter is there"),
        (set(), ["notify-send"], "warning", "notifications are shown instead"),
        (set(), [], "warning", "no progress is shown"),
    ],
)
def test_doctor_says_what_can_be_seen(
    monkeypatch: pytest.MonkeyPatch, modules: set[str], command: list[str], status: str, text: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if name in modules else None)
    monkeypatch.setattr(notifying, "_notification", lambda _: command)
    check = ability.check_window("audacity")
    assert (check.subject, check.status) == ("audacity window", status)
    assert text in check.detail
    assert bool(check.remedy) == (status != "ok")
    assert ability.is_silent() == (not modules and not command)
