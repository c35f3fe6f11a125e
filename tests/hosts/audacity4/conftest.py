from __future__ import annotations

import hashlib
import json
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from stemdock_audacity.audacity4 import bundle, libraries
from support.audacity4.library import ARCH, ROOM, compile_library

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The room of Audacity 4 with a library for this system, compiled here instead of by Zig."""
    if sys.platform != "linux":
        pytest.skip("runs Linux's build of the library")
    folder = tmp_path_factory.mktemp("room")
    shutil.copytree(ROOM / "library", folder / "library")
    name = f"linux/{ARCH}/stemdock.so"
    made = compile_library(folder / "platform" / name, "-O1")
    built = {
        "compiler": "gcc",
        "sources": {path.name: digest(path) for path in (ROOM / "library").iterdir()},
        "libraries": {name: digest(made)},
    }
    (folder / "platform/built.json").write_text(json.dumps(built))
    return folder


@pytest.fixture
def with_library(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Stemdock that was built with its library."""
    monkeypatch.setattr(bundle, "shipped_libraries", lambda: libraries.shipped_libraries(room))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
