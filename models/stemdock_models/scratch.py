"""Scratch folders: one for each task, removed when the task ends or, if it was killed, by a later task."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from stemdock import locked, make_own_folder, try_locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


_THIS_USER_ALONE: Final = 0o700


@contextmanager
def scratch_folder(parent: Path, key: str, on_wait: Callable[[], None]) -> Iterator[Path]:
    """Make an empty folder for one task, and remove it when the task ends.

    Args:
        parent: The folder of all scratch folders; made if it is missing.
        key: What the task works on. Tasks with the same key run one after the other.
        on_wait: Called again and again while another task with this key runs. May raise.

    Raises:
        OSError: The folder cannot be made.
    """
    make_hidden_folder(parent)
    folder = parent / key
    with locked(lock_path(folder), on_wait=on_wait):
        shutil.rmtree(folder, ignore_errors=True)
        _remove_leftovers(parent)
        folder.mkdir(mode=_THIS_USER_ALONE)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def make_hidden_folder(folder: Path) -> None:
    """Make a folder of the store that only this user can enter, unless it exists.

    Raises:
        OSError: The folder cannot be made.
    """
    make_own_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=_THIS_USER_ALONE)


def _remove_leftovers(parent: Path) -> None:
    """Remove the scratch folders of tasks that were killed."""
    for folder in [path for path in parent.iterdir() if path.is_dir()]:
        with try_locked(lock_path(folder)) as free:
            if free:
                shutil.rmtree(folder, ignore_errors=True)


def lock_path(folder: Path) -> Path:
    """The lock of a scratch folder, which its task holds."""
    return folder.with_name(f"{folder.name}.lock")
