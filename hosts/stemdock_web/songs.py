"""One song of a page: its file, its job for the worker, the stems as they grow, and their pictures."""

from __future__ import annotations

import asyncio
import shutil
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, Final, Literal

from stemdock import StemdockError, audio_info, make_private_folder
from stemdock_hostkit import client
from stemdock_hostkit.job.folder import Job
from stemdock_hostkit.job.live import live_stems
from stemdock_hostkit.job.request import Request, Source
from stemdock_web.errors import NoSpaceError, without_paths
from stemdock_web.pictures import Pictures

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from pathlib import Path

    from stemdock_hostkit.job.live import LiveStems
    from stemdock_hostkit.job.states import JobProgress, JobResult
    from stemdock_web.orders import SongOrder
    from stemdock_web.space import Space

HOST: Final = "the web page"
SOURCE: Final = "song"
_LOOK_EVERY: Final = 0.1
"""Seconds between two looks at the stems of the running job."""
_LOOKS_PER_CHECK: Final = 10
"""Looks between two checks of the disk space."""
_PATIENCE: Final = 10.0
"""Seconds to wait for the worker to stop a job; it takes half a second."""

SongState = Literal[
    "queued", "waiting", "asking", "fetching", "loading", "separating", "done", "failed", "cancelled"
]


@dataclass(slots=True, kw_only=True, eq=False)
class Song:
    """A song. All fields change in the server's loop only."""

    identifier: str
    name: str
    """As the page shows it."""
    folder: Path
    title: str
    """What the names of exported files begin with."""
    source: Path
    """The uploaded file."""
    order: SongOrder
    on_change: Callable[[], None]
    state: SongState = "queued"
    text: str = ""
    """What happens, a question, or an error."""
    remedy: str = ""
    fraction: float = 0.0
    remaining: float | None = None
    duration: float | None = None
    """Seconds; None until it is known."""
    live: LiveStems | None = None
    length: int = 0
    """Samples of the stems that can be played."""
    pictures: Pictures | None = None
    cancel: Event = field(default_factory=Event)
    consent: Event = field(default_factory=Event)
    resting: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no job of the song runs, so that its files can be removed."""
    _answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the user has said whether the model may be downloaded."""
    _has_no_space: bool = False
    _job: Job | None = None
    _measuring: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        """No job runs yet."""
        self.resting.set()

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to the song."""
        return self.state in {"done", "failed", "cancelled"}

    def to_values(self) -> dict[str, Any]:
        """What the page knows of the song."""
        live = self.live
        return {
            "id": self.identifier,
            "name": self.name,
            "model": self.order.model,
            "state": self.state,
            "text": self.text,
            "remedy": self.remedy,
            "fraction": self.fraction,
            "remaining": self.remaining,
            "duration": self.duration,
            "stems": list(live.stems) if live else [],
            "sampleRate": live.sample_rate if live else 0,
            "nChannels": live.n_channels if live else 0,
            "length": self.length,
            "nColumns": self.pictures.n_columns if self.pictures else 0,
            "columnLength": self.pictures.column_length if self.pictures else 0,
            "edges": list(self.pictures.edges) if self.pictures else [],
        }

    async def separate(self, executor: Executor, space: Space) -> None:
        """Lets the worker separate the song, and follows it to the end; every error becomes a state."""
        if not self.cancel.is_set() and await self._may_begin():
            with space.separating(self.folder.parent):
                await self._separate(executor, space)

    async def _separate(self, executor: Executor, space: Space) -> None:
        self.resting.clear()
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        # It may take longer than the song, and nothing waits for it.
        self._measuring = asyncio.create_task(self._measure())
        tending = asyncio.create_task(self._tend(done, space))
        try:
            result = await loop.run_in_executor(executor, self._run, loop)
            done.set()
            await tending
            # The stems are in the live file; these files hold them once more.
            await asyncio.to_thread(shutil.rmtree, self.folder / "stems", ignore_errors=True)
            self._finish(result)
        except StemdockError as error:
            self.fail(error)
        except Exception:  # noqa: BLE001  the page's other songs must still be separated
            traceback.print_exc()
            self._fail("Stemdock failed unexpectedly", "Please report the messages in the terminal.")
        finally:
            done.set()
            await asyncio.gather(tending, return_exceptions=True)
            if self._has_no_space:
                # Its samples would keep the space from all others.
                self.live, self.length, self.pictures = None, 0, None
                await asyncio.to_thread(shutil.rmtree, self.folder / "job", ignore_errors=True)
            self.resting.set()
            self.on_change()

    async def _may_begin(self) -> bool:
        """Asks before a model is downloaded. There is no job yet, for which others would have to wait."""
        question = await asyncio.to_thread(self.order.question)
        if question and not self.cancel.is_set():
            self.state, self.text = "asking", question
            self.on_change()
            await self._answered.wait()
        return not self.cancel.is_set()

    def allow_download(self) -> None:
        """The user wants the model to be downloaded."""
        self.consent.set()
        self._answered.set()

    async def remove(self) -> None:
        """Stops the song, and removes its files as soon as the worker has let go of them."""
        self.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.resting.wait(), _PATIENCE)
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    def stop(self) -> None:
        """Cancels the song, running or not."""
        self.cancel.set()
        self._answered.set()
        if self._job:
            self._job.cancel()
        elif not self.is_over:
            self.state = "cancelled"

    async def reset(self) -> None:
        """Makes a song whose separation is over as new, to separate it again."""
        self.state, self.text, self.remedy = "queued", "", ""
        self.fraction, self.remaining = 0.0, None
        self.live, self.length, self.pictures = None, 0, None
        self.cancel, self.consent, self._answered = Event(), Event(), asyncio.Event()
        self._job, self._has_no_space = None, False
        for name in ("job", "stems"):
            await asyncio.to_thread(shutil.rmtree, self.folder / name, ignore_errors=True)

    def fail(self, error: StemdockError) -> None:
        """Shows an error."""
        self._fail(str(error), error.remedy)

    def _fail(self, message: str, remedy: str) -> None:
        names = {self.source: self.name, self.folder / "job": self.name, self.folder: "the song's folder"}
        self.state = "failed"
        self.text = without_paths(message, names)
        self.remedy = without_paths(remedy, names)

    def _run(self, loop: asyncio.AbstractEventLoop) -> JobResult:
        """In a thread: the job from request to result."""
        folder = self.folder / "job"
        make_private_folder(folder)
        job = self._job = Job(folder)
        parts = self.order.parts
        job.write_request(
            Request(
                host=HOST,
                output_folder=self.folder / "stems",
                model=self.order.model,
                sources=(Source(id=SOURCE, name=self.name, path=self.source),),
                stems=parts.stems,
                downmix="auto",
                mixes={parts.rest: ("mixture", *(f"-{stem}" for stem in parts.stems))},
                live=True,
            )
        )

        def on_progress(progress: JobProgress) -> None:
            loop.call_soon_threadsafe(self._progress, progress)

        return client.run(job, on_progress=on_progress, cancel=self.cancel, consent=self.consent)

    def _progress(self, progress: JobProgress) -> None:
        if not self.is_over:
            self.state, self.text = progress.state, progress.text
            self.fraction, self.remaining = progress.fraction, progress.remaining
            self.on_change()

    async def _measure(self) -> None:
        """Finds out how long the song is. Formats that do not say it must be decoded."""
        try:
            info = await asyncio.to_thread(audio_info, self.source)
        except (StemdockError, OSError):
            return  # the job says why, or the song has been removed
        self.duration = info.duration
        self.on_change()

    async def _tend(self, done: asyncio.Event, space: Space) -> None:
        """Shows the stems as they grow, and stops a song for which there is no space."""
        n_looks = 0
        while not done.is_set():
            await self._look()
            if n_looks % _LOOKS_PER_CHECK == 0:
                try:
                    await asyncio.to_thread(space.check_growth, self.folder.parent)
                except NoSpaceError as error:
                    self._has_no_space = True
                    self.stop()
                    self.fail(error)
            n_looks += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), _LOOK_EVERY)
        await self._look()
        if self.pictures:
            await asyncio.to_thread(self.pictures.finish)

    async def _look(self) -> None:
        if self.live is None and self._job is not None:
            self.live = live_stems(self._job, SOURCE)
        if self.live is None or self.live.length == self.length:
            return
        # Sound first.
        self.length = self.live.length
        self.on_change()
        if self.pictures is None:
            self.pictures = Pictures(self.live)
        await asyncio.to_thread(self.pictures.follow, self.length)
        self.on_change()

    def _finish(self, result: JobResult) -> None:
        if self.state == "failed":
            return
        if result.status == "cancelled":
            self.state = "cancelled"
        elif fault := next(iter(result.faults), None):
            self._fail(fault.message, fault.remedy)
        elif not self.live or self.live.length != result.sources[0].length:
            self._fail("The stems are not as long as the song", "Add the song again.")
        else:
            (source,) = result.sources
            self.state, self.fraction, self.remaining = "done", 1.0, None
            self.text = " ".join(f"{self.name} {damage}." for damage in source.damage)
            self.duration = source.length / source.sample_rate
