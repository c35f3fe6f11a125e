from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NoReturn

import pytest

from stemdock.errors import OutputError
from stemdock.files.staging import remove_abandoned, staging, temporary_folder
from stemdock.lib.locking import Lock, LocksUnsupportedError

PROGRAM = """
import os, sys
from pathlib import Path
from stemdock.files.staging import staging
with staging(Path(sys.argv[1])) as folder:
    (folder / "vocals.wav").write_text("half")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_folder_for_unfinished_files_leaves_nothing(tmp_path: Path) -> None:
    with staging(tmp_path / "a" / "b") as folder:
        (folder / "low.wav").touch()
        assert folder.parent == tmp_path / "a" / "b"
    assert list(tmp_path.iterdir()) == []


def test_what_was_put_in_its_place_stays(tmp_path: Path) -> None:
    with staging(tmp_path / "a") as folder:
        (folder / "low.wav").touch()
        (folder / "low.wav").replace(tmp_path / "a" / "low.wav")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["low.wav"]


def test_the_living_keep_their_folders_and_the_dead_do_not(tmp_path: Path) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, tmp_path / "song"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with run:
        try:
            assert run.stdout is not None
            run.stdout.readline()
            (tmp_path / "song" / f".stemdock-{'0' * 16}").mkdir()
            remove_abandoned(tmp_path / "song")
            (left,) = (tmp_path / "song").iterdir()
            assert (left / "vocals.wav").exists()
        finally:
            run.kill()
            run.wait()
    assert left.exists()
    remove_abandoned(tmp_path / "song")
    assert list(tmp_path.iterdir()) == []


def test_within_one_process_the_living_keep_theirs_too(tmp_path: Path) -> None:
    with staging(tmp_path) as folder:
        remove_abandoned(tmp_path)
        assert folder.exists()


def test_without_locks_nothing_counts_as_abandoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> bool:
        raise LocksUnsupportedError

    monkeypatch.setattr("stemdock.files.staging.Lock.try_acquire", no_locks)
    with staging(tmp_path / "song") as folder:
        (folder / "vocals.wav").touch()
        remove_abandoned(tmp_path / "song")
        assert (folder / "vocals.wav").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_another_run_took_for_abandoned_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[Path] = []
    acquire = Lock.try_acquire

    def acquire_too_late(lock: Lock) -> bool:
        acquired = acquire(lock)
        if not lost:
            lost.extend(tmp_path.glob(".stemdock-*"))
            shutil.rmtree(lost[0])
        return acquired

    monkeypatch.setattr("stemdock.files.staging.Lock.try_acquire", acquire_too_late)
    (tmp_path / "mine.txt").touch()
    with staging(tmp_path) as folder:
        assert [folder] != lost
        (folder / "vocals.wav").touch()
        remove_abandoned(tmp_path)
        assert (folder / "vocals.wav").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_signal_before_the_folder_is_locked_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: object) -> bool:
        raise SystemExit(143)

    monkeypatch.setattr("stemdock.files.staging.Lock.try_acquire", ended)
    with pytest.raises(SystemExit), staging(tmp_path / "song"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_no_system_can_have(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="null character"), staging(tmp_path / "a\0b"):
        pass


def test_a_folder_that_is_not_there_has_nothing_abandoned(tmp_path: Path) -> None:
    remove_abandoned(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_folder_with_other_files_stays(tmp_path: Path) -> None:
    (tmp_path / "song" / f".stemdock-{'0' * 16}").mkdir(parents=True)
    (tmp_path / "song" / "mine.txt").touch()
    remove_abandoned(tmp_path / "song")
    assert [path.name for path in (tmp_path / "song").iterdir()] == ["mine.txt"]


def test_a_folder_of_the_user_with_a_similar_name_stays(tmp_path: Path) -> None:
    (tmp_path / ".stemdock-notes").mkdir()
    (tmp_path / ".stemdock-notes" / "mine.txt").touch()
    remove_abandoned(tmp_path)
    assert (tmp_path / ".stemdock-notes" / "mine.txt").exists()


def test_what_a_power_failure_left_without_a_lock_is_removed(tmp_path: Path) -> None:
    left = tmp_path / f".stemdock-{'0' * 16}"
    left.mkdir()
    (left / "vocals.wav").touch()
    (tmp_path / "mine.txt").touch()
    remove_abandoned(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def make_abandoned(folder: Path, digit: str) -> Path:
    """A hidden folder as a killed run leaves it."""
    path = folder / f".stemdock-{digit * 16}"
    path.mkdir(parents=True)
    (path / "vocals.wav").touch()
    (path / ".lock").touch()
    return path


def test_an_empty_folder_stays_if_nothing_in_it_was_abandoned(tmp_path: Path) -> None:
    (tmp_path / "song").mkdir()
    remove_abandoned(tmp_path / "song")
    assert (tmp_path / "song").exists()


def test_all_that_was_abandoned_goes_and_then_the_folder(tmp_path: Path) -> None:
    for digit in "012":
        make_abandoned(tmp_path / "song", digit)
    remove_abandoned(tmp_path / "song")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_in_use_or_cannot_be_removed_keeps_no_other_from_going(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [make_abandoned(tmp_path, digit) for digit in "0123"]
    acquire = Lock.try_acquire
    locks = {"0": OSError(errno.EIO, os.strerror(errno.EIO)), "2": None}

    def try_acquire(lock: Lock) -> bool:
        fault = locks.get(lock._path.parent.name[-1], lock)
        if isinstance(fault, OSError):
            raise fault
        return fault is not None and acquire(lock)

    monkeypatch.setattr(Lock, "try_acquire", try_acquire)
    remove_abandoned(tmp_path)
    assert [path.exists() for path in paths] == [True, False, True, False]
    assert (paths[0] / "vocals.wav").exists()
    assert (paths[2] / "vocals.wav").exists()


def test_a_folder_that_cannot_be_listed_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_abandoned(tmp_path, "0")

    def glob(*_: object) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "glob", glob)
    remove_abandoned(tmp_path)
    assert path.exists()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no numbers for users")
def test_the_folder_of_another_user_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_abandoned(tmp_path, "0")
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    remove_abandoned(tmp_path)
    assert path.exists()
    monkeypatch.delattr(os, "getuid")
    remove_abandoned(tmp_path)
    assert not path.exists()


def test_what_another_machine_may_be_writing_stays_for_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with staging(tmp_path) as here:
        name = here.name.partition(".stemdock-")[2].partition(".")
    assert [len(each) for each in name] == [16, 1, 8]
    with monkeypatch.context() as elsewhere, ExitStack() as folders:
        elsewhere.setattr("stemdock.files.staging.machine_name", lambda: "another")
        path = folders.enter_context(staging(tmp_path))
        (path / "vocals.wav").write_text("half")
        # Its locks are not seen here.
        elsewhere.setattr(Lock, "try_acquire", lambda *_: True)
        elsewhere.setattr("stemdock.files.staging.machine_name", lambda: "here")
        for last in (0, 23):
            hours_ago = time.time() - last * 3600
            for changed in (path, *path.iterdir()):
                os.utime(changed, (hours_ago, hours_ago))
            remove_abandoned(tmp_path)
            assert (path / "vocals.wav").read_text() == "half"
        for changed in (path, *path.iterdir()):
            os.utime(changed, (hours_ago - 7200, hours_ago - 7200))
        remove_abandoned(tmp_path)
        assert not path.exists()


def test_another_run_cannot_get_the_lock_before_the_folder_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    release = Lock.release

    def look_and_release(lock: Lock) -> None:
        seen.append(list(tmp_path.iterdir()))
        release(lock)

    monkeypatch.setattr(Lock, "release", look_and_release)
    with staging(tmp_path) as folder:
        (folder / "vocals.wav").touch()
        (folder / "parts").mkdir()
        (folder / "parts" / "1.wav").touch()
    assert seen == [[]]


def test_where_open_files_cannot_be_removed_the_folder_goes_after_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released: list[Lock] = []
    release, unlink = Lock.release, os.unlink

    def note_and_release(lock: Lock) -> None:
        released.append(lock)
        release(lock)

    def refuse(path: str | os.PathLike[str], **options: int | None) -> None:
        if Path(path).name == ".lock" and not released:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        unlink(path, **options)

    monkeypatch.setattr(Lock, "release", note_and_release)
    monkeypatch.setattr(os, "unlink", refuse)
    with staging(tmp_path) as folder:
        (folder / "vocals.wav").touch()
    assert len(released) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are listed by Linux only")
def test_no_file_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def n_open() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = n_open()
    with staging(tmp_path):
        assert n_open() == before + 1  # the lock
    assert n_open() == before

    def ended(*_: object) -> NoReturn:
        raise SystemExit(143)

    monkeypatch.setattr(Lock, "try_acquire", ended)
    with pytest.raises(SystemExit), staging(tmp_path):
        pass
    assert n_open() == before


@pytest.mark.skipif(sys.platform == "win32", reason="no permission bits")
def test_only_its_user_can_enter_the_folder_or_open_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []

    def look(lock: Lock) -> bool:
        modes.append([stat.S_IMODE(path.stat().st_mode) for path in (lock._path.parent, lock._path)])
        return True

    monkeypatch.setattr(Lock, "try_acquire", look)
    before = os.umask(0)
    try:
        with staging(tmp_path):
            pass
    finally:
        os.umask(before)
    assert modes == [[0o700, 0o600]]


def test_a_folder_that_is_always_taken_for_abandoned_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lock, "try_acquire", lambda _: False)
    with pytest.raises(OutputError, match="cannot be written to") as caught, staging(tmp_path / "song"):
        pass
    assert caught.value.path == tmp_path / "song"
    assert caught.value.remedy == "Choose a folder that you have permission to write to."
    assert list(tmp_path.iterdir()) == []


def test_the_remedy_suits_the_reason_or_is_the_callers(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for remedy, expected in (("", "Choose another folder."), ("Ask.", "Ask.")):
        with (
            pytest.raises(OutputError, match="not a folder") as caught,
            staging(tmp_path / "file" / "a", remedy=remedy),
        ):
            pass
        assert caught.value.remedy == expected
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_after_an_error_in_the_block_nothing_is_left(tmp_path: Path) -> None:
    def fail() -> None:
        with staging(tmp_path / "a" / "b") as folder:
            (folder / "vocals.wav").touch()
            raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_folders_that_were_there_stay_even_if_they_are_empty(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with staging(tmp_path / "a" / "b"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert list((tmp_path / "a").iterdir()) == []


REMOVING = """
import sys
from pathlib import Path
from stemdock.files.staging import remove_abandoned
while not Path(sys.argv[1], "stop").exists():
    remove_abandoned(Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_while_another_run_cleans_up_every_folder_is_made_and_kept(tmp_path: Path) -> None:
    runs = [subprocess.Popen([sys.executable, "-c", REMOVING, tmp_path]) for _ in range(2)]
    try:
        (tmp_path / "mine.txt").touch()
        for _ in range(800):
            with staging(tmp_path) as folder:
                (folder / "vocals.wav").touch()
                assert all((folder / name).exists() for name in ("vocals.wav", ".lock") * 5)
                assert sys.platform == "win32" or folder.stat().st_mode & 0o777 == 0o700
    finally:
        (tmp_path / "stop").touch()
        assert [run.wait(60) for run in runs] == [0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt", "stop"]


@pytest.mark.parametrize("moment", ["the parent is made", "the folder is made", "the lock is made"])
def test_a_folder_that_another_run_removes_at_the_worst_moment_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    make, opened, n_removed = os.mkdir, os.open, 0

    def remove() -> None:
        nonlocal n_removed
        n_removed += 1
        remove_abandoned(tmp_path / "song")

    def mkdir(path: str | os.PathLike[str], mode: int = 0o777) -> None:
        make(path, mode)
        wanted = "song" if moment == "the parent is made" else ".stemdock-"
        if moment != "the lock is made" and Path(path).name.startswith(wanted) and not n_removed:
            remove()
            with suppress(OSError):
                (tmp_path / "song").rmdir()

    def open_(path: str | os.PathLike[str], *arguments: int, dir_fd: int | None = None) -> int:
        file = opened(path, *arguments, dir_fd=dir_fd)
        if moment == "the lock is made" and Path(path).name == ".lock" and not n_removed:
            remove()
        return file

    monkeypatch.setattr(os, "mkdir", mkdir)
    monkeypatch.setattr(os, "open", open_)
    with staging(tmp_path / "song") as folder:
        (folder / "vocals.wav").touch()
        remove_abandoned(tmp_path / "song")
        assert (folder / "vocals.wav").exists()
    assert n_removed == 1
    assert list(tmp_path.iterdir()) == []


COPYING = """
import sys, time
from stemdock.batch.standard_input import copied_to_file
with copied_to_file(sys.stdin.buffer) as path:
    print(path, flush=True)
    time.sleep(600)
"""


def test_the_copy_of_a_killed_run_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    run = subprocess.Popen([sys.executable, "-c", COPYING], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with run:
        assert run.stdin is not None
        assert run.stdout is not None
        run.stdin.write(b"a song")
        run.stdin.close()
        assert run.stdout.readline()
        with temporary_folder():
            assert len(list(tmp_path.iterdir())) == 2
        run.kill()
        run.wait()
    assert len(list(tmp_path.iterdir())) == 1
    with temporary_folder():
        pass
    assert list(tmp_path.iterdir()) == []
    assert tmp_path.exists()
