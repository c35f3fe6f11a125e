"""The ReaPack index: its format, and that what it installs is the script as shipped."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import stemdock
from stemdock_reaper.profile import places
from stemdock_reaper.reapack import index
from support.reaper_model.stage import SEPARATE, SHIPPED, Stage

if TYPE_CHECKING:
    from pathlib import Path

BASE = "https://example.org/stemdock/v1/lua"
ATTRIBUTES = {
    "index": ({"version", "name"}, set()),
    "category": ({"name"}, set()),
    "reapack": ({"name", "type", "desc"}, set()),
    "version": ({"name", "author", "time"}, set()),
    "source": (set(), {"file", "main", "platform", "type"}),
}
CHILDREN = {
    "index": {"category"},
    "category": {"reapack"},
    "reapack": {"version"},
    "version": {"source"},
    "source": set(),
}
SECTIONS = {"main", "midi_editor", "midi_inlineeditor", "midi_eventlisteditor", "mediaexplorer"}


def parsed() -> ET.Element:
    return ET.fromstring(index(BASE + "/", datetime(2026, 3, 1, 12, tzinfo=UTC)))  # noqa: S314  our own


def test_the_format_is_reapacks() -> None:
    root = parsed()
    assert root.tag == "index"
    for node in root.iter():
        required, optional = ATTRIBUTES[node.tag]
        assert required <= node.attrib.keys() <= required | optional, node.tag
        assert {child.tag for child in node} == CHILDREN[node.tag], node.tag
    assert root.get("version") == "1"
    (version,) = root.iter("version")
    assert re.fullmatch(r"\d[\w.]*", version.get("name", ""))
    assert version.get("time") == "2026-03-01T12:00:00Z"
    for source in root.iter("source"):
        assert set(source.get("main", "main").split()) <= SECTIONS
        url = urlsplit(source.text or "")
        assert url.scheme == "https"
        assert not set(source.text or "") & set(' "<>\\^`{|}')
    assert not re.search(r'[<>:"/\\|?*]', root.get("name", "/"))


def test_every_shipped_file_is_listed_once() -> None:
    names = [unquote((source.text or "").removeprefix(BASE + "/")) for source in parsed().iter("source")]
    assert sorted(names) == sorted(path.relative_to(SHIPPED).as_posix() for path in SHIPPED.rglob("*.lua"))
    for source, name in zip(parsed().iter("source"), names, strict=True):
        assert source.get("file", SEPARATE) == name
        assert (source.get("main") == "main") == ("/" not in name)


def test_versions_agree() -> None:
    (version,) = parsed().iter("version")
    assert version.get("name") == stemdock.__version__


def test_what_reapack_installs_runs_and_is_recognised(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    root = parsed()
    (category,) = root.iter("category")
    folder = stage.resources / "Scripts" / root.get("name", "") / category.get("name", "")
    for source in root.iter("source"):
        name = unquote((source.text or "").removeprefix(BASE + "/"))
        target = folder / source.get("file", SEPARATE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((SHIPPED / name).read_bytes())
    assert places.reapack_script(stage.resources).is_file()
    stage.scripts = folder
    stage.add_item(stage.add_track(), stage.noise())
    stage.run()
    assert len(stage.project.tracks) == 4
