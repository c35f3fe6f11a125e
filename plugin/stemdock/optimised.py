"""Models as onnxruntime has prepared them for one machine, kept so that loading is short.

Preparing takes three times as long as loading what was prepared, and three times the memory. The
result holds for one version of onnxruntime on one kind of processor, which its key therefore names.
Anything that goes wrong here costs time only: then the model is prepared again.
"""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stemdock.plainfile import file_sha256

FOLDER_VARIABLE: Final = "STEMDOCK_CACHE"
"""Environment variable: the folder to keep them in, in place of the platform's."""

_MAX_KEPT: Final = 4
"""Models kept, those used last; each takes as much disk as the float32 weights."""


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

    def stage(self) -> Path | None:
        """A file to write the prepared model to; None where nothing can be kept."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=".", suffix=".onnx", dir=self.folder)
        except OSError:
            return None
        os.close(descriptor)
        return Path(name)

    def keep(self, staged: Path) -> None:
        """Puts a written file in its place, and removes those that were not used lately."""
        with suppress(OSError):
            staged.replace(self.folder / f"{self.key}-{file_sha256(staged)}.onnx")
            kept = sorted(self.folder.glob("[!.]*.onnx"), key=lambda path: path.stat().st_atime_ns)
            for path in kept[:-_MAX_KEPT]:
                path.unlink()


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
