"""A user without a home folder and without an entry in the list of users, as containers run programs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.mixtures import SONG

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

RUN = """
import sys
if sys.platform != "win32":
    import pwd
    def getpwuid(uid):
        raise KeyError("getpwuid(): uid not found")
    pwd.getpwuid = getpwuid
from stemdock.cli.main import main
main()
"""


def homeless(
    folder: Path, *arguments: object, home: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    hidden = {"HOME", "STEMDOCK_CACHE", "STEMDOCK_MODELS", "XDG_DATA_HOME", "XDG_CACHE_HOME", "USERPROFILE"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | variables
    if home is not None:
        environment["HOME"] = home
    return subprocess.run(
        [sys.executable, "-c", RUN, *map(str, arguments)],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("home", "variables"),
    [
        (None, {}),
        ("", {}),
        ("/dev/null", {}),
        (None, {"STEMDOCK_CACHE": "~/cache", "STEMDOCK_MODELS": "~/models"}),
    ],
)
def test_the_embedded_model_needs_no_home(
    tmp_path: Path, home: str | None, variables: dict[str, str]
) -> None:
    arguments = ("separate", SONG, "-d", "0.2", "-o", tmp_path / "out")
    done = homeless(tmp_path, *arguments, home=home, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "out").rglob("*.wav"))) == 2
    # No folder named "~" either.
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_models_are_listed_and_checked_without_a_home(tmp_path: Path) -> None:
    listed = homeless(tmp_path, "models", "list")
    assert listed.returncode == 0
    assert "comes with Stemdock" in listed.stdout
    checked = homeless(tmp_path, "doctor")
    assert checked.returncode == 0
    assert "model 2stems: loads" in checked.stdout
    assert "warning plug-in" not in checked.stdout


@pytest.mark.parametrize("arguments", [("pull", "4stems"), ("add", "x.onnx"), ("remove", "4stems")])
def test_a_model_needs_a_folder_to_be_installed_in(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "x.onnx").write_bytes(b"x")
    done = homeless(tmp_path, "models", *arguments)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "no home folder" in line
    assert "Set STEMDOCK_MODELS to a folder" in line
