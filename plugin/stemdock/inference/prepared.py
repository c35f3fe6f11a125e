"""Models as onnxruntime has prepared them for one machine, kept so that loading is short.

Preparing takes three times as long as loading what was prepared, and three times the memory. The
result holds for one version of onnxruntime on one kind of processor, which its key therefore names.
Anything that goes wrong here costs time only: then the model is prepared again.
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER_VARIABLE: Final = "STEMDOCK_CACHE"
"""Environment variable: the folder to keep them in, in place of the platform's."""

_MAX_KEPT: Final = 8
"""Files kept, those used last. A model has one or two; together they take as much disk as its float32
weights."""
_ABANDONED_AFTER: Final = 3600.0
"""Seconds; nobody prepares a model for that long."""


@dataclass(frozen=True, slots=True)
class OptimisedModel:
    """The place of one model's prepared form."""

    folder: Path
    key: str

    def find(self) -> Path | None:
        """The prepared model, if there is one and its bytes are what was written."""
        with suppress(OSError):
            for path in self.folder.glob(f"{self.key}-*.onnx"):
                if file_sha256(path) == path.stem.rpartition("-")[2]:
                    with suppress(OSError):  # the folder may be for reading only
                        # The time of writing stays: what is made of this file goes by it.
                        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
                    return path
                path.unlink()
        return None

    def make(self, write: Callable[[Path], object]) -> Path | None:
        """Puts a prepared model in its place, and removes those that were not used lately.

        Args:
            write: Writes it to a file. What it raises goes on to the caller, but for `OSError`.

        Returns:
            The prepared model; None where nothing can be kept.
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
        """Removes what was not used lately, and what a process left that was killed over it."""
        kept = sorted(self.folder.glob("[!.]*.onnx"), key=lambda path: path.stat().st_atime_ns)
        long_ago = time.time() - _ABANDONED_AFTER
        abandoned = [path for path in self.folder.glob(".*.onnx") if path.stat().st_mtime < long_ago]
        for path in [*kept[:-_MAX_KEPT], *abandoned]:
            path.unlink()

    @contextmanager
    def scratch_file(self) -> Iterator[Path]:
        """An empty file for a model, which is gone in the end; raises `OSError`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with scratch_file(self.folder, suffix=".onnx") as path:
            yield path


def optimised_model(model: Path, runtime: str) -> OptimisedModel:
    """Where the prepared form of a model belongs.

    Args:
        model: The model file.
        runtime: Name and version of what prepares it.
    """
    status = model.stat()
    identity = (str(model.resolve()), status.st_size, status.st_mtime_ns, runtime, _processor())
    return OptimisedModel(_folder(), hashlib.sha256(repr(identity).encode()).hexdigest()[:16])


def _folder() -> Path:
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        return Path(folder).expanduser().absolute()
    from platformdirs import user_cache_path  # noqa: PLC0415  not for those who name a folder

    return user_cache_path("stemdock", appauthor=False) / "models"


def _processor() -> str:
    """What tells one kind of processor from another: a home folder may be shared among machines."""
    with suppress(OSError):
        # Of the first processor: the others have the same.
        lines = Path("/proc/cpuinfo").read_text("utf-8").split("\n\n")[0].splitlines()
        return "\n".join(line for line in lines if line.startswith(("model name", "flags", "Features")))
    return f"{platform.machine()} {platform.processor()}"
