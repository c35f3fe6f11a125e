"""Exports that are being made: each can be followed and cancelled, and no request waits for its end."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, field, replace
from secrets import token_hex
from threading import Event
from typing import TYPE_CHECKING

from stemdock import Progress, StemdockError, make_private_folder, os_errors_as
from stemdock_web.errors import NoSpaceError, RefusedError, without_paths
from stemdock_web.export_orders import n_bytes_of
from stemdock_web.exporting import Exported, export

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

    from stemdock_hostkit.job.live import LiveStems
    from stemdock_web.export_orders import Order
    from stemdock_web.songs import Song
    from stemdock_web.space import Space


@dataclass(slots=True, kw_only=True, eq=False)
class RunningExport:
    """An export, from the order to the file."""

    song: Song
    live: LiveStems
    """Its complete stems."""
    order: Order
    fraction: float = 0.0
    """Finished share."""
    cancel: Event = field(default_factory=Event)
    _task: asyncio.Task[Exported] | None = None

    def begin(self, folder: Path, turn: asyncio.Lock, executor: Executor, space: Space) -> None:
        """Begins.

        Args:
            folder: That of the page; the file gets a folder in it.
            turn: Held while an export of this page is made.
            executor: Makes it.
            space: What is left for it.
        """
        self._task = asyncio.create_task(self._run(folder, turn, executor, space))

    async def wait(self, seconds: float) -> Exported | None:
        """Waits for the file; None if that takes longer.

        Raises:
            RefusedError: It cannot be made.
        """
        assert self._task  # noqa: S101  it has begun
        done, _ = await asyncio.wait({self._task}, timeout=seconds)
        return self._task.result() if done else None

    @property
    def is_over(self) -> bool:
        """Whether there is a file, or a reason why there is none."""
        return self._task is not None and self._task.done()

    async def end(self) -> None:
        """Stops it, waits for that, and removes its file."""
        self.cancel.set()
        if self._task:
            (result,) = await asyncio.gather(self._task, return_exceptions=True)
            if isinstance(result, Exported):
                await asyncio.to_thread(shutil.rmtree, result.path.parent, ignore_errors=True)

    async def _run(self, folder: Path, turn: asyncio.Lock, executor: Executor, space: Space) -> Exported:
        loop = asyncio.get_running_loop()
        async with turn:
            return await loop.run_in_executor(executor, self._make, folder / f"export-{token_hex(8)}", space)

    def _make(self, folder: Path, space: Space) -> Exported:
        """Exports into a new folder, which is removed if that fails."""
        source = self.song.source
        try:
            with (
                os_errors_as(_failed, keep=StemdockError),
                space.promised(n_bytes_of(self.order, self.live, source.stat().st_size)),
            ):
                make_private_folder(folder)
                exported = export(self.live, source, folder, self.order, self._follow, self.cancel)
            names = {source: self.song.name, exported.path: "the file", folder: "the export"}
            return replace(exported, notes=tuple(without_paths(note, names) for note in exported.notes))
        except NoSpaceError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        except StemdockError as error:
            shutil.rmtree(folder, ignore_errors=True)
            names = {source: self.song.name, folder: "the export"}
            raise RefusedError(
                422, without_paths(str(error), names), remedy=without_paths(error.remedy, names)
            ) from error

    def _follow(self, progress: Progress) -> None:
        self.fraction = progress.done_length / progress.total_length if progress.total_length else 0.0


def _failed(reason: str) -> RefusedError:
    return RefusedError(422, f"the export failed ({reason})", remedy="Check that the song is still there.")
