from __future__ import annotations

import gc
from collections import Counter
from pathlib import Path, PurePath
from threading import Barrier, Event, Lock
from typing import TYPE_CHECKING
from weakref import ref

import pytest

from stemdock import Progress, SeparatedFile
from stemdock.batch.events import (
    Advanced,
    BatchEvent,
    Done,
    Failed,
    Skipped,
    SongPlan,
    Started,
    Summary,
    UpToDate,
    summarise,
)
from stemdock.batch.looking import Looking
from stemdock.batch.planning import conflicts
from stemdock.batch.songs import Song
from stemdock.batch.working import UnforeseenError
from stemdock.errors import AudioFileError, CancelledError, OutputExistsError
from support.here import run_here

if TYPE_CHECKING:
    from collections.abc import Callable

FAULT = AudioFileError(Path("x"), "is no audio", remedy="Name another.")


def plan(
    number: int, *targets: Path, path: Path | None = None, fault: AudioFileError | None = None
) -> SongPlan:
    song = Song(path=path or Path(f"{number}.wav"), folder=PurePath(), fault=fault)
    return SongPlan(
        number=number, song=song, targets={f"stem{i}": target for i, target in enumerate(targets)}
    )


def separated(of: SongPlan) -> SeparatedFile:
    return SeparatedFile(
        source=of.song.naming_path, stems=of.files, mixes={}, peaks={}, clipped_lengths={}, gain_db=0,
        warnings=(), model="small",
        n_channels=2,
        sample_rate=8000, total_length=8000,
    )  # fmt: skip


def test_nothing_in_the_way(tmp_path: Path) -> None:
    plans = [plan(1, tmp_path / "a"), plan(2, tmp_path / "b"), plan(3, fault=FAULT)]
    assert conflicts(plans, may_replace=lambda *_: False) == []


def test_all_conflicts_are_told_at_once(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    mixture = tmp_path / "mixture.wav"
    mixture.touch()
    plans = [
        plan(1, there),
        plan(2, tmp_path / "dir" / ".." / "mixture.wav"),
        plan(3, tmp_path / "Caf\u00e9" / "a", tmp_path / "Caf\u00e9" / "b"),
        plan(4, tmp_path / "CAFE\u0301" / "a", tmp_path / "CAFE\u0301" / "b"),
        plan(5, tmp_path / "free", path=mixture),
    ]
    (tmp_path / "dir").mkdir()
    exists, itself, shared = conflicts(plans, may_replace=lambda *_: False)
    assert isinstance(exists, OutputExistsError)
    assert exists.path == there
    assert "is one of the songs to separate" in str(itself)
    assert "2 songs (3.wav, 4.wav)" in str(shared)


def test_what_may_be_replaced_is_no_conflict_but_a_mixture_is(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.touch()
    assert conflicts([plan(1, path)], may_replace=lambda *_: True) == []
    (error,) = conflicts([plan(1, path, path=path)], may_replace=lambda *_: True)
    assert "is one of the songs" in str(error)


def test_a_folder_in_the_place_of_a_stem_is_a_conflict(tmp_path: Path) -> None:
    (error,) = conflicts([plan(1, tmp_path)], may_replace=lambda *_: True)
    assert str(error) == f"{tmp_path}: cannot be written (there is a folder of this name)"


def run_all(plans: list[SongPlan], separate: Callable[..., SeparatedFile | UpToDate]) -> list[BatchEvent]:
    return list(run_here(plans, separate, cancel=Event()))


def test_the_events_of_a_batch() -> None:
    plans = [plan(1), plan(2), plan(3, fault=FAULT), plan(4)]
    halfway = Progress(done_length=1, total_length=2)

    def separate(of: SongPlan, on_progress: Callable[[Progress], None]) -> SeparatedFile | UpToDate:
        on_progress(halfway)
        if of.number == 1:
            raise FAULT
        return separated(of) if of.number == 2 else UpToDate()

    events = run_all(plans, separate)
    assert [(event.plan.number, type(event)) for event in events] == [
        (1, Started), (1, Advanced), (1, Failed),
        (2, Started), (2, Advanced), (2, Done),
        (3, Failed),
        (4, Started), (4, Advanced), (4, Skipped),
    ]  # fmt: skip
    ended = [event for event in events if not isinstance(event, Started | Advanced)]
    assert summarise(len(plans), Counter(map(type, ended))) == Summary(
        n_songs=4, n_done=1, n_skipped=1, n_failed=2, n_left=0
    )


def test_what_nobody_thought_of_fails_one_song_only() -> None:
    def separate(of: SongPlan, _: object) -> SeparatedFile:
        if of.number == 1:
            raise ZeroDivisionError("of a bug")
        return separated(of)

    _, failed, _, done = run_all([plan(1), plan(2)], separate)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UnforeseenError)
    assert "ZeroDivisionError: of a bug" in str(failed.error)
    assert isinstance(failed.error.__cause__, ZeroDivisionError)
    assert isinstance(done, Done)


@pytest.mark.parametrize("n_at_once", [1, 3])
def test_so_many_at_once_and_no_more(n_at_once: int) -> None:
    lock = Lock()
    together = Barrier(n_at_once, timeout=30)
    n_running = n_most = 0

    def separate(of: SongPlan, _: object) -> SeparatedFile:
        nonlocal n_running, n_most
        with lock:
            n_running += 1
            n_most = max(n_most, n_running)
        together.wait()
        with lock:
            n_running -= 1
        return separated(of)

    plans = [plan(number) for number in range(1, 7)]
    events = list(run_here(plans, separate, n_at_once=n_at_once, cancel=Event()))
    assert n_most == n_at_once
    assert sorted(event.plan.number for event in events if isinstance(event, Done)) == list(range(1, 7))


def test_cancelling_gives_up_what_is_under_way_and_begins_nothing() -> None:
    cancel = Event()
    begun = []

    def separate(of: SongPlan, _: object) -> SeparatedFile:
        begun.append(of.number)
        if of.number == 2:
            cancel.set()
            raise CancelledError
        return separated(of)

    plans = [plan(number) for number in (1, 2, 3)]
    events = list(run_here(plans, separate, cancel=cancel))
    assert begun == [1, 2]
    assert [type(event) for event in events] == [Started, Done, Started]
    assert summarise(len(plans), Counter(map(type, events[1:2]))).n_left == 2


def test_who_stops_listening_ends_the_work() -> None:
    cancel = Event()

    def separate(of: SongPlan, _: object) -> SeparatedFile:
        assert cancel.wait(30)
        return separated(of)

    events = run_here([plan(1), plan(2)], separate, cancel=cancel)
    assert isinstance(next(events), Started)
    events.close()  # type: ignore[attr-defined]
    assert cancel.is_set()


def test_a_failed_song_does_not_keep_what_it_was_made_of() -> None:
    kept: list[ref[Barrier]] = []

    def separate(*_: object) -> SeparatedFile:
        samples = Barrier(1)
        kept.append(ref(samples))
        try:
            return separated(plan(int(str(samples))))
        except ValueError as error:
            raise (FAULT if len(kept) == 1 else AudioFileError(Path("y"), "is none", remedy="")) from error

    events = list(run_here([plan(1), plan(2)], separate, cancel=Event()))
    assert [type(event) for event in events] == [Started, Failed] * 2
    gc.collect()
    assert [each() for each in kept] == [None, None]


def test_a_long_look_at_songs_is_told_and_can_be_stopped(tmp_path: Path) -> None:
    now, told = [0.0], []
    cancel = Event()
    looking = Looking(lambda n_looked, n_all: told.append((n_looked, n_all)), cancel, lambda: now[0])
    seen: list[int] = []

    def see(number: int) -> None:
        seen.append(number)
        now[0] += 1
        if number == 40:
            cancel.set()

    with pytest.raises(CancelledError):
        list(map(see, looking.each(range(1000), 1000)))
    assert seen == list(range(41))
    assert told == [(2, 1000), (32, 1000)]
    with pytest.raises(CancelledError):
        conflicts([plan(1, tmp_path / "a")], may_replace=lambda *_: False, looking=looking)


def test_a_recorded_song_is_not_looked_at_before_its_turn(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    asked: list[int] = []

    def is_recorded(of: SongPlan) -> bool:
        asked.append(of.number)
        return True

    assert conflicts([plan(1, there)], may_replace=lambda *_: False, is_recorded=is_recorded) == []
    assert asked == [1]
    # Recorded or not, a song is never replaced.
    (error,) = conflicts([plan(1, there, path=there)], may_replace=lambda *_: True, is_recorded=is_recorded)
    assert "one of the songs" in str(error)


def test_a_song_is_not_replaced_by_stems_at_the_other_end_of_a_link(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music/a.wav").touch()
    try:
        (tmp_path / "link").symlink_to("music")
    except OSError:
        pytest.skip("may not make links")
    for song, target in (("music", "link"), ("link", "music")):
        one = plan(1, tmp_path / target / "a.wav", path=tmp_path / song / "a.wav")
        (error,) = conflicts([one], may_replace=lambda *_: True)
        assert "one of the songs" in str(error)
