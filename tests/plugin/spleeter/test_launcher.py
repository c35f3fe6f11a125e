"""Installing and removing the command `spleeter`."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from stemdock import Plugins
from stemdock.cli.main import run
from stemdock_spleeter import plugin
from stemdock_spleeter.launcher import LauncherError, install_launcher, launcher_path, remove_launcher

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(folder))
    return folder


@pytest.fixture
def plugins() -> Plugins:
    plugins = Plugins()
    plugins.register(plugin, "spleeter")
    return plugins


def test_the_command_runs_stemdock(plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["spleeter", "install-command"], plugins) == 0
    path = capsys.readouterr().out.strip()
    assert path == str(launcher_path())
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == "Spleeter Version: 2.4.2\n"
    failed = subprocess.run([path, "separate", "--nothing"], capture_output=True, text=True, check=False)
    assert failed.returncode == 2


def test_the_command_can_be_installed_again_and_removed(plugins: Plugins) -> None:
    install_launcher()
    install_launcher()
    assert run(["spleeter", "remove-command"], plugins) == 0
    assert not launcher_path().exists()
    with pytest.raises(LauncherError, match="not a command of Stemdock"):
        remove_launcher()


def test_the_original_in_the_same_environment_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "packages" / "spleeter-2.4.2.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: spleeter\nVersion: 2.4.2\n")
    monkeypatch.setattr(sys, "path", [str(folder.parent), *sys.path])
    with pytest.raises(LauncherError, match=r"spleeter 2\.4\.2") as caught:
        install_launcher()
    assert "pip uninstall spleeter" in caught.value.remedy
    assert not launcher_path().exists()


def test_a_program_of_the_same_name_stays() -> None:
    launcher_path().write_text("#!/bin/sh\necho mine\n")
    for change in (install_launcher, remove_launcher):
        with pytest.raises(LauncherError):
            change()
    assert "mine" in launcher_path().read_text()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(scripts: Path) -> None:
    scripts.chmod(0o500)
    with pytest.raises(LauncherError, match="cannot be changed"):
        install_launcher()
