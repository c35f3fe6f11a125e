"""Keeps models as onnxruntime has prepared them for one machine, so that they load faster.

Preparing takes three times the time and memory of loading the result. The result is valid for one version
of onnxruntime on one kind of processor, so its key contains both. An error here costs only time: the model
is prepared again.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.lib.atomic import move_to_place, scratch_file
from stemdock.lib.hashing import file_sha256
from stemdock.lib.paths import resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER_VARIABLE: Final = "STEMDOCK_CACHE"
"""Environment variable: folder for prepared models, instead of the platform's cache folder."""

_MAX_KEPT: Final = 8
"""Number of files kept, the most recently used. A model has one or two; together they take as much disk as
its float32 weights."""
_ABANDONED_AFTER: Final = 3600.0
"""Seconds: longer than preparing any model takes."""


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """The place of one model's prepared form."""

    folder: Path
    key: str

    def find(self) -> Path | None:
        """The prepared model, if it exists and its content is intact."""
        with suppress(OSError):
            for path in self.folder.glob(f"{self.key}-*.onnx"):
                if file_sha256(path) == path.stem.rpartition("-")[2]:
                    with suppress(OSError):  # the folder may be read-only
                        os.utime(path)
                    return path
                path.unlink()
        return None

    def make(self, write: Callable[[Path], object]) -> Path | None:
        """Puts a prepared model in its place, and removes those that were not used recently.

        Args:
            write: Writes the model to a file. All its exceptions but `OSError` reach the caller.

        Returns:
            The prepared model; None if the folder cannot be written.
        """
        with suppress(OSError), self.scratch_file() as staged:
            write(staged)
            prepared = self.folder / f"{self.key}-{file_sha256(staged)}.onnx"
            move_to_place(staged, prepared)
            with suppress(OSError):  # another process may be removing the same ones
                self._clear()
            return prepared
        return None

    def _clear(self) -> None:
        """Removes models that were not used recently, and the files of processes that were killed."""
        kept = sorted(self.folder.glob("[!.]*.onnx"), key=lambda path: path.stat().st_atime_ns)
        long_ago = time.time() - _ABANDONED_AFTER
        abandoned = [path for path in self.folder.glob(".*.onnx") if path.stat().st_mtime < long_ago]
        for path in [*kept[:-_MAX_KEPT], *abandoned]:
            path.unlink()

    @contextmanager
    def scratch_file(self) -> Iterator[Path]:
        """An empty file for a model, removed at the end; raises `OSError`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with scratch_file(self.folder, suffix=".onnx") as path:
            yield path


def prepared_model(model: Path, maker: str) -> PreparedModel:
    """The place of the prepared form of a model.

    Args:
        model: The model file.
        maker: Name and version of the runtime that prepares it, the part of the model, and its variant.

    Raises:
        RuntimeError: There is no folder for prepared models.
    """
    status = model.stat()
    identity = (str(resolved(model)), status.st_size, status.st_mtime_ns, maker, _processor())
    return PreparedModel(_folder(), hashlib.sha256(repr(identity).encode()).hexdigest()[:16])


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
