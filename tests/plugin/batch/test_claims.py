from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from pathlib import Path
from threading import Event
from typing import Any, NoReturn

import pytest

from stemdock import OutputError
from stemdock.batch import claim_files, claims
from stemdock.batch.claim_files import ClaimFile, holder_of
from stemdock.batch.claims import PATIENCE, ClaimLostError, Claims, SetAsideError
from stemdock.batch.events import Skipped, SongPlan, Started, UpToDate, Waiting
from stemdock.batch.songs import Song
from support.here import run_here

CLAIMS = """
import sys
from pathlib import Path
from stemdock.batch.claims import Claims
held = Claims(Path(sys.argv[1])).claim("song")
assert held
held.__enter__()
print("held", flush=True)
sys.stdin.read()
"""
FORKED = """
import os, sys
from pathlib import Path
from stemdock.batch.claim_files import ClaimFile
ClaimFile(Path(sys.argv[1], "first.claim"), None).release()
if child := os.fork():
    os.waitpid(child, 0)
else:
    ClaimFile(Path(sys.argv[1], "song.claim"), None)
    print("held", flush=True)
    sys.stdin.readline()
"""

TWO_SONGS = """
import os, sys
from pathlib import Path
from threading import Event, Thread
from stemdock.batch.claims import Claims, SetAsideError
claims = Claims(Path(sys.argv[1]))
in_time, both = Event(), Event()

def deadly():
    held = claims.claim("deadly")
    in_time.set()
    with held:
        try:
            claims.check_deaths("deadly", Path("deadly"))
        except SetAsideError:
            return print("deadly set aside", flush=True)
        both.wait(1)
        os._exit(9)

def harmless():
    in_time.wait()
    with claims.claim("harmless"):
        both.set()
        if len(sys.argv) > 2:
            claims.check_deaths("harmless", Path("harmless"))
            return print("harmless tried", flush=True)
        Event().wait()

for work in (deadly, harmless):
    Thread(target=work).start()
"""


class Clock:
    """A clock that only tests move."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out" / ".stemdock"


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are on other machines."""
    monkeypatch.setattr(claim_files, "is_gone", lambda *_: False)


def watch(claims: Claims, clock: Clock, seconds: float) -> bool:
    """Looks once a second; returns whether the song could be claimed."""
    for _ in range(int(seconds)):
        clock.time += 1
        if claims.claim("song") is not None:
            return True
    return False


def test_one_of_two_holds_a_song_until_it_gives_it_back(folder: Path) -> None:
    one, other = Claims(folder), Claims(folder)
    held = one.claim("song")
    assert held
    with held:
        one.check("song")
        assert other.claim("song") is None
        third = other.claim("third")
        assert third
        with third:
            assert one.claim("third") is None
    again = other.claim("song")
    assert again
    with again:
        assert one.claim("song") is None
    assert not folder.parent.exists()


def test_a_folder_that_was_there_stays(folder: Path) -> None:
    folder.parent.mkdir()
    held = Claims(folder).claim("song")
    assert held
    with held:
        assert list(folder.iterdir()) == [folder / "song.claim"]
    assert list(folder.parent.parent.iterdir()) == [folder.parent]
    assert list(folder.parent.iterdir()) == []


@pytest.mark.parametrize("how", ["killed", "zombie", "another with its number", "started again"])
def test_the_death_of_a_process_of_this_machine_is_known_at_once(
    folder: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CLAIMS, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline().strip() == b"held"
        observer = Claims(folder)
        assert observer.claim("song") is None
        if how in {"killed", "zombie"}:
            process.kill()
            if how == "killed":
                process.wait()
            else:
                os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        elif how == "another with its number":
            path = folder / "song.claim"
            path.write_text(json.dumps(json.loads(path.read_text()) | {"start": "1"}))
        else:
            monkeypatch.setattr(claim_files, "_machine", lambda: "started again")
            process.kill()
            process.wait()
            assert observer.claim("song") is None
            return
        held = observer.claim("song")
        assert held
        with held:
            assert Claims(folder).claim("song") is None
        process.kill()
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("far")
def test_who_does_not_beat_while_it_is_watched_is_dead(folder: Path) -> None:
    clock = Clock()
    first = ClaimFile(_made(folder), None)
    observer = Claims(folder, now=clock)
    assert observer.claim("song") is None
    clock.time += 10 * PATIENCE  # it looked away, or slept
    assert observer.claim("song") is None
    assert not watch(observer, clock, PATIENCE / 2)
    first.beat()
    assert not watch(observer, clock, PATIENCE - 1)
    assert watch(observer, clock, PATIENCE)
    assert not first.holds()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "song.claim"


@pytest.mark.usefixtures("far")
def test_the_beats_of_a_holder_are_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beaten = Event()
    monkeypatch.setattr(claims, "BEAT", 0.01)
    beat = ClaimFile.beat

    def heard(file: ClaimFile) -> None:
        beat(file)
        beaten.set()

    monkeypatch.setattr(ClaimFile, "beat", heard)
    holder = Claims(folder)
    held = holder.claim("song")
    assert held
    with held:
        before = (folder / "song.claim").read_bytes()
        beaten.clear()  # the first may have come before
        assert beaten.wait(60)
        assert (folder / "song.claim").read_bytes() != before
    again = holder.claim("song")
    assert again
    with again:
        beaten.clear()
        assert beaten.wait(60)


@pytest.mark.usefixtures("far")
def test_of_those_that_saw_the_same_death_one_takes_over(folder: Path) -> None:
    path = _made(folder)
    dead = ClaimFile(path, None)
    seen = holder_of(path)
    heir = ClaimFile(path, seen)
    assert heir.holds()
    with pytest.raises(FileExistsError):
        ClaimFile(path, seen)
    # The heir dies, too.
    second = ClaimFile(path, holder_of(path))
    assert [file.holds() for file in (dead, heir, second)] == [False, False, True]
    # Those that were only stopped wake up and disturb nobody.
    dead.beat()
    heir.release()
    dead.release()
    assert second.holds()
    second.release()
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("far")
def test_who_takes_over_too_late_holds_nothing_and_disturbs_nobody(folder: Path) -> None:
    path = _made(folder)
    dead = ClaimFile(path, None)
    seen = holder_of(path)
    heir = ClaimFile(path, seen)
    heir.release()
    assert list(folder.iterdir()) == []
    late = ClaimFile(path, seen)
    assert not late.holds()
    # Meanwhile the song is claimed anew.
    new = ClaimFile(path, None)
    assert new.holds()
    assert not late.holds()
    late.release()
    dead.release()
    dead_again = holder_of(path)
    assert dead_again is not None
    assert new.holds()
    assert list(folder.iterdir()) == [path]
    new.release()
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("far")
def test_who_gives_a_song_back_cannot_be_taken_over_meanwhile(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _made(folder)
    file = ClaimFile(path, None)
    seen = holder_of(path)
    met = []

    def remove(gone: Path) -> None:
        with pytest.raises(FileExistsError) if path.exists() else ExitStack():
            late = ClaimFile(path, seen)
            assert not late.holds()
            late.release()
        met.append(gone)
        gone.unlink(missing_ok=True)

    monkeypatch.setattr(claim_files, "_remove", remove)
    file.release()
    assert met[0] == path


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\0" * 100,
     b'{"token": "../../x", "machine": "", "process": 1, "start": "", "n_beats": 1}'],
)  # fmt: skip
def test_a_damaged_claim_is_one_of_a_dead_holder(folder: Path, content: bytes) -> None:
    clock = Clock()
    observer = Claims(folder, now=clock)
    _made(folder).write_bytes(content)
    assert observer.claim("song") is None
    assert watch(observer, clock, PATIENCE + 1)


def test_of_two_damaged_claims_each_has_its_own_successor(folder: Path) -> None:
    path = _made(folder)
    seen = []
    for changed in (1, 2):
        path.write_bytes(b"")
        os.utime(path, (changed, changed))
        seen.append(holder_of(path))
    late = ClaimFile(path, seen[0])
    assert not late.holds()
    assert ClaimFile(path, seen[1]).holds()


def test_who_finds_that_it_came_too_late_gives_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClaimFile, "holds", lambda _: False)
    assert Claims(folder).claim("song") is None
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("far")
def test_who_has_lost_a_song_is_told_before_it_writes(folder: Path) -> None:
    loser = Claims(folder)
    held = loser.claim("song")
    assert held
    with held:
        loser.check("song")
        heir = ClaimFile(folder / "song.claim", holder_of(folder / "song.claim"))
        with pytest.raises(ClaimLostError):
            loser.check("song")
    assert heir.holds()


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes, and links need a privilege")
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
@pytest.mark.timeout(20)
def test_what_has_the_name_of_a_claim_is_left_alone(folder: Path, tmp_path: Path, kind: str) -> None:
    path = _made(folder)
    precious = tmp_path / "precious"
    precious.write_text("precious")
    if kind == "link":
        path.symlink_to(precious)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    held = Claims(folder).claim("song")
    assert held
    with held:
        pass
    assert list(folder.iterdir()) == [path]
    assert precious.read_text() == "precious"


@pytest.mark.timeout(20)
def test_copies_of_a_claim_lead_to_no_end(folder: Path) -> None:
    path = _made(folder)
    first = ClaimFile(path, None)
    copy = folder / f"song.{json.loads(path.read_text())['token']}.claim"
    copy.write_bytes(path.read_bytes())
    holder = holder_of(path)
    assert holder
    assert list(holder.chain.values()) == [path, copy]
    assert not first.holds()
    # Nobody knows who holds the copy, so it is watched, and then taken over.
    clock = Clock()
    observer = Claims(folder, now=clock)
    assert not watch(observer, clock, PATIENCE - 1)
    assert watch(observer, clock, PATIENCE)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_the_claim_of_a_child_that_was_forked_is_that_of_the_living(folder: Path) -> None:
    _made(folder)
    with subprocess.Popen(
        [sys.executable, "-c", FORKED, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline().strip() == b"held"
        held = Claims(folder).claim("song")
        parent.communicate(b"\n")
    assert held is None
    assert Claims(folder).claim("song") is not None


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.EMFILE])
@pytest.mark.parametrize("looking", [True, False])
def test_an_error_that_may_pass_gives_a_song_to_nobody(
    folder: Path, number: int, looking: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> NoReturn:
        raise OSError(number, os.strerror(number))

    here = Claims(folder)
    held = Claims(folder).claim("song") if looking else nullcontext()
    assert held
    with held, monkeypatch.context() as patch:
        if looking:
            patch.setattr(claims, "holder_of", fail)
        else:
            patch.setattr(ClaimFile, "holds", fail)
        for _ in range(2):
            assert here.claim("song") is None
        assert [path.name for path in folder.glob("*")] == (["song.claim"] if looking else [])
        with pytest.raises(OutputError, match=os.strerror(number)):  # noqa: PT012  after several looks
            for _ in range(100):
                assert here.claim("song") is None
    again = here.claim("song")
    assert again
    with again:
        assert Claims(folder).claim("song") is None


def test_on_a_full_disk_no_song_is_claimed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(claims, "ClaimFile", fail)
    with pytest.raises(OutputError) as raised:
        Claims(folder).claim("song")
    assert raised.value.remedy == "The disk is full. Free some space."


def test_a_song_that_killed_three_processes_is_set_aside_for_an_hour(folder: Path) -> None:
    folder.mkdir(parents=True)
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", CLAIMS, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout
            assert process.stdout.readline().strip() == b"held"
            process.kill()
    left = sorted(folder.iterdir())
    assert len(left) == 3
    for _ in range(2):  # it is not forgotten when the next run comes
        heir = Claims(folder)
        held = heir.claim("song")
        assert held
        with held, pytest.raises(SetAsideError, match=r"a\.wav: set aside, because 3 processes") as raised:
            heir.check_deaths("song", Path("a.wav"))
        assert f"or when you remove {folder / 'song*.claim'}." in raised.value.remedy
        assert sorted(folder.iterdir()) == left
    hour_ago = time.time() - 3601
    for each in left:
        os.utime(each, (hour_ago, hour_ago))
    held = heir.claim("song")
    assert held
    with held:
        heir.check_deaths("song", Path("a.wav"))
        assert Claims(folder).claim("song") is None
    assert not list(folder.glob("*"))


def test_the_neighbour_of_a_song_that_kills_processes_is_not_set_aside(folder: Path) -> None:
    line = [sys.executable, "-c", TWO_SONGS, str(folder)]
    for _ in range(3):
        assert subprocess.run(line, check=False).returncode == 9
    last = subprocess.run([*line, "last"], check=True, capture_output=True, text=True)
    assert last.stdout.splitlines() == ["deadly set aside", "harmless tried"]


def test_a_song_that_a_dead_process_held_is_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("dead", "another"):
        ClaimFile(_made(folder).with_name(f"{name}.claim"), None)
    monkeypatch.setattr(claim_files, "is_gone", lambda *_: True)
    here = Claims(folder)
    running: list[str] = []
    beside: dict[str, set[str]] = {}
    may_end = Event()

    def work(name: str) -> None:
        held = here.claim(name)
        assert held
        with held:
            running.append(name)
            for each in [*running]:
                beside.setdefault(each, set()).update(running)
            if name == "dead":
                works.append(pool.submit(work, "late"))
            may_end.wait(60)
            time.sleep(0.5 if name == "dead" else 0)  # the others could begin
            running.remove(name)

    with ThreadPoolExecutor(10) as pool:
        works = [pool.submit(work, name) for name in ("first", "second")]
        while len(running) < 2:
            time.sleep(0.01)
        works.append(pool.submit(work, "dead"))
        while not here._is_alone:
            time.sleep(0.01)
        works += [pool.submit(work, name) for name in ("third", "another", "fourth")]
        may_end.set()
        for each in works:
            each.result(60)
    assert (beside["dead"], beside["another"]) == ({"dead"}, {"another"})
    assert len(beside) == 7
    assert not list(folder.glob("*"))


def test_where_no_claim_can_be_made_the_song_is_tried(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    held = Claims(tmp_path / "out" / ".stemdock").claim("song")
    assert held
    with held:
        pass


def plans(*numbers: int) -> list[SongPlan]:
    return [SongPlan(number=number, song=Song(path=Path(f"{number}.wav")), targets={}) for number in numbers]


def test_a_song_that_another_process_holds_is_passed_over_and_looked_at_again(folder: Path) -> None:
    elsewhere, here = Claims(folder), Claims(folder)
    other = ExitStack()
    done = []

    def separate(plan: SongPlan, _: object) -> UpToDate:
        done.append(plan.number)
        assert elsewhere.claim(str(plan.number)) is None
        return UpToDate()

    held = elsewhere.claim("1")
    assert held
    other.enter_context(held)
    told = []
    for event in run_here(
        plans(1, 2, 3), separate, claim=lambda plan: here.claim(str(plan.number)), cancel=Event()
    ):
        told.append((event.plan.number, type(event)))
        if isinstance(event, Waiting):
            assert done == [2, 3]
            assert [path.name for path in folder.iterdir()] == ["1.claim"]
            other.close()
    assert told == [
        (2, Started),
        (2, Skipped),
        (3, Started),
        (3, Skipped),
        (1, Waiting),
        (1, Started),
        (1, Skipped),
    ]


def test_a_song_that_was_lost_is_looked_at_again() -> None:
    tries = []

    def separate(plan: SongPlan, _: object) -> UpToDate:
        tries.append(plan.number)
        if len(tries) == 1:
            raise ClaimLostError
        return UpToDate()

    told = [type(event) for event in run_here(plans(1, 2), separate, cancel=Event())]
    assert told == [Started, Started, Skipped, Waiting, Started, Skipped]
    assert tries == [1, 2, 1]


def test_that_a_run_waits_is_told_once() -> None:
    answers = [None, None, nullcontext()]
    events = run_here(plans(1), lambda *_: UpToDate(), claim=lambda _: answers.pop(0), cancel=Event())
    assert [type(event) for event in events] == [Waiting, Started, Skipped]


def test_who_waits_for_others_can_be_stopped() -> None:
    cancel = Event()
    told = []
    for event in run_here(plans(1), lambda *_: UpToDate(), claim=lambda _: None, cancel=cancel):
        told.append(type(event))
        cancel.set()
    assert told == [Waiting]
