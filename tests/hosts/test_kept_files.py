"""Files that hosts keep, and settings of the editors: with any content, each command has an answer."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from stemdock import load_plugins
from stemdock_audacity.capture.request import CapturedTrack, Request
from stemdock_audacity.errors import InstallError, ReplyError
from stemdock_audacity.install import settings_changes, setup
from stemdock_audacity.install.installed import record_path
from stemdock_audacity.jobs.job import AudacityJob
from stemdock_audacity.jobs.queue import JobQueue
from stemdock_audacity.profile import folders
from stemdock_audacity.profile.folders import Profile, find_version, has_no_pipe
from stemdock_audacity.profile.settings import get_value, set_value
from stemdock_hostkit.errors import JobError
from stemdock_hostkit.install.errors import RecordError
from stemdock_reaper.install import checking
from stemdock_reaper.install.installed import installation as reapers_installation
from stemdock_reaper.link import running
from stemdock_reaper.profile import places

if TYPE_CHECKING:
    from pathlib import Path

MODELS = load_plugins().models()
TRACK = CapturedTrack(
    index=0, name="a", sample_rate=1, n_channels=1, start_sample=0, length=1, audio_start=0, audio_end=1
)
REQUEST = Request(
    model="m", stems=(), remainder=False, mute_original=False, tracks=(TRACK,), project_rate=1.0
)


def read_details(folder: Path, details: object) -> None:
    """Reads what Audacity's part keeps with a job."""
    source = {"id": "0", "name": "a", "path": "/a.wav", "start": 0.0}
    job = {"protocol": 2, "output_dir": "/out", "model": "m", "sources": [source], "details": details}
    (folder / "job.json").write_text(json.dumps(job))
    AudacityJob(folder).details()


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setattr(settings_changes, "find_audacity", lambda: ())
    settings = tmp_path / "config" / "audacity.cfg"
    settings.parent.mkdir()
    return Profile(settings=settings, plugins=tmp_path / "data", program=None, module=None, sandboxed=False)


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        '{"former": 5}',
        '{"former": {"Module/x": 5}}',
        '{"former": {"Module/x": "1"}}',
        '{"former": {"nowhere": null}}',
        '{"former": {}, "set": []}',
        '{"former": {}, "set": {"a": {}}}',
        '{"made_settings": "no"}',
        "\ud800",
        "1e999",
    ],
)
def test_audacitys_list_of_changes(profile: Profile, tmp_path: Path, content: str) -> None:
    queue = JobQueue(folder=tmp_path / "queue")
    queue.prepare()
    record_path(queue).write_bytes(content.encode("utf-8", "surrogatepass"))
    profile.settings.write_text("[Module]\nx=1\n")
    setup.uninstall(profile, queue, dry_run=True)
    setup.install(profile, queue, MODELS)
    setup.uninstall(profile, queue)
    assert profile.settings.read_text() == "[Module]\nx=1\n"


@pytest.mark.parametrize(
    "text",
    [
        b"[Module]\nkey=1\n  continued\n",
        b"  continued\n[Module]\n more\n",
        b"NewKey\n  continued\n",
        b"[Module]\r key=1\r\n\n  x\n",
        b"[Module\nkey\n]]\n[]\n",
        b"[Module]\nmod-script-pipe=1\x00\n\x00=\x00\n",
        b"\xff\xfe[\x00M\x00]\x00\n\x00 x",
        bytes(range(256)) * 40,
        b"[Version]\nMajor=%s\n" % ("\N{SUPERSCRIPT TWO}".encode()),
        b"[Version]\nMajor=" + b"9" * 10_000 + b"\nMinor=1\nMicro=2\n",
        b"[Version]\nMajor=4\n 5\nMinor=1\nMicro=2\n",
        b"x" * (1 << 20),
    ],
)
def test_audacitys_settings(profile: Profile, tmp_path: Path, text: bytes) -> None:
    profile.settings.write_bytes(text)
    has_no_pipe(find_version(profile))
    queue = JobQueue(folder=tmp_path / "queue")
    if b"\0" in text:
        with pytest.raises(InstallError, match="is damaged"):
            setup.install(profile, queue, MODELS)
        assert profile.settings.read_bytes() == text
        return
    setup.install(profile, queue, MODELS)
    assert folders.read_setting(profile, "Module", folders.MODULE) == "1"
    setup.uninstall(profile, queue)
    assert profile.settings.read_bytes().rstrip(b"\r\n") == text.rstrip(b"\r\n")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_line_ends_end_lines(end: str) -> None:
    text = end.join(["[A]", "k=a\x0cb\x85c\u2028d", ""])
    assert get_value(text, "A", "k") == "a\x0cb\x85c\u2028d"
    assert set_value(set_value(text, "A", "new", "1"), "A", "new", None) == text


@pytest.mark.parametrize(
    "changes",
    [
        {"sample_rate": 0},
        {"n_channels": 0},
        {"n_channels": -1},
        {"index": -1},
        {"length": -1},
        {"length": 1 << 60},
        {"start_sample": -(1 << 60)},
        {"name": 5},
        {"name": "a\0"},
        {"index": True},
        {"sample_rate": 44100.0},
    ],
)
def test_a_track_out_of_range_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    values: dict[str, Any] = {"request": asdict(REQUEST), "audacity": 1}
    values["request"]["tracks"][0].update(changes)
    with pytest.raises((ReplyError, JobError), match="damaged"):
        read_details(tmp_path, values)


@pytest.mark.parametrize("rate", [0, -1, 1e300, True, "44100"])
def test_a_project_rate_out_of_range_is_refused(tmp_path: Path, rate: object) -> None:
    with pytest.raises(ReplyError, match="damaged"):
        read_details(tmp_path, {"request": {**asdict(REQUEST), "project_rate": rate}})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"files": 5}',
        b'{"files": {"a": 5}}',
        b'{"folders": "abc"}',
        b'{"folders": [1]}',
        b'{"keys_added": null}',
        b'{"keys_created": 1}',
        b'{"files": {"a\\u0000": "x"}}',
        b'{"other": 1}',
        b"\xff",
        b'{"files": {"../reaper.ini": "x"}}',
        b'{"version": 1, "files": {"a/../../b": "x"}}',
        b'{"version": 1, "folders": [".."]}',
        b'{"version": 1, "edits": {"a": {"before": 5}}}',
        b'{"version": 1, "files": []}',
        b'{"version": 1, "other": 1}',
        b'{"version": "1"}',
    ],
)
def test_reapers_list_of_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "Stemdock" / "installed.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(RecordError, match="cannot be read"):
        reapers_installation(tmp_path)


@pytest.mark.parametrize(
    "content",
    ['{"command": [5]}', '{"command": "abc"}', '{"command": ["a\\u0000"]}', '{"command": {"0": 1}}', "5"],
)
def test_reapers_command(tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "running_programs", list)
    places.config_path(tmp_path).parent.mkdir()
    places.config_path(tmp_path).write_text(content)
    assert any("is damaged" in check.detail for check in checking.diagnose([tmp_path]))
