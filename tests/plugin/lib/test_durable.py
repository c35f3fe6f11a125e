"""What reaches the disk, and what happens if it does not."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from threading import Barrier

import pytest

from stemdock.lib.atomic import atomic_file, move_all_to_place, write_atomically
from stemdock.lib.durable import flush_file, flush_files, flush_folder, make_folder
from stemdock.lib.obstacles import ObstacleError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="paths of descriptors are Linux's")


def path_of(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were flushed, in order."""
    paths: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: paths.append(str(path_of(descriptor))))
    return paths


def test_without_durable_nothing_waits_for_the_disk(tmp_path: Path, flushed: list[str]) -> None:
    write_atomically(tmp_path / "a", b"")
    with atomic_file(tmp_path / "b"):
        pass
    move_all_to_place({tmp_path / "a": tmp_path / "c"})
    assert flushed == []


def test_files_are_flushed_in_any_number(tmp_path: Path, flushed: list[str]) -> None:
    for n in range(4):
        paths = [tmp_path / f"{n} {number}" for number in range(n)]
        for path in paths:
            path.touch()
        flush_files(paths)
        assert sorted(flushed) == [str(path) for path in paths]
        flushed.clear()


@pytest.mark.parametrize("n", [2, 3])
def test_several_files_are_flushed_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    all_at_once = Barrier(n)
    monkeypatch.setattr(os, "fsync", lambda _: all_at_once.wait(timeout=30))
    paths = [tmp_path / f"{number}" for number in range(n)]
    for path in paths:
        path.touch()
    flush_files(paths)


@pytest.mark.parametrize("n", [1, 3])
def test_a_file_that_cannot_be_flushed_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    opened: list[int] = []

    def fail(descriptor: int) -> None:
        opened.append(descriptor)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    paths = [tmp_path / f"{number}" for number in range(n)]
    for path in paths:
        path.touch()
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        flush_files(paths)
    assert opened
    for descriptor in opened:
        with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
            os.fstat(descriptor)


def test_files_that_cannot_be_flushed_do_not_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    (tmp_path / "old").write_text("old")
    (tmp_path / "new").write_text("new")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        move_all_to_place({tmp_path / "new": tmp_path / "old"}, durable=True)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        write_atomically(tmp_path / "old", b"new", durable=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"old": "old", "new": "new"}


@pytest.mark.parametrize(("platform", "mode"), [("win32", os.O_RDWR), ("linux", os.O_RDONLY)])
def test_windows_flushes_only_files_that_are_open_for_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, mode: int
) -> None:
    (tmp_path / "file").touch()
    genuine, modes = os.open, []

    def open_(path: Path, flags: int) -> int:
        modes.append(flags)
        return genuine(path, flags)

    monkeypatch.setattr(os, "open", open_)
    monkeypatch.setattr(sys, "platform", platform)
    flush_file(tmp_path / "file")
    assert modes == [mode]


def test_a_folder_that_cannot_be_flushed_is_no_error(tmp_path: Path) -> None:
    flush_folder(tmp_path / "nothing")


def test_new_folders_are_flushed_into_their_parents(tmp_path: Path, flushed: list[str]) -> None:
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert sorted(flushed) == [str(tmp_path), str(tmp_path / "a")]
    flushed.clear()
    make_folder(tmp_path / "a" / "b")
    assert flushed == []
    make_folder(tmp_path / "a" / "c")
    assert flushed == [str(tmp_path / "a")]


def test_what_is_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(ObstacleError, match="is a file"):
        make_folder(tmp_path / "a" / "b")


def test_the_folders_of_several_files_are_flushed_after_they_have_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, bool]] = []
    places = {}
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / f"staged {name}").write_text("new")
        places[tmp_path / f"staged {name}"] = tmp_path / name / "file"

    def fsync(descriptor: int) -> None:
        name = path_of(descriptor).relative_to(tmp_path).as_posix()
        seen.append((name, all(path.exists() for path in places.values())))

    monkeypatch.setattr(os, "fsync", fsync)
    move_all_to_place(places, durable=True)
    assert sorted(seen) == [("a", True), ("b", True), ("staged a", False), ("staged b", False)]


def test_a_folder_that_another_process_removes_meanwhile_is_made_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a" / "b"
    # First it is there and then gone, next the folder above it goes.
    answers: list[OSError] = [FileExistsError(errno.EEXIST, ""), FileNotFoundError(errno.ENOENT, "")]
    mkdir = os.mkdir

    def disturbed(path: str | Path, mode: int = 0o777) -> None:
        if Path(path) == folder and answers:
            raise answers.pop(0)
        mkdir(path, mode)

    monkeypatch.setattr("os.mkdir", disturbed)
    make_folder(folder)
    assert folder.is_dir()
    assert answers == []
