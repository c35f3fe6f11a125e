"""Work for pools of processes: what happens to a song is in its name."""

from __future__ import annotations

import os
import signal
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stemdock import SeparatedFile, StemdockError
from stemdock.batch.claims import N_TRIES
from stemdock.batch.events import SongPlan, UpToDate
from stemdock.batch.songs import Song
from stemdock.errors import CancelledError
from support.here import FunctionWork

if TYPE_CHECKING:
    from threading import Event

N_FIRST = 2
"""Processes that can load the model before the fault "later" comes."""
LONGEST: float = 120
"""Seconds to wait for what must come."""


class UnpicklableError(StemdockError):
    """Of a plug-in that did not think of processes."""

    def __init__(self) -> None:
        super().__init__("cannot travel", remedy="Stay.")
        self.where = lambda: None


@dataclass(frozen=True)
class ScriptedRecipe:
    """Writes down its process, and does with each song what its name says."""

    folder: Path
    fault: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def open(self, cancel: Event) -> FunctionWork:
        if self.fault == "error":
            raise StemdockError("no model", remedy="Get one.")
        if self.fault == "later" and len(list(self.folder.glob("*.process"))) >= N_FIRST:
            raise StemdockError("no memory any more", remedy="Get some.")
        if self.fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        (self.folder / f"{os.getpid()}.process").touch()
        return FunctionWork(partial(self._separate, cancel), lambda _: nullcontext())

    def _separate(self, cancel: Event, plan: SongPlan, _: object) -> SeparatedFile | UpToDate:
        name = plan.song.naming_path.stem
        with (self.folder / f"{name}.tries").open("a") as tries:
            tries.write(f"{os.getpid()}\n")
        what, _, argument = name.partition(" ")
        while self.fault == "later" and len(list(self.folder.glob("*.process"))) < N_FIRST:
            time.sleep(0.01)  # or else a successor could be among the first
        if what == "deadly" or (what == "mortal" and n_tries(self.folder, name) == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "doomed":
            wait_for(self.folder / f"{argument}.tries")
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "after":
            wait_for(self.folder / f"{argument}.tries")
        while what == "outlasting" and n_tries(self.folder, argument) < N_TRIES:
            time.sleep(0.01)
        if what == "endless" and cancel.wait(LONGEST):
            raise CancelledError
        if what == "bad":
            raise UnpicklableError
        if what == "old":
            return UpToDate()
        return SeparatedFile(
            source=plan.song.naming_path, stems=plan.files, mixes={}, peaks={}, clipped_lengths={}, gain_db=0,
            warnings=(), model="small", n_channels=2, sample_rate=8000, total_length=8000,
        )  # fmt: skip


def n_tries(folder: Path, name: str) -> int:
    path = folder / f"{name}.tries"
    return len(path.read_text().splitlines()) if path.exists() else 0


def wait_for(path: Path) -> None:
    end = time.monotonic() + LONGEST
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.01)


def plans(*names: str) -> list[SongPlan]:
    return [
        SongPlan(number=number, song=Song(path=Path(f"{name}.wav")), targets={})
        for number, name in enumerate(names, 1)
    ]
