from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stemdock import Progress, SeparatedFile
from stemdock.batch.eta import BatchEta
from stemdock.batch.events import Advanced, Done, Failed, Skipped, SongPlan, Started, Waiting, summarise
from stemdock.batch.songs import Song
from stemdock.cli.json_reporter import JsonReporter
from stemdock.cli.text_reporter import TextReporter
from stemdock.errors import AudioFileError, OutputExistsError

if TYPE_CHECKING:
    from stemdock.batch.events import BatchEvent

FAULT = AudioFileError(Path("b.wav"), "is no\naudio", remedy="Name another.")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plans(tmp_path: Path) -> list[SongPlan]:
    """Three songs, the second as large as the others together."""
    found = []
    for number, size in enumerate((1000, 2000, 1000), 1):
        path = tmp_path / f"{number}.wav"
        path.write_bytes(bytes(size))
        found.append(
            SongPlan(number=number, song=Song(path=path), targets={"low": Path(f"out/{number}.wav")})
        )
    return found


def advanced(plan: SongPlan, done_length: int, total_length: int | None = 16000) -> Advanced:
    progress = Progress(done_length=done_length, total_length=total_length, sample_rate=8000)
    return Advanced(plan=plan, progress=progress)


def done(plan: SongPlan, n_clipped: int = 0) -> Done:
    separated = SeparatedFile(
        source=plan.song.naming_path, stems=plan.files, mixes={}, peaks={"low": 1.5}, gain_db=0,
        clipped_lengths={"low": n_clipped}, warnings=(), model="small", sample_rate=8000, n_channels=2,
        total_length=16000,
    )  # fmt: skip
    return Done(plan=plan, separated=separated, elapsed=4.0)


def test_the_eta_of_a_song_and_of_the_batch(plans: list[SongPlan], clock: Clock) -> None:
    eta = BatchEta(plans, clock)
    at_first = eta.remaining
    assert at_first is None
    eta.count(Started(plan=plans[0]))
    clock.now += 1
    eta.count(advanced(plans[0], 4000))
    song = eta.songs[1]
    assert (song.fraction, song.speed, song.remaining) == (0.25, 0.5, 3.0)
    # A quarter of a quarter took one second.
    assert eta.remaining == pytest.approx(15)
    clock.now += 3
    eta.count(done(plans[0]))
    assert eta.songs == {}
    assert eta.remaining == pytest.approx(12)
    # What is skipped or fails has neither taken time nor will.
    eta.count(Started(plan=plans[1]))
    eta.count(Skipped(plan=plans[1]))
    assert eta.remaining == pytest.approx(4)
    eta.count(Failed(plan=plans[2], error=FAULT))
    assert eta.remaining == 0
    assert eta.elapsed == 4


def test_a_stream_of_unknown_length_has_a_speed_only(plans: list[SongPlan], clock: Clock) -> None:
    eta = BatchEta(plans, clock)
    eta.count(Started(plan=plans[0]))
    clock.now += 1
    eta.count(advanced(plans[0], 8000, None))
    assert eta.songs[1].speed == 1
    assert eta.songs[1].fraction is eta.songs[1].remaining is None


def screen(text: str) -> list[str]:
    """What a terminal shows after each line end, of lines that are written over."""
    lines = []
    for line in text.split("\n"):
        shown: list[str] = []
        column = 0
        for character in line:
            if character == "\r":
                column = 0
            else:
                shown[column : column + 1] = character
                column += 1
        lines.append("".join(shown).rstrip())
    return lines


def test_the_line_for_a_person(plans: list[SongPlan], clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    stream = io.StringIO()
    reporter = TextReporter(stream, live=True, now=clock)
    reporter.start(plans, "small", "cpu")
    reporter.show(Started(plan=plans[0]))
    assert screen(stream.getvalue()) == ["[1 of 3] 1.wav"]
    clock.now += 1
    reporter.show(advanced(plans[0], 4000))
    assert screen(stream.getvalue()) == ["[1 of 3, 0:15 left] 1.wav 25% 0.5x 0:03 left"]
    clock.now += 3
    reporter.show(done(plans[0], 7))
    assert screen(stream.getvalue()) == [
        "warning: out/1.wav: 7 samples clipped (peak 1.500). Use --prevent-clipping to avoid this.", "",
    ]  # fmt: skip
    assert stream.getvalue().endswith(("\n", "\r"))
    reporter.show(Started(plan=plans[1]))
    reporter.show(Failed(plan=plans[1], error=FAULT))
    assert screen(stream.getvalue())[1:] == ["error: b.wav: is no audio. Name another.", ""]
    ended: list[BatchEvent] = [done(plans[0]), Failed(plan=plans[1], error=FAULT)]
    reporter.finish(summarise(len(plans), Counter(map(type, ended))))
    assert screen(stream.getvalue())[2:] == ["3 songs: 1 done, 1 failed, 1 unfinished (0:04)", ""]


def test_of_a_part_of_the_songs_their_places_in_it_are_shown(plans: list[SongPlan], clock: Clock) -> None:
    stream = io.StringIO()
    reporter = TextReporter(stream, live=True, now=clock)
    reporter.start(plans[1:], "small", "cpu")
    reporter.show(Started(plan=plans[1]))
    assert screen(stream.getvalue()) == ["[1 of 2] 2.wav"]


def test_songs_that_are_finished_but_not_yet_told_are_not_shown(plans: list[SongPlan], clock: Clock) -> None:
    stream = io.StringIO()
    reporter = TextReporter(stream, live=True, now=clock)
    reporter.start(plans, "small", "cpu")
    for event in (Started(plan=plans[0]), Started(plan=plans[1]), advanced(plans[1], 16000)):
        reporter.show(event)
    assert plans[1].song.path.name not in screen(stream.getvalue())[-1]
    reporter.show(advanced(plans[0], 16000))
    assert plans[1].song.path.name in screen(stream.getvalue())[-1]


def test_that_a_song_is_waited_for_is_no_end(plans: list[SongPlan], clock: Clock) -> None:
    stream = io.StringIO()
    reporter = TextReporter(stream, live=True, now=clock)
    reporter.start(plans, "small", "cpu")
    reporter.show(Waiting(plan=plans[1]))
    assert screen(stream.getvalue()) == [
        f"note: {plans[1].song.path}: waiting, another process is separating it", "",
    ]  # fmt: skip
    eta = BatchEta(plans, clock)
    clock.now += 1
    eta.count(Started(plan=plans[0]))
    eta.count(Waiting(plan=plans[1]))
    eta.count(done(plans[0]))
    # The song is half of all bytes, and still left.
    assert eta.remaining == 3


def test_the_line_never_wraps_and_holds_no_control_characters(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = io.StringIO()
    reporter = TextReporter(stream, live=True, now=clock)
    plan = SongPlan(number=1, song=Song(path=Path("\x1b[2J\n" + "long" * 30)), targets={})
    reporter.start([plan], "small", "cpu")
    reporter.show(Started(plan=plan))
    (line,) = screen(stream.getvalue())
    assert len(line) == 39
    assert line.startswith("?[2J?long")
    # Twenty letters of two columns each do not fit.
    plan = SongPlan(number=1, song=Song(path=Path("\u6b4c" * 30)), targets={})
    reporter.start([plan], "small", "cpu")
    reporter.show(Started(plan=plan))
    assert stream.getvalue().rpartition("\r")[2].rstrip() == "\u6b4c" * 19


def test_without_a_person_all_that_went_well_is_quiet(plans: list[SongPlan], clock: Clock) -> None:
    stream = io.StringIO()
    reporter = TextReporter(stream, live=False, now=clock)
    reporter.start(plans, "small", "cpu")
    for plan in plans:
        reporter.show(Started(plan=plan))
        reporter.show(advanced(plan, 16000))
        reporter.show(done(plan))
    reporter.finish(summarise(len(plans), Counter(map(type, [done(plan) for plan in plans]))))
    assert stream.getvalue() == ""


def test_the_lines_for_a_program(plans: list[SongPlan], clock: Clock) -> None:
    stream = io.StringIO()
    reporter = JsonReporter(stream, now=clock)
    reporter.start(plans, "small", "cpu")
    events: list[BatchEvent] = [Started(plan=plans[0]), advanced(plans[0], 4000), done(plans[0])]
    reporter.show(Waiting(plan=plans[1]))
    assert json.loads(stream.getvalue().splitlines()[-1]) == {"version": 1, "event": "waiting", "song": 2}
    stream.seek(0)
    stream.truncate()
    reporter.start(plans, "small", "cpu")
    events += [Skipped(plan=plans[1]), Failed(plan=plans[2], error=FAULT)]
    clock.now += 1
    for event in events:
        reporter.show(event)
    reporter.finish(summarise(len(plans), Counter(map(type, events[2:]))))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {line.pop("version") for line in lines} == {1}
    start, song, progress, finished, skipped, failed, summary = lines
    assert start == {"event": "start", "n_songs": 3, "model": "small", "provider": "cpu"}
    path = str(plans[0].song.path)
    assert song == {"event": "song", "song": 1, "path": path, "targets": {"low": "out/1.wav"}}
    # The clock stood still since the song began.
    assert progress == {
        "event": "progress", "song": 1, "done_length": 4000, "total_length": 16000, "sample_rate": 8000,
        "fraction": 0.25, "speed": None, "remaining": 0.0, "total_remaining": 15.0,
    }  # fmt: skip
    assert finished == {
        "event": "done", "song": 1, "outputs": {"low": "out/1.wav"}, "elapsed": 4.0, "duration": 2.0,
        "sample_rate": 8000, "peaks": {"low": 1.5}, "clipped_lengths": {"low": 0}, "gain_db": 0,
        "warnings": [], "damage": [], "folded": [],
    }  # fmt: skip
    assert skipped == {"event": "skipped", "song": 2, "outputs": {"low": "out/2.wav"}, "damage": []}
    expected: dict[str, Any] = {
        "event": "failed", "song": 3, "path": str(plans[2].song.path), "kind": "AudioFileError",
        "error": "b.wav: is no\naudio", "remedy": "Name another.",
    }  # fmt: skip
    assert failed == expected
    assert summary == {
        "event": "summary", "n_songs": 3, "n_done": 1, "n_skipped": 1, "n_failed": 1, "n_left": 0,
        "elapsed": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize(("n_ended", "expected"), [(0, ["1 song: 1 unfinished (0:04)", ""]), (1, [""])])
def test_one_song_has_a_summary_only_if_it_was_interrupted(
    plans: list[SongPlan], clock: Clock, n_ended: int, expected: list[str]
) -> None:
    stream = io.StringIO()
    reporter = TextReporter(stream, live=False, now=clock)
    reporter.start(plans[:1], "small", "cpu")
    reporter.show(Started(plan=plans[0]))
    clock.now += 4
    events: list[BatchEvent] = [done(plans[0])]
    reporter.finish(summarise(len(plans[:1]), Counter(map(type, events[:n_ended]))))
    assert screen(stream.getvalue()) == expected


def test_a_refusal_for_a_program() -> None:
    stream = io.StringIO()
    JsonReporter(stream).refuse(OutputExistsError(Path("out/low.wav")))
    line = json.loads(stream.getvalue())
    assert line["event"] == "refused"
    assert "out/low.wav" in line["error"]
    assert "--overwrite" in line["remedy"]


def test_a_warning_for_a_program_and_for_people() -> None:
    stream = io.StringIO()
    JsonReporter(stream).warn(FAULT)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["kind"], line["remedy"]) == ("warning", "AudioFileError", "Name another.")
    stream = io.StringIO()
    TextReporter(stream, live=False).warn(FAULT)
    assert stream.getvalue() == "warning: b.wav: is no audio. Name another.\n"
