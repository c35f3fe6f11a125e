"""The page about the architecture has the rooms that the contracts have."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import stemdock
from support.tutorials import section

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
PICTURE = ROOT / "docs" / "images" / "rooms.svg"


@pytest.fixture(scope="module")
def rooms() -> list[str]:
    """The layers of the core, from top to bottom."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (each["layers"] for each in contracts if each.get("containers") == ["stemdock"])
    return [room.strip(" ()") for layer in layers for room in re.split(r"[|:]", layer)]


def test_the_table_has_every_room_in_order(rooms: list[str]) -> None:
    table, _, _ = section(PAGE, "The rooms").partition("Packages beside the core")
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == rooms


def test_the_picture_has_every_room_in_order(rooms: list[str]) -> None:
    assert re.findall(r'class="n"[^>]*>(\w+)<', PICTURE.read_text("utf-8")) == rooms


def test_every_room_is_there(rooms: list[str]) -> None:
    core = Path(str(stemdock.__file__)).parent
    modules = {
        path.stem for path in core.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    # spleeter: a name for the package beside the core, for people who come from Spleeter
    assert modules - set(rooms) == {"__init__", "__main__", "spleeter"}
    assert set(rooms) <= modules


def test_the_files_that_it_names_exist() -> None:
    named = re.findall(r"`((?:tests|hosts|cli|plugin)/[\w/.]*)`", PAGE.read_text("utf-8"))
    folders = (ROOT, ROOT / "plugin" / "stemdock")
    assert named
    assert [name for name in named if not any((folder / name).exists() for folder in folders)] == []
