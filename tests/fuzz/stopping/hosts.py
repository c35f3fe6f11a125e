"""What is stopped: the workers of the editors. The user then starts the separation again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Final
from unittest import mock

import soundfile

from fuzz.stopping.scenario import Scenario, plugins_of
from stemdock import file_sha256, staging
from stemdock_audacity import courier
from stemdock_audacity.capture.request import CapturedTrack
from stemdock_audacity.capture.request import Request as AudacityRequest
from stemdock_audacity.jobs.job import AudacityJob, add_job
from stemdock_audacity.jobs.queue import JobQueue
from stemdock_audacity.link import transport, unreachable
from stemdock_hostkit import client
from stemdock_hostkit.errors import JobError
from stemdock_hostkit.job.folder import Job, new_job_folder
from stemdock_hostkit.job.request import Request, Source
from stemdock_hostkit.worker.models import Models
from stemdock_hostkit.worker.queue import Queue
from stemdock_hostkit.worker.serving import Service

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fuzz.stopping.scenario import Place
    from stemdock_hostkit.job.states import JobResult

_NOT_IMPORTED: Final = "the stems are kept"


@dataclass(frozen=True)
class _Kit:
    """The queue and the job folders that all hosts of the kit share."""

    place: Place

    def prepare(self) -> None:
        (self.place.state / "queue").mkdir(mode=0o700)
        self._add()

    def work(self) -> None:
        self._serve()
        if not self._result():
            self._add()
            self._serve()
        assert self._result()

    def check(self) -> None:
        if result := self._result():
            assert min(stem.path.stat().st_size for stem in result.sources[0].stems) > 1000

    def result(self) -> dict[str, str]:
        """The stems of the job, and what lies beside them. A killed worker may leave whole stems there."""
        result = self._result()
        assert result
        found = {stem.name: file_sha256(stem.path) for stem in result.sources[0].stems}
        for folder in ("media", "queue"):
            with staging(self.place.state / folder):  # as the next job does
                pass
        for path in (self.place.state / "media").iterdir():
            if path.name.startswith(".") or file_sha256(path) not in found.values():
                found[path.name] = "left"
        for path in (self.place.state / "queue").iterdir():
            found[path.name] = "left in the queue"
        return found

    def _add(self) -> None:
        job = Job(new_job_folder(self.place.state / "jobs"))
        media = self.place.state / "media"
        source = Source(id="1", name="Song", path=self.place.inputs / "one.wav")
        job.write_request(Request(host="Editor", output_folder=media, model="small", sources=(source,)))

    def _serve(self) -> None:
        queue = Queue(self.place.state / "queue")
        for job in self._jobs():
            if not job.is_over:
                queue.put(job)
        service = Service(queue, Models(plugins_of(self.place)))
        try:
            service.run(idle_time=0.02)
        finally:
            service.stop()

    def _jobs(self) -> list[Job]:
        return [Job(path) for path in sorted((self.place.state / "jobs").iterdir())]

    def _result(self) -> JobResult | None:
        for job in self._jobs():
            try:
                result = job.result()
            except JobError:
                continue
            if result and result.status == "ok":
                return result
        return None


@dataclass(frozen=True)
class _Audacity:
    """A courier of Audacity, which has been closed: the stems stay in the folder of the job."""

    place: Place

    def prepare(self) -> None:
        self._queue.prepare()
        self._add()

    def work(self) -> None:
        self._serve()
        if not self._done():
            self._add()
            self._serve()
        assert self._done()

    def check(self) -> None:
        for folder in self._done():
            assert (folder / "stems.aup").stat().st_size > 1000
            assert len(_stems(folder)) == 2
            assert min(path.stat().st_size for path in _stems(folder)) > 1000

    def result(self) -> dict[str, str]:
        *_, folder = self._done()
        return {
            **{path.name: file_sha256(path) for path in _stems(folder)},
            # The folder of a job goes as a whole, after a week.
            **{path.name: "left" for path in self._queue.folder.glob(".*")},
            "message": AudacityJob(folder).phase().message.replace(str(folder), ""),
        }

    @property
    def _queue(self) -> JobQueue:
        return JobQueue(folder=self.place.state / "queue")

    def _add(self) -> None:
        self._queue.prepare()
        song = soundfile.info(self.place.inputs / "one.wav")
        length, rate = song.frames, song.samplerate
        track = CapturedTrack(
            index=0, name="Song", sample_rate=rate, n_channels=2, start_sample=0, length=length,
            audio_start=0, audio_end=length,
        )  # fmt: skip
        shutil.copyfile(self.place.inputs / "one.wav", self._queue.inbox / "track-1.wav")
        request = AudacityRequest(
            model="small", stems=("low",), remainder=True, mute_original=False, tracks=(track,),
            project_rate=8000.0,
        )  # fmt: skip
        add_job(request, self._queue.inbox, self._queue.jobs_folder)

    def _serve(self) -> None:
        self._queue.prepare()
        self._queue.tidy()
        folder = self.place.state / "worker"
        folder.mkdir(mode=0o700, exist_ok=True)
        tickets = Queue(folder)
        jobs = [job for job in self._queue.jobs() if job.phase().phase != "failed"]
        for job in jobs:
            if not job.kit.is_over:
                tickets.put(job.kit)
        service = Service(tickets, Models(plugins_of(self.place)))
        try:
            service.run(idle_time=0.02)
        finally:
            service.stop()
        # A pipe of its own, which nobody serves: others test with a real Audacity at the same time.
        closed = self.place.state / "closed"
        with (
            mock.patch.object(courier, "DELIVERY_TIME", 0.0),
            mock.patch.object(transport, "TO_AUDACITY", closed),
            mock.patch.object(transport, "FROM_AUDACITY", closed),
            mock.patch.object(unreachable, "find_audacity", list),
            mock.patch.object(client, "follow", lambda job, **_: job.result()),
        ):
            for job in jobs:
                courier.Courier(self._queue, job).serve(lambda _: None, Event())

    def _done(self) -> list[Path]:
        """The folders whose stems wait for Audacity."""
        return [job.folder for job in self._queue.jobs() if _NOT_IMPORTED in job.phase().message]


def _stems(folder: Path) -> list[Path]:
    return sorted((folder / "stems").glob("*.wav"))


def _scenario(kind: type[_Kit | _Audacity]) -> Scenario:
    return Scenario(
        work=lambda place: kind(place).work(),
        result=lambda place: kind(place).result(),
        prepare=lambda place: kind(place).prepare(),
        check=lambda place: kind(place).check(),
    )


HOSTS: Final[Mapping[str, Scenario]] = {"host: kit": _scenario(_Kit), "host: Audacity": _scenario(_Audacity)}
