from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from stemdock.lib.atomic import write_atomically
from stemdock.lib.locking import Lock, try_locked
from stemdock.lib.private_folders import (
    UnsafeFolderError,
    deny_others_writing,
    is_private_file,
    is_private_folder,
    make_own_folder,
    make_private_folder,
)
from stemdock.lib.regular_files import read_regular_file

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no permissions, and links need a privilege")


@pytest.fixture(params=[0, 0o022, 0o077, 0o777])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.usefixtures("_umask")
def test_a_private_folder_is_private_whatever_the_umask(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    make_private_folder(folder)
    make_private_folder(folder)
    assert [mode(path) for path in (folder, folder.parent)] == [0o700, 0o700]
    assert is_private_folder(folder)


@pytest.mark.usefixtures("_umask")
def test_nobody_else_writes_into_an_own_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    make_own_folder(folder)
    assert not mode(folder) & 0o022
    folder.chmod(0o777)
    make_own_folder(folder)
    assert mode(folder) == 0o777  # it was there


def test_an_own_folder_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(NotADirectoryError, match="it is a file, not a folder"):
        make_own_folder(tmp_path / "a")


@pytest.mark.parametrize("kind", ["link", "dangling link", "file", "group", "all", "foreign"])
def test_what_others_can_change_is_refused(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "folder"
    target = tmp_path / "target"
    if kind == "link":
        target.mkdir()
    if "link" in kind:
        folder.symlink_to(target)
    elif kind == "file":
        folder.touch()
    else:
        folder.mkdir()
        folder.chmod({"group": 0o720, "all": 0o702}.get(kind, 0o700))
    if kind == "foreign":
        if os.geteuid():
            pytest.skip("only root can give files to other users")
        os.chown(folder, 65_534, 65_534)
    with pytest.raises(UnsafeFolderError, match=str(folder)):
        make_private_folder(folder)
    assert not is_private_folder(folder)
    assert target.exists() == (kind == "link")


def test_private_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(0o600)
    (tmp_path / "link").symlink_to(path)
    assert is_private_file(path)
    assert not is_private_file(tmp_path / "link")
    path.chmod(0o664)
    assert not is_private_file(path)
    deny_others_writing(path)
    assert mode(path) == 0o644


@pytest.mark.usefixtures("_umask")
def test_a_file_gets_no_more_permissions_than_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_text("old")
    path.chmod(0o777)
    write_atomically(path, b"new", mode=0o644)
    assert not mode(path) & ~0o644


def test_permissions_of_a_link_or_of_another_user_are_not_passed_on(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    target = tmp_path / "target"
    target.touch()
    target.chmod(0o777)
    (tmp_path / "link").symlink_to(target)
    write_atomically(tmp_path / "link", b"new")
    assert mode(tmp_path / "link") == mode(tmp_path / "plain")
    target.chmod(0o4777)
    write_atomically(target, b"new")
    assert mode(target) == 0o777
    if not os.geteuid():
        os.chown(target, 65_534, 65_534)
        write_atomically(target, b"new")
        assert mode(target) == mode(tmp_path / "plain")


def test_a_link_that_appears_while_a_file_is_written_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    part = tmp_path / "part"
    close = os.close

    def close_and_swap(descriptor: int) -> None:
        close(descriptor)
        if part.exists() and not part.is_symlink():
            part.unlink()
            part.symlink_to(precious)

    monkeypatch.setattr(os, "close", close_and_swap)
    with pytest.raises(OSError, match="symbolic link"):
        write_atomically(tmp_path / "file", b"new", part=part)
    assert precious.read_text() == "precious"


@pytest.mark.usefixtures("_umask")
def test_a_lock_is_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with try_locked(path):
        assert not mode(path) & 0o077


@pytest.mark.parametrize("open_to", [0o666, 0o660, 0o606])
def test_a_lock_that_others_could_hold_is_closed(tmp_path: Path, open_to: int) -> None:
    path = tmp_path / "lock"
    path.touch()
    path.chmod(open_to)
    with try_locked(path) as acquired:
        assert acquired
    assert mode(path) == 0o600


@pytest.mark.parametrize("open_to", [0o600, 0o666])
def test_a_lock_is_closed_only_if_it_is_open_and_if_that_is_possible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_to: int
) -> None:
    path = tmp_path / "lock"
    path.touch()
    path.chmod(open_to)
    changed = []

    def chmod(file: Path, mode: int) -> NoReturn:
        changed.append((file, mode))
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(file))

    monkeypatch.setattr(Path, "chmod", chmod)
    with try_locked(path) as acquired:
        assert acquired
    assert changed == ([(path, 0o600)] if open_to == 0o666 else [])


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe"])
def test_what_is_not_a_file_is_no_lock(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "lock"
    if kind == "link":
        (tmp_path / "target").touch()
    if "link" in kind:
        path.symlink_to(tmp_path / "target")
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(OSError, match="lock"):
        Lock(path).try_acquire()
    assert (tmp_path / "target").exists() == (kind == "link")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "large"])
def test_only_small_files_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    (tmp_path / "small").write_bytes(b"12345")
    assert read_regular_file(tmp_path / "small", max_size=5) == b"12345"
    if kind == "link":
        path.symlink_to(tmp_path / "small")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(b"123456")
    with pytest.raises(OSError, match=str(path)):
        read_regular_file(path, max_size=5)
