"""Where each system keeps the files and programs of its editors."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stemdock_audacity.profile.folders import find_profile
from stemdock_hostkit.finding import find_program, flatpak_folder, user_folders

HOME = Path("/home/ana")


@pytest.mark.parametrize(
    ("platform", "environment", "settings", "data", "state"),
    [
        ("linux", {}, ".config", ".local/share", ".local/state"),
        ("linux", {"XDG_DATA_HOME": "", "XDG_STATE_HOME": "/s"}, ".config", ".local/share", "/s"),
        ("linux", {"XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d"}, "/c", "/d", ".local/state"),
        ("freebsd14", {}, ".config", ".local/share", ".local/state"),
        ("darwin", {"XDG_CONFIG_HOME": "/c"}, *["Library/Application Support"] * 3),
        ("win32", {}, "AppData/Roaming", "AppData/Roaming", "AppData/Local"),
        ("win32", {"APPDATA": "/r", "LOCALAPPDATA": "/l"}, "/r", "/r", "/l"),
    ],
)
def test_the_folders_of_a_user(
    platform: str, environment: dict[str, str], settings: str, data: str, state: str
) -> None:
    folders = user_folders(platform, HOME, environment)
    assert (folders.settings, folders.data, folders.state) == (HOME / settings, HOME / data, HOME / state)
    assert flatpak_folder("org.x.Y", HOME) == HOME / ".var/app/org.x.Y"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("ProgramFiles", str(tmp_path / "none"))
    monkeypatch.setenv("ProgramFiles(x86)", str(tmp_path / "programs"))
    return tmp_path


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("platform", "program", "module", "data"),
    [
        ("linux", "bin/audacity", "lib/audacity/modules/mod-script-pipe.so", ".local/share"),
        (
            "darwin",
            "Applications/Audacity.app/Contents/MacOS/Audacity",
            "Applications/Audacity.app/Contents/modules/mod-script-pipe.so",
            "Library/Application Support",
        ),
        (
            "win32",
            "programs/Audacity/Audacity.exe",
            "programs/Audacity/modules/mod-script-pipe.dll",
            "AppData/Roaming",
        ),
    ],
)
def test_audacity_is_found(
    home: Path, monkeypatch: pytest.MonkeyPatch, platform: str, program: str, module: str, data: str
) -> None:
    if sys.platform == "win32":
        pytest.skip("programs of other systems cannot be run there")
    monkeypatch.setattr(sys, "platform", platform)
    assert find_program("Audacity") is None
    assert find_profile().program is None
    paths = put(home / program), put(home / module)
    profile = find_profile()
    assert (profile.program, profile.module) == paths
    assert profile.plugins == home / data / "audacity/Plug-Ins"
    assert not profile.sandboxed


def test_the_flatpak_is_found_if_there_is_no_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    folder = home / ".var/app/org.audacityteam.Audacity"
    folder.mkdir(parents=True)
    profile = find_profile()
    assert profile.sandboxed
    assert profile.settings == folder / "config/audacity/audacity.cfg"
    put(home / "bin/audacity")
    assert not find_profile().sandboxed
