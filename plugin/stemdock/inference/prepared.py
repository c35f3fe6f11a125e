"""Keeps models as onnxruntime has prepared them for one machine, so that they load faster.

Preparing takes much more time and memory than loading the result. The result is valid for one version of
onnxruntime on one kind of processor, so its key contains both, and the SHA-256 of the model. An error here
costs only time: the model is prepared again.

A prepared model is a folder with the graph and its weights. The system maps the file of the weights into
memory, so they are neither copied nor decoded, and processes share them. Such a file is never changed, only
removed.

A prepared model is not checked as a model file is. So it is used only if this user made it: it must lie in a
folder that no other user can change, and have the checksum of its files in its name, which detects damage. A
checksum is enough for that, and takes less time than a hash: a third of it here, a tenth of it on processors
without instructions for SHA.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from stemdock.lib.atomic import scratch_file
from stemdock.lib.hashing import files_checksum
from stemdock.lib.locking import Lock, LocksUnsupportedError
from stemdock.lib.private_folders import is_private_file, is_private_folder, make_private_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER_VARIABLE: Final = "STEMDOCK_CACHE"
"""Environment variable: folder for prepared models, instead of the platform's cache folder."""

WEIGHTS_NAME: Final = "weights.bin"
"""The file of the weights, in the folder of the graph. It may be missing if a model has none."""
_GRAPH_NAME: Final = "model.onnx"
_REVISION: Final = 5
"""Changes when Stemdock prepares the same models in another way."""
_KEY_LENGTH: Final = 32
_KEPT: Final = re.compile(rf"[0-9a-f]{{{_KEY_LENGTH}}}-[0-9a-f]{{8}}")
_KEPT_BEFORE: Final = re.compile(r"([0-9a-f]{16}){1,2}-[0-9a-f]{64}(\.onnx)?")
"""What Stemdock kept before."""
_SCRATCH: Final = re.compile(r"\.[0-9a-f]{16}(\.onnx)?")
_MAX_KEPT: Final = 8
"""Number of prepared models kept, the most recently used. A model has one or two; together they take as much
disk as its float32 weights."""
_LOCK: Final = ".preparing.lock"
_LONGEST_WAIT: Final = 300.0
"""Seconds for which a process waits for another one that prepares a model."""
_ABANDONED_AFTER: Final = 3600.0
"""Seconds: longer than preparing any model takes."""


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """The place of one model's prepared form."""

    folder: Path
    key: str

    def find(self) -> Path | None:
        """The graph of the prepared model, if it exists and its content is intact."""
        with suppress(OSError):
            for place in self.folder.glob(f"{self.key}-*"):
                if _is_intact(place):
                    with suppress(OSError):  # the folder may be read-only
                        os.utime(place)
                    return place / _GRAPH_NAME
                _remove(place)
        return None

    def make(self, write: Callable[[Path], object]) -> Path:
        """Puts a prepared model in its place, and removes those that were not used recently.

        One process at a time prepares models; the others wait for the result and use it.

        Args:
            write: Writes the graph to a file, and the weights to `WEIGHTS_NAME` beside it. Its exceptions
                reach the caller.

        Returns:
            The graph.

        Raises:
            OSError: The folder cannot be written.
        """
        with self._alone():
            found = self.find()
            if found:
                return found
            staged = self.folder / f".{token_hex(8)}"
            staged.mkdir(mode=0o700)
            try:
                write(staged / _GRAPH_NAME)
                files = _files_in(staged)
                for path in files:
                    path.chmod(0o600)  # whatever the user's umask is
                # Not flushed to the disk: what a power failure damages does not have its hash.
                prepared = staged.rename(self.folder / f"{self.key}-{files_checksum(files)}")
            finally:
                shutil.rmtree(staged, ignore_errors=True)
            with suppress(OSError):  # another process may be removing the same ones
                self._clear()
        return prepared / _GRAPH_NAME

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Waits until no other process prepares a model, but not for a process that has stopped."""
        path = self.folder / _LOCK
        lock = Lock(path)
        acquired = False
        with suppress(LocksUnsupportedError):
            acquired = lock.try_acquire(timeout=_LONGEST_WAIT)
        try:
            yield
        finally:
            if acquired:
                with suppress(OSError):  # Windows cannot remove a file that is open
                    path.unlink()
            lock.release()

    def _clear(self) -> None:
        """Removes models that were not used recently, and the files of processes that were killed."""
        kept = sorted(self._named(_KEPT), key=lambda path: path.lstat().st_mtime_ns)
        long_ago = time.time() - _ABANDONED_AFTER
        abandoned = [path for path in self._named(_SCRATCH) if path.lstat().st_mtime < long_ago]
        for path in [*kept[:-_MAX_KEPT], *abandoned, *self._named(_KEPT_BEFORE)]:
            _remove(path)

    def _named(self, name: re.Pattern[str]) -> list[Path]:
        """What has such names. The folder may contain other files, if people chose it."""
        return [path for path in self.folder.iterdir() if name.fullmatch(path.name)]

    @contextmanager
    def scratch_file(self) -> Iterator[Path]:
        """An empty file for a model, removed at the end; raises `OSError`."""
        with scratch_file(self.folder, suffix=".onnx") as path:
            path.chmod(0o600)  # whatever the user's umask is
            yield path


def _files_in(place: Path) -> list[Path]:
    """The files of a prepared model."""
    return [place / _GRAPH_NAME, *(path for path in [place / WEIGHTS_NAME] if os.path.lexists(path))]


def _is_intact(place: Path) -> bool:
    """Whether a prepared model is this user's, and as it was made. Raises `OSError`."""
    if not is_private_folder(place):
        return False
    files = _files_in(place)
    with suppress(FileNotFoundError):
        return all(map(is_private_file, files)) and files_checksum(files) == place.name.rpartition("-")[2]
    return False


def _remove(path: Path) -> None:
    """Removes a folder or a file; raises `OSError`."""
    with suppress(FileNotFoundError):  # another process may have removed it
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def prepared_model(sha256: str, maker: str) -> PreparedModel:
    """The place of the prepared form of a model.

    Args:
        sha256: Of the model file, hex.
        maker: Name and version of the runtime that prepares it, the part of the model, and its variant.

    Raises:
        UnsafeFolderError: Other users can change the folder.
        OSError: The folder cannot be created.
        RuntimeError: There is no folder for prepared models.
    """
    folder = _folder()
    make_private_folder(folder)
    identity = (_REVISION, sha256, maker, _processor())
    return PreparedModel(folder, hashlib.sha256(repr(identity).encode()).hexdigest()[:_KEY_LENGTH])


def _folder() -> Path:
    """The folder for prepared models.

    Raises:
        RuntimeError: The user has no home folder, as in some containers, and the variable is not set.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        return Path(folder).expanduser().absolute()
    from platformdirs import user_cache_path  # noqa: PLC0415  not needed if a folder is set

    kept = user_cache_path("stemdock", appauthor=False) / "models"
    # Some versions of platformdirs give "~/..." back for a user without a home folder.
    if not kept.is_absolute():
        raise RuntimeError("this user has no home folder")
    return kept


def _processor() -> str:
    """Identifies the kind of processor: several machines may share a home folder."""
    with suppress(OSError):
        # The first processor stands for all.
        lines = Path("/proc/cpuinfo").read_text("utf-8").split("\n\n")[0].splitlines()
        return "\n".join(line for line in lines if line.startswith(("model name", "flags", "Features")))
    return f"{platform.machine()} {platform.processor()}"
