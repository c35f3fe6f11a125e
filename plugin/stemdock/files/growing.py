"""Files that appear under their names while they are written, and grow."""

from __future__ import annotations

import errno
import os
import re
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from stemdock.errors import OutputError, OutputExistsError
from stemdock.lib.durable import flush_files, flush_folder
from stemdock.lib.os_errors import reason_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from stemdock.files.observing import Observer


_REPLACED: Final = re.compile(r"\.(?P<name>.+)\.replaced", re.DOTALL)


class GrowingFiles:
    """Gives temporary files a second name, their place, as soon as they contain sound.

    A hard link is one step, replaces nothing, and lets readers follow the file.
    """

    def __init__(self, staged: Mapping[str, Path], places: Mapping[str, Path], *, overwrite: bool) -> None:
        """Notes the names; nothing appears yet.

        Args:
            staged: The temporary file of each sound, in the file system of its place.
            places: The place of each.
            overwrite: Whether files in the places are replaced; they come back if the separation fails.
        """
        self._staged = staged
        self._places = places
        self._overwrite = overwrite
        self._shown: dict[str, os.stat_result] = {}
        self._aside: dict[str, Path] = {}

    def show(self, name: str) -> None:
        """Gives a file its place; does nothing if it has it.

        Raises:
            OutputExistsError: There is a file in the place, which must not be replaced.
            OutputError: The file system has no hard links.
        """
        if name in self._shown:
            return
        staged, path = self._staged[name], self._places[name]
        try:
            # After a power failure, only the temporary name shows that the file is unfinished, and the file
            # that it replaces must not be lost with the folder that it waits in.
            for folder in (path.parent, staged.parent):
                flush_folder(folder)
            if self._overwrite and os.path.lexists(path):
                self._aside[name] = path.replace(_aside_of(staged))
                flush_folder(staged.parent)
            os.link(staged, path)
        except FileExistsError as error:
            raise OutputExistsError(path) from error
        except (OSError, NotImplementedError) as error:
            reason = reason_for(error) if isinstance(error, OSError) else os.strerror(errno.ENOTSUP)
            raise OutputError(
                path,
                f"cannot grow in this folder ({reason})",
                remedy="Leave --growing out, or choose a folder on another disk.",
            ) from error
        self._shown[name] = staged.lstat()

    def _is_own(self, name: str) -> bool:
        """Whether the file in a place is the shown one: somebody may have put another there."""
        with suppress(OSError):
            return os.path.samestat(self._places[name].lstat(), self._shown[name])
        return False

    def observed(self, observer: Observer) -> Observer:
        """An observer that also shows the files."""

        def on_encoded(name: str, data: bytes) -> None:
            self.show(name)
            if observer.on_encoded:
                observer.on_encoded(name, data)

        return replace(observer, on_encoded=on_encoded)

    @contextmanager
    def withdrawn_on_error(self) -> Iterator[None]:
        """Removes the files from their places if the block raises, and puts back what was there before."""
        try:
            yield
        except BaseException:
            for name in self._shown:
                if self._is_own(name):
                    with suppress(OSError):
                        self._places[name].unlink()
            for name, aside in self._aside.items():
                with suppress(OSError):
                    if not os.path.lexists(self._places[name]):
                        aside.replace(self._places[name])
            raise

    def finish(self) -> None:
        """Completes all files. When this returns, they survive a power failure.

        Raises:
            OutputExistsError: Somebody put another file in a place, which must not be replaced.
            OutputError: A file cannot be written.
        """
        for name, staged in self._staged.items():
            self.show(name)
            path = self._places[name]
            try:
                if _are_same(staged, path):
                    continue
                if self._overwrite or self._is_own(name):  # a cover makes a new file
                    own = staged.lstat()
                    staged.replace(path)
                    self._shown[name] = own
                else:  # the shown file was removed, or is another
                    os.link(staged, path)
                    self._shown[name] = staged.lstat()
            except FileExistsError as error:
                raise OutputExistsError(path) from error
            except OSError as error:
                raise OutputError(
                    path,
                    f"cannot be written ({reason_for(error)})",
                    remedy="Close the programs that use the file, and try again.",
                ) from error
        flush_files(self._places.values())
        for folder in {path.parent for path in self._places.values()}:
            flush_folder(folder)
        # Without their temporary names, the files count as complete.
        for staged in self._staged.values():
            staged.unlink(missing_ok=True)
        for folder in {staged.parent for staged in self._staged.values()}:
            flush_folder(folder)


def replaced_by(place: Path, staged: Path) -> Path:
    """The file that was in a place before; it is still there if the new one does not grow.

    Args:
        place: The place.
        staged: The temporary file for it.
    """
    aside = _aside_of(staged)
    return aside if os.path.lexists(aside) else place


def withdraw_abandoned(hidden: Path) -> None:
    """Removes the files that a killed run let grow, and puts back what was there before.

    Args:
        hidden: The folder of the run's temporary files, in the folder of their places.
    """
    for staged in list(hidden.iterdir()):
        place = hidden.parent / staged.name
        if _are_same(staged, place):
            place.unlink()
    for aside in list(hidden.iterdir()):
        match = _REPLACED.fullmatch(aside.name)
        if match and not os.path.lexists(place := hidden.parent / match["name"]):
            aside.rename(place)


def is_growing(place: Path, hidden: Iterable[Path]) -> bool:
    """Whether a run is writing a file that has its place already, or was killed while it did.

    Args:
        place: The file.
        hidden: Folders of temporary files, in the folder of the place.
    """
    return any(_are_same(folder / place.name, place) for folder in hidden)


def _aside_of(staged: Path) -> Path:
    """Where a file waits that is replaced: beside the temporary file, whose name is taken."""
    return staged.with_name(f".{staged.name}.replaced")


def _are_same(path: Path, other: Path) -> bool:
    """Whether two names are of one file; links are not followed."""
    with suppress(OSError):
        return os.path.samestat(path.lstat(), other.lstat())
    return False
