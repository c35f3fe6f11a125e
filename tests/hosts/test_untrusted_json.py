"""Files that hosts leave in folders: any JSON in them is understood or refused, and never believed."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stemdock_audacity.capture.request import CapturedTrack, Request
from stemdock_audacity.errors import ReplyError
from stemdock_audacity.jobs.job import AudacityJob, Details, Phase, complete_job, describe
from stemdock_hostkit.errors import JobError
from stemdock_hostkit.job import folder as kit

if TYPE_CHECKING:
    from pathlib import Path

VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
DEEP = "[" * 100_000
PHASE = Phase(phase="delivering", courier=1, message="x")
TRACK = CapturedTrack(
    index=0,
    name="Song",
    sample_rate=44100,
    n_channels=2,
    start_sample=0,
    length=10,
    audio_start=0,
    audio_end=10,
)
REQUEST = Request(
    model="2stems", stems=(), remainder=False, mute_original=True, tracks=(TRACK,), project_rate=44100.0
)
SOURCE = {"id": "1", "name": "Song", "path": "/x.wav", "start": 0.5, "duration": None}
JOB = {"protocol": 2, "output_dir": "/out", "model": "2stems", "sources": [SOURCE]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("job")


def changed(values: dict[str, Any], key: str, value: Any) -> str:
    return json.dumps({**values, key: value})


@given(key=st.sampled_from(sorted(asdict(PHASE))), value=VALUE)
@example(key="courier", value=1 << 40)
@example(key="phase", value="done")
def test_a_phase_is_one_or_the_first(folder: Path, key: str, value: Any) -> None:
    (folder / "delivery.json").write_text(changed(asdict(PHASE), key, value), "utf-8")
    job = AudacityJob(folder)
    assert asdict(job.phase()) in ({**asdict(PHASE), key: value}, asdict(Phase()))
    assert describe(job)


@pytest.mark.parametrize("text", ["", "null", "[]", DEEP, '{"phase": "failed", "new": 1}'])
def test_a_phase_that_is_none(folder: Path, text: str) -> None:
    (folder / "delivery.json").write_text(text, "utf-8")
    assert AudacityJob(folder).phase() == Phase()


def test_details_are_read_as_they_were_written(tmp_path: Path) -> None:
    details = Details(request=replace(REQUEST, stems=("vocals",), model="é"), audacity=5)
    complete_job(tmp_path, details, tmp_path)
    assert AudacityJob(tmp_path).details() == details


@given(value=VALUE | st.fixed_dictionaries({"request": VALUE}))
def test_details_that_are_none_are_refused(folder: Path, value: Any) -> None:
    (folder / "job.json").write_text(changed(JOB, "details", value), "utf-8")
    with pytest.raises((ReplyError, JobError)):
        AudacityJob(folder).details()


@given(key=st.sampled_from(sorted(JOB)), value=VALUE | st.just([SOURCE]) | st.lists(VALUE, max_size=2))
def test_a_job_is_one_or_refused(folder: Path, key: str, value: Any) -> None:
    (folder / "job.json").write_text(changed(JOB, key, value), "utf-8")
    try:
        job = kit.Job(folder).request()
    except JobError:
        return
    assert job.sources
    assert all(source.start >= 0 for source in job.sources)


@pytest.mark.parametrize("start", [10**400, float("nan"), -1, "1e999x", None, []])
def test_a_source_that_starts_nowhere_is_refused(folder: Path, start: Any) -> None:
    (folder / "job.json").write_text(changed(JOB, "sources", [{**SOURCE, "start": start}]), "utf-8")
    with pytest.raises(JobError, match=r"is (invalid|damaged)"):
        kit.Job(folder).request()
