"""Files that appear complete or not at all.

Content is first written to a temporary file in the same folder, which then moves to its place in one
step. Readers see the old file or the new one, never a part, whatever happens to the writer.

A folder of temporary files for several results at once is `stemdock.files.staging`.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, TypeVar

from stemdock.lib.durable import flush_file, flush_files, flush_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stemdock.lib.arguments import StrPath

_StrPathT = TypeVar("_StrPathT", bound="StrPath")


@contextmanager
def atomic_file(
    path: StrPath,
    *,
    overwrite: bool = True,
    durable: bool = False,
    part: StrPath | None = None,
    mode: int | None = None,
) -> Iterator[Path]:
    """Gives a temporary file to write, and moves it to its place when the block ends without an error.

    Args:
        path: The place. A file that is replaced passes its permissions on to the new one.
        overwrite: Whether a file in that place is replaced. Otherwise it stays, even if it appears at
            the last moment.
        durable: Whether the content must survive a power failure: it is then flushed to the disk before
            it moves. Costs some milliseconds.
        part: The temporary file, for use by one process at a time: the next write to it replaces what
            a killed process left. A name that is new each time if not given.
        mode: The most permissions that the file gets, such as 0o644 for a program that others must not
            change. If not given, those of the file that is replaced, or of any new file.

    Yields:
        An empty file in the folder of `path`, with the suffix of `path` unless `part` is given. It is
        removed if the block raises.

    Raises:
        FileExistsError: There is a file in the place and `overwrite` is false; raised at the start if
            possible.
        OSError: The file cannot be created, flushed or moved.
    """
    path = Path(path)
    part = None if part is None else Path(part)
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    with scratch_file(path.parent, suffix=path.suffix, part=part, mode=mode) as staged:
        yield staged
        if durable:
            flush_file(staged)
        move_to_place(staged, path, overwrite=overwrite, keep_permissions=mode is None)
        if durable:
            flush_folder(path.parent)


def write_atomically(
    path: StrPath,
    content: bytes,
    *,
    overwrite: bool = True,
    durable: bool = False,
    part: StrPath | None = None,
    mode: int | None = None,
) -> None:
    """Writes a whole file in one step; the arguments and errors are those of `atomic_file`."""
    with (
        atomic_file(path, overwrite=overwrite, durable=durable, part=part, mode=mode) as staged,
        open(staged, "r+b", opener=_open_no_link) as file,
    ):
        file.write(content)


@contextmanager
def scratch_file(
    folder: Path, *, suffix: str = "", part: Path | None = None, mode: int | None = None
) -> Iterator[Path]:
    """Gives a new, empty, hidden file, which is removed at the end unless the block moved it away.

    Args:
        folder: Where; must exist.
        suffix: What the file's name ends with.
        part: The file to use in place of one with a new name. What has this name is removed first.
        mode: The most permissions that the file gets; those of any new file if not given.

    Raises:
        OSError: The file cannot be created.
    """
    path = part or folder / f".{token_hex(8)}{suffix}"
    # Unlike tempfile.mkstemp, this gives the permissions that any new file of the user has.
    if part:
        part.unlink(missing_ok=True)  # not truncated: it may be a link to another file
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o666 if mode is None else mode))
    try:
        yield path
    finally:
        with suppress(OSError):  # usually the block has moved it away
            path.unlink()


def move_to_place(staged: Path, path: Path, *, overwrite: bool = True, keep_permissions: bool = True) -> None:
    """Moves a complete file to its place, in one step.

    Args:
        staged: The file, in the same file system as `path`.
        path: The place.
        overwrite: Whether a file in that place is replaced.
        keep_permissions: Whether a file of this user that is replaced passes its permissions on.

    Raises:
        FileExistsError: There is a file in the place and `overwrite` is false.
        OSError: The file cannot be moved.
    """
    if overwrite:
        if keep_permissions:
            with suppress(OSError):  # there is no file to replace
                _copy_permissions(path, staged)
        staged.replace(path)
    elif sys.platform == "win32":
        staged.rename(path)  # fails if the place is taken, unlike on other systems
    else:
        _move_to_free_place(staged, path)


def move_all_to_place(
    places: Mapping[_StrPathT, StrPath],
    *,
    overwrite: bool = True,
    durable: bool = False,
) -> None:
    """Moves complete files to their places; if one cannot be moved, all files and places are as they were.

    Args:
        places: The place of each file. The folder of the file keeps what is replaced until the end.
        overwrite: As in `move_to_place`.
        durable: Whether the files must survive a power failure: their content is then flushed to the disk
            before they move, and their folders afterwards.

    Raises:
        FileExistsError: There is a file in a place and `overwrite` is false.
        OSError: A file cannot be flushed or moved.
    """
    paths = {Path(staged): Path(path) for staged, path in places.items()}
    if durable:
        flush_files(paths)
    moved: dict[Path, Path] = {}
    kept: dict[Path, Path] = {}
    try:
        for staged, path in paths.items():
            if overwrite and os.path.lexists(path):
                kept[path] = _kept_aside(path, staged.with_name(f".{token_hex(8)}"))
            move_to_place(staged, path, overwrite=overwrite)
            moved[staged] = path
    except BaseException:
        for staged, path in moved.items():
            with suppress(OSError):
                path.replace(staged)
        for path, aside in kept.items():
            with suppress(OSError):
                aside.replace(path)
                aside.unlink()  # if both are names of one file, it has not moved
        raise
    for aside in kept.values():
        with suppress(OSError):
            aside.unlink()
    if durable:
        for folder in {path.parent for path in paths.values()}:
            flush_folder(folder)


def _kept_aside(path: Path, aside: Path) -> Path:
    """Gives a file that is about to be replaced a second name; a folder in its place is an error."""
    if path.is_dir() and not path.is_symlink():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    try:
        os.link(path, aside, follow_symlinks=False)
    except (OSError, NotImplementedError):
        # Memory cards and some network drives have no hard links.
        path.replace(aside)
    return aside


def _move_to_free_place(staged: Path, path: Path) -> None:
    try:
        os.link(staged, path)
    except FileExistsError:
        raise
    except OSError:
        # Memory cards and some network drives have no hard links: an empty file reserves the name.
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o666))
        try:
            staged.replace(path)
        except OSError:
            with suppress(OSError):
                path.unlink()
            raise
    else:
        staged.unlink()


def _copy_permissions(source: Path, target: Path) -> None:
    """Gives a file the permissions of another, but not those of a link or of another user's file."""
    status = source.lstat()
    if stat.S_ISREG(status.st_mode) and status.st_uid == target.lstat().st_uid:
        target.chmod(status.st_mode & (stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO))


def _open_no_link(path: str, flags: int) -> int:
    """Opens a file, but does not follow a link that others put in its place."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))
