"""The stems of a job while it runs: for hosts that play or draw them before they are complete.

    SOURCE-live.json   worker   names of the stems, sample rate and channels; complete as soon as it is there
    SOURCE-live.f32    worker   samples, which grow by whole blocks

Conventions:
    Samples are 32-bit little-endian floating point. A frame holds one sample of each channel of each stem,
    stem after stem. The files stay until the host removes the job's folder.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from stemdock import OutputError, os_errors_as, parse_json, read_regular_file, write_atomically
from stemdock_hostkit.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import BinaryIO

    from stemdock import FloatArray
    from stemdock_hostkit.job.folder import Job

_SAMPLE: Final = "<f4"
_SAMPLE_SIZE: Final = 4
_REMEDY: Final = "Free some disk space, and start the separation again."


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStems:
    """The samples of a source that are separated so far."""

    path: Path
    stems: tuple[str, ...]
    """Names in the order of the samples."""
    sample_rate: int
    """Hz."""
    n_channels: int

    @property
    def frame_size(self) -> int:
        """Bytes of one sample of each channel of each stem."""
        return len(self.stems) * self.n_channels * _SAMPLE_SIZE

    @property
    def length(self) -> int:
        """Samples per channel that can be read now; 0 if the file has gone."""
        try:
            return self.path.stat().st_size // self.frame_size
        except OSError:
            return 0

    def read_bytes(self, start: int, length: int) -> bytes:
        """Reads samples as they are in the file, up to `length` frames from `start`.

        Raises:
            OSError: The file cannot be read.
        """
        with self.path.open("rb") as file:
            # Of the open file: the one of that name may go meanwhile.
            available = file.seek(0, os.SEEK_END) // self.frame_size
            start = min(start, available)
            file.seek(start * self.frame_size)
            return file.read(min(length, available - start) * self.frame_size)

    def read(self, start: int, length: int) -> FloatArray:
        """Reads samples `(n_stems, n_samples, n_channels)`, up to `length` of them from `start`.

        Raises:
            OSError: The file cannot be read.
        """
        import numpy as np  # noqa: PLC0415  slow, and hosts without live stems need no samples

        samples = np.frombuffer(self.read_bytes(start, length), _SAMPLE)
        shaped = samples.reshape(-1, len(self.stems), self.n_channels).transpose(1, 0, 2)
        return shaped.astype(np.float32, copy=False)


def live_stems(job: Job, source: str) -> LiveStems | None:
    """The live stems of a source; None before the first block.

    Args:
        job: A job whose request has `live`.
        source: The id of the source.

    Raises:
        JobError: The worker's description of them is damaged.
    """
    path = _description(job, source)
    try:
        content: Any = parse_json(read_regular_file(path))
        return LiveStems(
            path=_samples(job, source),
            stems=tuple(str(name) for name in content["stems"]),
            sample_rate=int(content["sample_rate"]),
            n_channels=int(content["n_channels"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise JobError(job.folder, f"{path.name} is damaged ({error!r})") from error


class LiveWriter:
    """Writes the live stems of one source: the worker's side."""

    def __init__(self, job: Job, source: str) -> None:
        """Prepares the files without creating them.

        Args:
            job: The job.
            source: The id of the source.
        """
        self._description = _description(job, source)
        self._path = _samples(job, source)
        self._file: BinaryIO | None = None

    def add(self, sample_rate: int, sounds: Mapping[str, FloatArray]) -> None:
        """Adds a block, as `stemdock.Observer.on_block` gives it.

        Raises:
            OutputError: It cannot be written.
        """
        import numpy as np  # noqa: PLC0415  slow, so it follows the first progress line

        frames = np.concatenate(list(sounds.values()), axis=1)
        with os_errors_as(
            lambda reason: OutputError(self._path, f"cannot be written ({reason})", remedy=_REMEDY)
        ):
            if self._file is None:
                self._file = self._path.open("wb")
            self._file.write(frames.astype(_SAMPLE, copy=False).tobytes())
            self._file.flush()
            if not self._description.exists():
                facts = {
                    "stems": list(sounds),
                    "sample_rate": sample_rate,
                    "n_channels": frames.shape[1] // len(sounds),
                }
                write_atomically(self._description, json.dumps(facts).encode("ascii"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()


def _description(job: Job, source: str) -> Path:
    return job.folder / f"{source}-live.json"


def _samples(job: Job, source: str) -> Path:
    return job.folder / f"{source}-live.f32"
