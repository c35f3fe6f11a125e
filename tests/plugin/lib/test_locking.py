from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from stemdock.errors import OutputError
from stemdock.files.staging import remove_abandoned, staging
from stemdock.lib.locking import Lock, LocksUnsupportedError, locked, try_locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

HOLDER = """
import sys
from pathlib import Path
from stemdock.lib.locking import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a lock until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_lock_is_free_again_when_its_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held_elsewhere(path) as process:
        with try_locked(path) as acquired:
            assert not acquired
        process.kill()
        process.wait()
        with try_locked(path) as acquired:
            assert acquired


def test_one_holder_at_a_time_in_one_process_too(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with try_locked(path) as first, try_locked(path) as second:
        assert (first, second) == (True, False)
    with try_locked(path) as third:
        assert third


def test_a_lock_that_was_not_acquired_is_not_released(tmp_path: Path) -> None:
    holder, other = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert holder.try_acquire()
    other.release()
    assert not other.try_acquire()
    holder.release()
    assert other.try_acquire()
    other.release()


def test_a_lock_can_be_released_in_another_thread(tmp_path: Path) -> None:
    holder = Lock(tmp_path / "lock")
    assert holder.try_acquire()
    thread = Thread(target=holder.release)
    thread.start()
    thread.join()
    with try_locked(tmp_path / "lock") as acquired:
        assert acquired


def test_waiting_ends_when_the_lock_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    n_calls = 0
    with held_elsewhere(path) as process:

        def on_wait() -> None:
            nonlocal n_calls
            n_calls += 1
            if n_calls == 2:
                process.kill()

        with locked(path, on_wait=on_wait), try_locked(path) as acquired:
            assert not acquired
    assert n_calls >= 2


def test_waiting_can_be_given_up(tmp_path: Path) -> None:
    entered = Event()

    def give_up() -> None:
        raise KeyboardInterrupt

    path = tmp_path / "lock"
    with held_elsewhere(path), pytest.raises(KeyboardInterrupt), locked(path, on_wait=give_up):
        entered.set()
    assert not entered.is_set()


def test_waiting_starts_at_once_and_looks_several_times_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeouts: list[float] = []

    def try_acquire(_: Lock, timeout: float = 0.0) -> bool:
        timeouts.append(timeout)
        return len(timeouts) == 3

    monkeypatch.setattr(Lock, "try_acquire", try_acquire)
    with locked(tmp_path / "lock") as held:
        assert held
    assert timeouts[0] == 0
    assert all(0 < timeout <= 0.5 for timeout in timeouts[1:])


def test_a_lock_is_not_waited_for_unless_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeouts: list[float] = []
    monkeypatch.setattr(FileLock, "acquire", lambda _, timeout: timeouts.append(timeout))
    Lock(tmp_path / "lock").try_acquire()
    Lock(tmp_path / "lock").try_acquire(0.25)
    assert timeouts == [0, 0.25]


@pytest.mark.parametrize("hold", [locked, try_locked])
def test_the_end_of_the_block_releases_the_lock_after_an_error_too(
    hold: Callable[[Path], AbstractContextManager[bool]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # CPython releases a forgotten lock, too, when its object goes; other Pythons do so later.
    n_releases = 0

    def release(lock: Lock) -> None:
        nonlocal n_releases
        n_releases += 1
        lock._lock.release()

    monkeypatch.setattr(Lock, "release", release)
    with pytest.raises(ValueError, match="failed"), hold(tmp_path / "lock"):
        raise ValueError("failed")
    assert n_releases == 1
    with try_locked(tmp_path / "lock") as acquired:
        assert acquired


def test_a_python_without_locks_is_like_a_file_system_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def acquire(*_: object, **__: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(FileLock, "acquire", acquire)
    with pytest.raises(LocksUnsupportedError):
        Lock(tmp_path / "lock").try_acquire()


WITHOUT_LOCKS = [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL]


def take_locks_away(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Lets the system answer as file systems without locks do."""
    fcntl = pytest.importorskip("fcntl", reason="this system locks in another way")

    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.parametrize("number", WITHOUT_LOCKS)
def test_without_locks_work_goes_on_and_nothing_counts_as_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    take_locks_away(monkeypatch, number)
    with locked(tmp_path / "lock") as held:
        assert not held
    with try_locked(tmp_path / "lock") as acquired:
        assert not acquired


@pytest.mark.parametrize("number", WITHOUT_LOCKS)
def test_without_locks_hidden_folders_are_removed_by_their_run_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    take_locks_away(monkeypatch, number)
    with staging(tmp_path) as folder:
        (folder / "vocals.wav").touch()
        remove_abandoned(tmp_path)
        assert (folder / "vocals.wav").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_fails_otherwise_leaves_no_hidden_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_locks_away(monkeypatch, errno.EIO)
    with pytest.raises(OutputError, match="cannot be written to"), staging(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
