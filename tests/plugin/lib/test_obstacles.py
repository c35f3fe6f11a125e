"""What stands in the way of a folder is named, by every function that makes one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stemdock import OutputError, make_folder, make_own_folder, make_private_folder, staging
from stemdock.lib.obstacles import ObstacleError
from stemdock.lib.paths import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="links need a privilege, and there are no pipes"
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("missing/place")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("obstacle", "reason", "remedy"),
    [
        ("file", "is a file, not a folder", "Choose another folder."),
        ("pipe", "is a pipe, not a folder", "Choose another folder."),
        ("/dev/null", "is a device, not a folder", "Choose another folder."),
        (
            "dangling",
            "is a link to missing/place, which does not exist",
            "Remove dangling, or choose another folder.",
        ),
        ("loop", "is a link that leads to itself", "Remove loop, or choose another folder."),
    ],
)
def test_an_obstacle_is_named(obstacle: str, reason: str, remedy: str) -> None:
    makers: list[Callable[[Path], None]] = [make_folder, make_own_folder, make_private_folder]
    for folder in (Path(obstacle), Path(obstacle, "new"), Path(obstacle, "new", "newer")):
        name = "it" if folder == Path(obstacle) else obstacle
        # A private folder that others can change has an error of its own.
        for make in makers[: 2 if name == "it" else 3]:
            with pytest.raises(ObstacleError) as caught:
                make(folder)
            assert caught.value.strerror == f"{name} {reason}"
            assert (caught.value.filename, caught.value.remedy) == (str(folder), remedy)
        with pytest.raises(OutputError) as refused, staging(folder):
            pass
        assert str(refused.value) == f"{folder}: cannot be written to ({name} {reason})"
        assert refused.value.remedy == remedy


@pytest.mark.usefixtures("place")
def test_other_errors_stay_as_they_are() -> None:
    with pytest.raises(OSError, match="File name too long"):
        make_folder(Path("folder", "x" * 300))


@pytest.mark.usefixtures("place")
def test_a_link_to_a_folder_is_no_obstacle() -> None:
    make_folder(Path("link", "new"))
    make_own_folder(Path("link"))
    assert Path("folder", "new").is_dir()


@pytest.mark.usefixtures("place")
def test_kinds() -> None:
    kinds = {name: kind_of(Path(name)) for name in ("file", "folder", "link", "pipe", "/dev/null", "none")}
    assert kinds == {
        "file": "a file", "folder": "a folder", "link": "a folder", "pipe": "a pipe", "/dev/null": "a device",
        "none": "",
    }  # fmt: skip
