"""Two whole runs at once, what they leave, and whether that is what an undisturbed run leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import numpy as np
import psutil
import soundfile

from fuzz.crowd.trouble import KINDS, STATUSES, Kills, faults_of
from support.child_signals import default_signals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.s3_server import S3Server

N_SONGS: Final = 6
_POISONED: Final = 3
"""Number of the song that kills its worker, from 1."""
_DRIVER: Final = Path(__file__).parents[2] / "support" / "batch_driver.py"
_LONGEST: Final = 600.0
"""Seconds for two runs, after which they count as hung."""
_MOST_RUNS: Final = 12
"""Of one after another, until one ends without a failure. The store is not at fault any more."""
_DELAY: Final = 0.03
"""Seconds before each answer of a slow store."""
_BY_DEATH: Final = frozenset({"SetAsideError", "WorkerLostError"})


@dataclass
class Run:
    """One run of the command, which is started again when it was killed."""

    line: list[str]
    folder: Path
    environment: Mapping[str, str]
    statuses: list[int] = field(default_factory=list)

    def start(self) -> None:
        """Starts it, perhaps again."""
        self.messages = self.folder / f"{uuid4().hex}.messages"
        with default_signals(), self.messages.open("wb") as messages:
            self.process = subprocess.Popen(
                self.line, stdout=subprocess.DEVNULL, stderr=messages, env={**os.environ, **self.environment}
            )

    def workers(self) -> list[int]:
        """Process numbers of its workers."""
        found = []
        with suppress(psutil.Error):
            for child in psutil.Process(self.process.pid).children():
                with suppress(psutil.Error):  # it may just be ending
                    if "spawn_main" in " ".join(child.cmdline()):
                        found.append(child.pid)
        return found

    def has_begun(self) -> bool:
        """Whether a song has begun since it was started."""
        return b'"song"' in self.messages.read_bytes()

    def has_ended(self) -> bool:
        """Whether it ended by itself. If it was killed, it starts again."""
        status = self.process.poll()
        if status is None:
            return False
        if status < 0:
            self.start()
            return False
        return True

    def events(self) -> list[dict[str, Any]]:
        """What it and those before it have told."""
        found = []
        for path in self.folder.glob("*.messages"):
            lines = path.read_bytes().splitlines(keepends=True)
            found += [json.loads(line) for line in lines if line.startswith(b"{") and line.endswith(b"\n")]
        return found

    def finish(self) -> None:
        """Waits for the end of a process that nobody disturbs, and notes its status."""
        self.start()
        try:
            self.statuses.append(self.process.wait(_LONGEST))
        finally:
            self.process.kill()


@dataclass(frozen=True)
class Outcome:
    """Of one case."""

    fault: str
    """What went wrong; empty if nothing did."""
    n_kills: int = 0
    n_failed: int = 0
    """Songs that a run gave up, and a later one did."""


@dataclass
class Crowd:
    """Songs, and what an undisturbed run makes of them."""

    folder: Path
    server: S3Server | None
    """The store; None if all cases are on the disk."""

    def __post_init__(self) -> None:
        """Makes the songs, and separates them."""
        self.music = self.folder / "music"
        self.model = self.folder / "model"
        for path in (self.music, self.model):
            path.mkdir()
        rng = np.random.default_rng(0)
        for number in range(1, N_SONGS + 1):
            samples = rng.uniform(-0.5, 0.5, (16000, 2)).astype(np.float32)
            if number == _POISONED:
                samples[:] = 0
            soundfile.write(self.music / f"{number}.wav", samples, 8000, subtype="FLOAT")
        self.expected = {
            place: self._undisturbed(place) for place in ("disk", "store")[: 1 + bool(self.server)]
        }

    def disturb(self, kind: str, place: str, seed: int, *, n_kills: int = 5) -> Outcome:
        """Lets two runs go at once, and disturbs them.

        Args:
            kind: One of `KINDS`.
            place: "disk" or "store".
            seed: Decides when and what.
            n_kills: How many processes are killed, if any are.
        """
        rng = Random(f"{kind} {place} {seed}")  # noqa: S311  must be reproducible
        kills = Kills(rng, of_drivers=kind == "drivers", n_left=n_kills * (kind in {"workers", "drivers"}))
        with self._out(place) as out, ExitStack() as trouble:
            environment = {"DEADLY": "1"} if kind == "poison" else {}
            # Of drivers that are killed, a third have workers, which are orphans then. Others start sooner.
            options = () if kind == "drivers" and seed % 3 else ("--workers", "2")
            runs = [self._run(out, environment, *options) for _ in range(2)]
            try:
                trouble.enter_context(self._store_at_fault(kind, rng))
                for run in runs:
                    run.start()
                end = time.monotonic() + _LONGEST
                while running := [run for run in runs if not run.has_ended()]:
                    kills.look(running)
                    time.sleep(0.01)
                    if time.monotonic() > end:
                        return Outcome("hung", kills.n_done)
            finally:
                for run in runs:
                    run.process.kill()
                    run.process.wait()
            trouble.close()
            fault = self._fault_of(runs, kind, place)
            told = [event for run in runs for event in run.events() if event["event"] == "failed"]
            return Outcome(fault or self._difference(out, place), kills.n_done, len(told))

    def _fault_of(self, runs: list[Run], kind: str, place: str) -> str:
        told = [event for run in runs for event in run.events()]
        failed = {(event["song"], event["kind"]) for event in told if event["event"] == "failed"}
        if kind == "poison" and {song for song, _ in failed} != {_POISONED}:
            return f"these failed, not the poisoned one alone: {failed}"
        if kind not in STATUSES and not {kind for _, kind in failed} <= _BY_DEATH:
            return f"failed: {failed}"
        n_done = Counter(event["song"] for event in told if event["event"] == "done")
        if place == "disk" and (twice := [song for song, n in n_done.items() if n > 1]):
            return f"separated twice: {twice}"
        return ""

    def _difference(self, out: str, place: str) -> str:
        """Goes on until all is done, and compares."""
        run = self._run(out, {})
        while not run.statuses or run.statuses[-1] != 0:
            if len(run.statuses) == _MOST_RUNS:
                return f"never ends: {run.statuses}"
            run.finish()
            if run.statuses[-1]:
                _forget_deaths(out)
        left, expected = self._content(out), self.expected[place]
        if left != expected:
            names = sorted(name for name in left | expected if left.get(name) != expected.get(name))
            return f"another result: {names}"
        return ""

    def _run(self, out: str, environment: Mapping[str, str], *options: str) -> Run:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        line = [sys.executable, str(_DRIVER), str(self.model), "separate", str(self.music), "-m", "small"]
        line += ["-o", out, "--progress", "json", "--resume", *options]
        return Run(line, folder, {**environment, "TMPDIR": str(folder)})

    def _undisturbed(self, place: str) -> dict[str, bytes]:
        with self._out(place) as out:
            run = self._run(out, {})
            run.finish()
            assert run.statuses == [0], run.events()
            return self._content(out)

    @contextmanager
    def _out(self, place: str) -> Iterator[str]:
        if place == "disk":
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                yield f"{folder}/out"
            return
        assert self.server
        bucket = f"stems-{uuid4().hex}"
        self.server.files.mkdir(bucket)
        yield f"s3://{bucket}/out"
        self.server.files.rm(bucket, recursive=True)

    @contextmanager
    def _store_at_fault(self, kind: str, rng: Random) -> Iterator[None]:
        if self.server is None or kind not in {"slow", *STATUSES}:
            yield
            return
        self.server.delay = _DELAY if kind == "slow" else 0
        if kind in STATUSES:
            self.server.faults.append(faults_of(kind, rng))
        try:
            yield
        finally:
            self.server.delay = 0
            self.server.faults.clear()

    def _content(self, out: str) -> dict[str, bytes]:
        """All that is there, without the claims of processes that were killed after a song was complete."""
        if out.startswith("s3://"):
            assert self.server
            bucket = out.split("/")[2]
            return self.server.content(bucket)
        files = {
            path.relative_to(out).as_posix(): b"" if path.is_dir() else path.read_bytes()
            for path in Path(out).rglob("*")
        }
        return {name: content for name, content in files.items() if not fnmatchcase(name, "*/*.claim")}


def _forget_deaths(out: str) -> None:
    """Does what the error of a song that is set aside recommends."""
    for path in Path(out, ".stemdock").glob("*.claim"):
        path.unlink()


def cases() -> list[tuple[str, str]]:
    """Kinds of trouble and their places."""
    of_stores = {"slow", *STATUSES}
    return [
        (kind, place)
        for kind in KINDS
        for place in ("disk", "store")
        if not (place == "disk" and kind in of_stores)
    ]
