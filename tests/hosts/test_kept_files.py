"""Files that hosts keep, and settings of the editors: with any content, each command has an answer."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from stemdock import Plugins, Separator
from stemdock_audacity import folders, settings_changes
from stemdock_audacity.errors import InstallError, ReplyError
from stemdock_audacity.folders import Profile, find_version, has_no_pipe
from stemdock_audacity.job import JobState
from stemdock_audacity.job_queue import JobQueue
from stemdock_audacity.request import CapturedTrack, Request, request_from_json, request_to_json
from stemdock_audacity.separating import separate_request
from stemdock_audacity.settings import get_value, set_value
from stemdock_reaper import installation, places
from stemdock_reaper.errors import ResourceFolderError
from stemdock_reaper.installed import read_installed
from support.small_model import SmallPlugin, write_noise

if TYPE_CHECKING:
    from pathlib import Path

TRACK = CapturedTrack(
    index=0, name="a", sample_rate=1, n_channels=1, start_sample=0, length=1, audio_start=0, audio_end=1
)
REQUEST = Request(
    model="m", stems=(), remainder=False, mute_original=False, tracks=(TRACK,), project_rate=1.0
)


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
    settings_changes.installed_path(queue).write_bytes(content.encode("utf-8", "surrogatepass"))
    profile.settings.write_text("[Module]\nx=1\n")
    settings_changes.restore_settings(profile, queue)
    settings_changes.switch_on_module(profile, queue)
    settings_changes.restore_settings(profile, queue)
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
            settings_changes.switch_on_module(profile, queue)
        assert profile.settings.read_bytes() == text
        return
    settings_changes.switch_on_module(profile, queue)
    assert folders.read_setting(profile, "Module", folders.MODULE) == "1"
    settings_changes.restore_settings(profile, queue)
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
def test_a_track_out_of_range_is_refused(changes: dict[str, Any]) -> None:
    values = json.loads(request_to_json(REQUEST))
    values["tracks"][0].update(changes)
    with pytest.raises(ReplyError, match="damaged"):
        request_from_json(json.dumps(values))


@pytest.mark.parametrize("rate", ["NaN", "0", "-1", "1e300", "true", '"44100"'])
def test_a_project_rate_out_of_range_is_refused(rate: str) -> None:
    text = json.dumps({**json.loads(request_to_json(REQUEST)), "project_rate": "@"}).replace('"@"', rate)
    with pytest.raises(ReplyError, match="damaged"):
        request_from_json(text)


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
    ],
)
def test_reapers_list_of_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "Stemdock" / "installed.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ResourceFolderError, match="cannot be read"):
        read_installed(tmp_path)


@pytest.mark.parametrize(
    "content",
    ['{"command": [5]}', '{"command": "abc"}', '{"command": ["a\\u0000"]}', '{"command": {"0": 1}}', "5"],
)
def test_reapers_command(tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "running_programs", list)
    places.config_path(tmp_path).parent.mkdir()
    places.config_path(tmp_path).write_text(content)
    assert any("is damaged" in check.detail for check in installation.diagnose([tmp_path]))


def test_tracks_get_names_that_audacity_can_give_back(tmp_path: Path) -> None:
    """A name with controls would be changed by the import, and the import be taken back as a failure."""
    name = "a\x01\x1b\u202eb\xa0c"
    request = replace(
        REQUEST, tracks=(replace(TRACK, name=name, sample_rate=8000, length=16000, audio_end=16000),)
    )
    write_noise(tmp_path / "track-1.wav")
    plugins = Plugins()
    plugins.register(SmallPlugin(tmp_path), "small")
    separator = Separator("small", plugins=plugins)
    stems = separate_request(separator, request, tmp_path, on_progress=lambda _: None, cancel=Event())
    project = ET.parse(tmp_path / "stems.aup").getroot()  # noqa: S314  our own
    tracks = project.findall("wavetrack", {"": "http://audacity.sourceforge.net/xml/"})
    assert {track.attrib["name"] for track in tracks} == {stem.name for stem in stems}
    assert {stem.name for stem in stems} == {
        f"a\\x01\\x1b\\u202eb\xa0c \N{EN DASH} {stem}" for stem in separator.stems
    }


def test_the_status_for_audacitys_dialog_has_no_controls(tmp_path: Path) -> None:
    queue = JobQueue(folder=tmp_path)
    queue.prepare()
    job = queue.add(
        replace(REQUEST, tracks=()), tmp_path, JobState(state="queued", title="a\x1b[2J\nb\udcff")
    )
    queue.note_outcome("a\x1b[2J\nb\udcff\u202e: failed")
    queue.write_status()
    assert (tmp_path / "status.txt").read_text("utf-8") == f"{job.id}  a\\x1b[2J\\nb\\udcff: waiting\n"
    assert queue.recent()[0].endswith(r" a\x1b[2J b\udcff\u202e: failed")
