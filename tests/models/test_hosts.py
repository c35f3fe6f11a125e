"""A host's job fetches its model; a download that was cut goes on with the next job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stemdock_hostkit.job.folder import Job
from stemdock_hostkit.worker.models import Models
from stemdock_hostkit.worker.running import run_job
from stemdock_models.download import Download
from support.host_jobs import left, make_job, source
from support.release_server import Fault
from support.small_model import write_noise

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Plugins
    from support.release_server import ReleaseServer

pytestmark = pytest.mark.slow


def test_a_cut_download_goes_on_with_the_next_job(
    plugins: Plugins, server: ReleaseServer, archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Download, "_wait", lambda *_: None)
    song = write_noise(tmp_path / "song.wav", sample_rate=44100)
    jobs = [
        Job(make_job(tmp_path, source(song, start=0.0, duration=0.5), name=name, model="4stems"))
        for name in ("first", "second")
    ]
    for job in jobs:
        job.allow_download()
    cut = len(archive) // 2
    server.faults = [Fault(cut_at=cut)] + [Fault(status=503)] * 20
    models = Models(plugins)

    run_job(jobs[0], models.open)
    result = jobs[0].result()
    assert result is not None
    (fault,) = result.faults
    assert fault.code == "DownloadError"
    assert left(tmp_path / "Média") == []

    server.faults = []
    server.requests.clear()
    run_job(jobs[1], models.open)
    result = jobs[1].result()
    assert result is not None
    assert (result.status, result.faults) == ("ok", ())
    (request,) = server.requests
    assert request.range is not None
    assert request.n_sent < len(archive)
    assert len(left(tmp_path / "Média")) == 4
