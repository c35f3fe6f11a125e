from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from stemdock.lib import atomic
from stemdock.lib.atomic import atomic_file, move_all_to_place, move_to_place, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

KILLED = """
import os, signal, sys
from pathlib import Path
from stemdock.lib.atomic import atomic_file
with atomic_file(Path(sys.argv[1]), part=Path(sys.argv[2]) if sys.argv[2:] else None) as staged:
    staged.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_reader_never_sees_a_part(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, bytes(1 << 20))
    done = Event()

    def write() -> None:
        try:
            for number in range(100):
                write_atomically(path, bytes([number]) * (1 << 20))
        finally:
            done.set()

    writer = Thread(target=write)
    writer.start()
    while not done.is_set():
        content = path.read_bytes()
        assert len(content) == 1 << 20
        assert len(set(content)) == 1
    writer.join()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_writer_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    run = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert run.returncode < 0
    assert path.read_bytes() == b"old"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_the_next_write_removes_what_a_killed_one_left_in_its_part_file(tmp_path: Path) -> None:
    path, part = tmp_path / "file", tmp_path / "file.part"
    subprocess.run([sys.executable, "-c", KILLED, path, part], check=False)
    assert list(tmp_path.iterdir()) == [part]
    write_atomically(path, b"x", part=part)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"x"


def test_an_error_in_the_block_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file.onnx"
    path.write_bytes(b"old")

    def fail(staged: Path) -> None:
        staged.write_bytes(b"new")
        assert staged.suffix == ".onnx"
        assert staged.parent == tmp_path
        raise RuntimeError

    with pytest.raises(RuntimeError), atomic_file(path) as staged:
        fail(staged)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


@pytest.fixture(params=["hard links", "no hard links"])
def _file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: Path, target: Path, **_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), str(source), None, str(target))

    if request.param == "no hard links":
        monkeypatch.setattr(os, "link", link)


@pytest.mark.usefixtures("_file_system")
def test_a_new_file_never_replaces_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"first", overwrite=False)
    with pytest.raises(FileExistsError):
        write_atomically(path, b"second", overwrite=False)
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("_file_system")
def test_if_one_of_several_files_cannot_move_what_was_replaced_comes_back(tmp_path: Path) -> None:
    (tmp_path / "staged").mkdir()
    (tmp_path / "out" / "c").mkdir(parents=True)
    for name in "abcd":
        (tmp_path / "staged" / name).write_text("new")
        if name != "c":
            (tmp_path / "out" / name).write_text("old")
    with pytest.raises(IsADirectoryError):
        move_all_to_place({tmp_path / "staged" / name: tmp_path / "out" / name for name in "abcd"})
    left = {path.name: path.read_text() for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert left == dict.fromkeys("abd", "old")
    staged = {path.name: path.read_text() for path in (tmp_path / "staged").iterdir()}
    assert staged == dict.fromkeys("abcd", "new")


@pytest.mark.usefixtures("_file_system")
def test_what_several_files_replaced_is_gone(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("new")
    (tmp_path / "b").write_text("old")
    move_all_to_place({tmp_path / "a": tmp_path / "b"})
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("b", "new")]


@pytest.mark.usefixtures("_file_system")
def test_a_file_that_appears_at_the_last_moment_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def write() -> None:
        with atomic_file(path, overwrite=False) as staged:
            staged.write_bytes(b"mine")
            path.write_bytes(b"theirs")

    with pytest.raises(FileExistsError):
        write()
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="no permission bits")
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "plain").touch()
    write_atomically(tmp_path / "atomic", b"", overwrite=overwrite)
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "atomic")}
    assert len(modes) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no permission bits")
def test_a_replaced_file_passes_its_permissions_on(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    (tmp_path / "newer").write_bytes(b"newer")
    move_all_to_place({tmp_path / "newer": path})
    assert path.read_bytes() == b"newer"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="no permission bits")
@pytest.mark.parametrize("mode", [0o644, 0o600, 0o660])
@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("part", [None, "part"])
def test_a_file_gets_the_permissions_that_were_given_whatever_the_old_one_had(
    tmp_path: Path, mode: int, is_there: bool, part: str | None
) -> None:
    path = tmp_path / "file"
    before = os.umask(0o002)
    try:
        if is_there:
            path.touch()
            path.chmod(0o666)
        write_atomically(path, b"new", mode=mode, part=tmp_path / part if part else None)
    finally:
        os.umask(before)
    assert [(left, stat.S_IMODE(left.stat().st_mode)) for left in tmp_path.iterdir()] == [(path, mode)]


def test_a_system_without_a_flag_against_links_writes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_NOFOLLOW", raising=False)
    write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be flushed")
def test_a_durable_file_is_flushed_before_it_moves_and_its_folder_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    seen: list[tuple[bool, bytes]] = []

    def fsync(descriptor: int) -> None:
        seen.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), path.read_bytes()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(path, b"new", durable=True)
    assert seen == [(False, b"old"), (True, b"new")]


def test_of_several_files_all_move_or_none(tmp_path: Path) -> None:
    places = {tmp_path / f"staged {name}": tmp_path / "out" / name for name in "abc"}
    for staged in places:
        staged.write_text(staged.name)
    (tmp_path / "out" / "c").mkdir(parents=True)
    with pytest.raises(OSError, match="c"):
        move_all_to_place(places)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["c"]
    (tmp_path / "out" / "c").rmdir()
    for staged in places:
        staged.write_text(staged.name)
    move_all_to_place(places, overwrite=False)
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == {
        name: f"staged {name}" for name in "abc"
    }


def test_a_file_that_is_there_is_told_before_the_work(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(FileExistsError) as caught, atomic_file(path, overwrite=False):
        raise AssertionError
    assert (caught.value.errno, caught.value.filename) == (errno.EEXIST, str(path))
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    with pytest.raises(FileExistsError), atomic_file(tmp_path / "link", overwrite=False):
        raise AssertionError


def test_a_temporary_file_is_no_file_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stemdock.lib.atomic.token_hex", lambda n: "0" * 2 * n)
    theirs = tmp_path / f".{'0' * 16}"
    theirs.write_text("theirs")
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "file", b"mine")
    assert [(path, path.read_text()) for path in tmp_path.iterdir()] == [(theirs, "theirs")]


def test_a_temporary_file_is_hidden_and_empty(tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_text("what a killed process left")
    with atomic_file(tmp_path / "a") as first, atomic_file(tmp_path / "b", part=part) as second:
        assert first.name.startswith(".")
        assert second == part
        assert [path.stat().st_size for path in (first, second)] == [0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.skipif(sys.platform == "win32", reason="no permission bits")
@pytest.mark.usefixtures("_file_system")
@pytest.mark.parametrize("overwrite", [True, False])
def test_any_umask_decides_about_permissions(tmp_path: Path, overwrite: bool) -> None:
    before = os.umask(0)
    try:
        write_atomically(tmp_path / "file", b"", overwrite=overwrite)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666


def test_on_windows_renaming_does_not_replace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed: list[tuple[Path, Path]] = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(type(tmp_path), "rename", lambda *paths: renamed.append(paths))
    (tmp_path / "a").touch()
    move_to_place(tmp_path / "a", tmp_path / "b", overwrite=False)
    assert renamed == [(tmp_path / "a", tmp_path / "b")]
    assert not (tmp_path / "b").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="it moves files in another way")
@pytest.mark.parametrize("is_gone", [False, True])
def test_without_links_a_name_that_was_reserved_in_vain_is_free_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_gone: bool
) -> None:
    def fail(path: Path, target: Path) -> Path:
        # The name is reserved by an empty file with the permissions of any other.
        assert (target.stat().st_size, target.stat().st_mode) == (0, path.stat().st_mode)
        if is_gone:
            target.unlink()
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(type(tmp_path), "replace", fail)
    (tmp_path / "a").write_text("mine")
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        move_to_place(tmp_path / "a", tmp_path / "b", overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_has_one_name_after_it_moved_to_a_free_place(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    move_to_place(tmp_path / "a", tmp_path / "b", overwrite=False)
    assert [(path.name, path.stat().st_nlink) for path in tmp_path.iterdir()] == [("b", 1)]


@pytest.mark.usefixtures("_file_system")
@pytest.mark.parametrize("kind", ["file", "link", "link to a folder"])
def test_what_was_replaced_comes_back_as_what_it_was(tmp_path: Path, kind: str) -> None:
    out, hidden = tmp_path / "out", tmp_path / "hidden"
    for folder in (out, hidden, tmp_path / "folder"):
        folder.mkdir()
    (tmp_path / "elsewhere").write_text("old")
    if kind == "file":
        (out / "a").write_text("old")
    else:
        (out / "a").symlink_to(tmp_path / ("elsewhere" if kind == "link" else "folder"))
    for name in "ab":
        (hidden / name).write_text("new")
    (out / "b").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        move_all_to_place({hidden / name: out / name for name in "ab"})
    assert (caught.value.errno, caught.value.filename) == (errno.EISDIR, str(out / "b"))
    assert (out / "a").is_symlink() == (kind != "file")
    assert (tmp_path / "elsewhere").read_text() == "old"
    assert sorted(path.name for path in out.iterdir()) == ["a", "b"]
    assert sorted(path.name for path in hidden.iterdir()) == ["a", "b"]
    (out / "b").rmdir()
    move_all_to_place({hidden / name: out / name for name in "ab"})
    assert {path.name: (path.is_symlink(), path.read_text()) for path in out.iterdir()} == {
        "a": (False, "new"), "b": (False, "new")
    }  # fmt: skip
    assert list(hidden.iterdir()) == []


@pytest.mark.usefixtures("_file_system")
def test_an_interrupt_between_two_files_moves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    for name in "ab":
        (hidden / name).write_text("new")
        (tmp_path / name).write_text("old")
    move = atomic.move_to_place

    def interrupted(staged: Path, path: Path, *, overwrite: bool) -> None:
        assert [left.name[0] for left in tmp_path.iterdir() if left != hidden and left.name not in "ab"] == []
        if staged.name == "b":
            raise KeyboardInterrupt
        move(staged, path, overwrite=overwrite)

    monkeypatch.setattr(atomic, "move_to_place", interrupted)
    with pytest.raises(KeyboardInterrupt):
        move_all_to_place({hidden / name: tmp_path / name for name in "ab"})
    assert [(tmp_path / name).read_text() for name in "ab"] == ["old", "old"]
    assert {path.name: path.read_text() for path in hidden.iterdir()} == {"a": "new", "b": "new"}


@pytest.mark.usefixtures("_file_system")
def test_several_files_replace_none_unless_they_may(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    for name in "ab":
        (hidden / name).write_text("new")
    (tmp_path / "b").write_text("old")
    with pytest.raises(FileExistsError):
        move_all_to_place({hidden / name: tmp_path / name for name in "ab"}, overwrite=False)
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "b").read_text() == "old"
    assert {path.name: path.read_text() for path in hidden.iterdir()} == {"a": "new", "b": "new"}


def test_files_are_replaced_unless_that_is_forbidden(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(name)
    move_to_place(tmp_path / "a", tmp_path / "b")
    move_all_to_place({tmp_path / "b": tmp_path / "c"})
    with atomic_file(tmp_path / "c") as staged:
        staged.write_text("d")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["d"]


def test_what_disappears_meanwhile_keeps_nothing_else_from_coming_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    for name in "abc":
        (hidden / name).write_text("new")
        (tmp_path / name).write_text("old")
    move = atomic.move_to_place

    def interrupted(staged: Path, path: Path, *, overwrite: bool) -> None:
        if staged.name == "c":
            (tmp_path / "a").unlink()
            raise KeyboardInterrupt
        move(staged, path, overwrite=overwrite)

    monkeypatch.setattr(atomic, "move_to_place", interrupted)
    with pytest.raises(KeyboardInterrupt):
        move_all_to_place({hidden / name: tmp_path / name for name in "abc"})
    assert {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()} == {
        "a": "old", "b": "old", "c": "old"
    }  # fmt: skip


def test_an_old_file_that_somebody_removes_meanwhile_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "a").write_text("new")
    (tmp_path / "a").write_text("old")
    move = atomic.move_to_place

    def move_and_remove(staged: Path, path: Path, *, overwrite: bool) -> None:
        move(staged, path, overwrite=overwrite)
        for aside in hidden.iterdir():
            aside.unlink()

    monkeypatch.setattr(atomic, "move_to_place", move_and_remove)
    move_all_to_place({hidden / "a": tmp_path / "a"})
    assert (tmp_path / "a").read_text() == "new"


@pytest.mark.skipif(sys.platform == "win32", reason="it moves files in another way")
def test_a_second_name_for_a_link_is_never_one_for_its_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Linux never follows; other systems do unless they are told.
    options: list[dict[str, bool]] = []
    link = os.link

    def recorded(source: Path, target: Path, **how: bool) -> None:
        options.append(how)
        link(source, target, **how)

    (tmp_path / "a").write_text("new")
    (tmp_path / "b").symlink_to(tmp_path / "c")
    monkeypatch.setattr(os, "link", recorded)
    move_all_to_place({tmp_path / "a": tmp_path / "b"})
    assert options == [{"follow_symlinks": False}]


def test_nothing_waits_for_the_disk_unless_it_must_be_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_: int) -> None:
        raise AssertionError("flushed")

    monkeypatch.setattr(os, "fsync", fsync)
    with atomic_file(tmp_path / "a") as staged:
        staged.write_bytes(b"a")
    write_atomically(tmp_path / "b", b"b")
    move_all_to_place({tmp_path / "a": tmp_path / "c"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]
    with pytest.raises(AssertionError, match="flushed"):
        write_atomically(tmp_path / "d", b"d", durable=True)
    with pytest.raises(AssertionError, match="flushed"):
        move_all_to_place({tmp_path / "b": tmp_path / "d"}, durable=True)
