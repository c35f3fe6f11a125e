"""Loads the model before the first song, so that its sound starts sooner."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Final

from stemdock import AudioWriter, Output, StemdockError, make_private_folder
from stemdock_hostkit import client
from stemdock_hostkit.job.folder import Job, new_job_folder
from stemdock_hostkit.job.request import Request, Source
from stemdock_web.songs import HOST

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_EVERY: Final = 30.0
"""Seconds after which a model is loaded again: less than the worker keeps it."""
_SAMPLE_RATE: Final = 44100


class Warmer:
    """Gives the worker a moment of silence to separate, which costs nothing but loading the model."""

    def __init__(self, root: Path, installed: Collection[str]) -> None:
        """Prepares.

        Args:
            root: A private folder for the files.
            installed: Names of the models that need no download.
        """
        self._root = root
        self._installed = installed
        self._latest: dict[str, float] = {}
        self._lock = Lock()

    def warm(self, model: str) -> None:
        """Loads a model, unless that has been done just now. If it fails, the song will say why."""
        with self._lock:
            now = time.monotonic()
            if model not in self._installed or now - self._latest.get(model, -_EVERY) < _EVERY:
                return
            self._latest[model] = now
        try:
            self._separate_silence(model)
        except StemdockError:
            return

    def _separate_silence(self, model: str) -> None:
        import numpy as np  # noqa: PLC0415  slow, and only needed here

        job = Job(new_job_folder(self._root / "warming"))
        try:
            make_private_folder(job.folder / "stems")
            path = job.folder / "silence.wav"
            silence = np.zeros((_SAMPLE_RATE // 10, 2), np.float32)
            with AudioWriter(
                path, output=Output(), sample_rate=_SAMPLE_RATE, n_channels=2, total_length=len(silence)
            ) as writer:
                writer.write(silence)
            job.write_request(
                Request(
                    host=HOST,
                    output_folder=job.folder / "stems",
                    model=model,
                    sources=(Source(id="silence", name="silence", path=path),),
                )
            )
            client.run(job)
        finally:
            job.remove()
