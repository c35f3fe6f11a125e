"""`plugin-cli audacity` in homes with Audacity 3, 4, both or none: what gets what, and what is said."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import stemdock
from stemdock import Check, HostError, load_plugins
from stemdock_audacity import everywhere
from stemdock_audacity.audacity4 import bundle, libraries, program
from stemdock_audacity.audacity4 import setup as setup4
from stemdock_audacity.commands import command
from stemdock_audacity.errors import ExtensionInUseError, NoLibraryError
from stemdock_audacity.install import settings_changes
from stemdock_audacity.install.first_start import ADVICE
from stemdock_audacity.profile import versions
from stemdock_hostkit.install.errors import ChangedFileError
from stemdock_hostkit.job.request import PROTOCOL

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="homes as on Linux")

EXTENSIONS = ".local/share/Audacity/Audacity4/extensions"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a user who has no Audacity, and in which none is running."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("PATH", str(folder / "bin"))
    monkeypatch.setattr(setup4, "running_programs", lambda *_: {})
    monkeypatch.setattr(settings_changes, "find_audacity", lambda: ())
    return folder


def add_program(home: Path, name: str, content: bytes) -> Path:
    path = home / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o700)
    return path


def add_3(home: Path) -> Path:
    return add_program(home, "audacity", b"\x7fELF Audacity 3")


def add_4(home: Path, name: str = "audacity4") -> Path:
    return add_program(home, name, b"\x7fELF\0extension_dispatch_v0\0")


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def run(*words: str) -> tuple[list[str], list[str], int]:
    """Lines on standard output and standard error, and the exit status."""
    result = CliRunner().invoke(
        command, words, obj=load_plugins(), catch_exceptions=False, standalone_mode=False
    )
    return result.stdout.splitlines(), result.stderr.splitlines(), result.return_value or 0


def subjects(checks: list[Check]) -> dict[str, str]:
    return {check.subject: check.status for check in checks}


@pytest.mark.usefixtures("with_library")
def test_each_audacity_gets_what_is_its_own(home: Path) -> None:
    add_3(home)
    add_4(home)
    before = snapshot(home)
    planned, _, _ = run("install", "--dry-run")
    assert snapshot(home) == before
    done, said, status = run("install")
    assert status == 0
    assert [line.replace(": ", " ", 1) for line in done] == [line.removeprefix("would ") for line in planned]
    assert said[:2] == ADVICE.splitlines()
    assert [line.partition(":")[0] for line in said[2:]] == ["Audacity 3", "Audacity 4"]
    assert (home / ".local/share/audacity/Plug-Ins/stemdock-separate.ny").is_file()
    (folder,) = (home / EXTENSIONS).iterdir()
    assert folder.name.startswith(f"stemdock-{stemdock.__version__}-")
    assert run("install")[0] == ["nothing to do: Stemdock is already installed"]

    planned, _, _ = run("uninstall", "--dry-run")
    assert (folder / "manifest.json").exists()
    done, _, status = run("uninstall")
    assert status == 0
    assert [line.replace(": ", " ", 1) for line in done] == [line.removeprefix("would ") for line in planned]
    left = snapshot(home)
    for name in [name for name in left if name not in before]:  # 3's queue has always stayed, empty
        assert left.pop(name) is None
        assert name.startswith(".local")
    assert left == before
    assert not (home / ".local/share/Audacity").exists()
    assert run("uninstall")[0] == ["nothing to do: Stemdock is not installed in Audacity"]


@pytest.mark.usefixtures("with_library")
@pytest.mark.parametrize("name", ["audacity", "audacity4"])
def test_with_4_alone_nothing_of_3_is_made(home: Path, name: str) -> None:
    path = add_4(home, name)
    before = snapshot(home)
    done, said, _ = run("install")
    assert all("Audacity4/extensions" in line or "installed.json" in line for line in done)
    assert said == [
        "Audacity 4: start it, select audio, and choose Effect > Extension > Stemdock > Separate stems."
    ]
    checks = everywhere.diagnose()
    assert subjects(checks) == {"audacity 4": "ok", "audacity 4 extension": "ok"}
    assert checks[0].detail == str(path)
    run("uninstall")
    assert snapshot(home) == before


@pytest.mark.usefixtures("with_library")
@pytest.mark.parametrize(
    "trace", [".local/share/Audacity/Audacity4/plugins/a", ".config/Audacity/Audacity4.ini"]
)
def test_an_appimage_is_found_by_what_it_left(home: Path, trace: str) -> None:
    (home / trace).parent.mkdir(parents=True)
    (home / trace).write_text("")
    before = snapshot(home)
    run("install")
    assert len(list((home / EXTENSIONS).iterdir())) == 1
    assert subjects(everywhere.diagnose()) == {"audacity 4": "ok", "audacity 4 extension": "ok"}
    run("uninstall")
    assert snapshot(home) == before


@pytest.mark.usefixtures("with_library")
def test_the_flatpak_of_4_gets_nothing_and_is_not_said_to(home: Path) -> None:
    (home / ".var/app/org.audacityteam.Audacity/data/Audacity/Audacity4").mkdir(parents=True)
    before = snapshot(home)
    with pytest.raises(HostError, match="Flatpak"):
        run("install")
    assert snapshot(home) == before
    (check,) = everywhere.diagnose()
    assert (check.subject, check.status) == ("audacity 4 (flatpak)", "warning")


def test_without_a_library_3_is_installed_and_4_is_said_to_be_not(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "shipped_libraries", dict)
    add_4(home)
    with pytest.raises(NoLibraryError):
        run("install")
    add_3(home)
    _, said, status = run("install")
    assert status == 1
    assert said[0].startswith(
        "warning: nothing was changed in Audacity 4: this Stemdock was built without its library"
    )
    assert said[1:3] == ADVICE.splitlines()
    assert [line.partition(":")[0] for line in said[3:]] == ["Audacity 3"]
    assert not (home / EXTENSIONS).exists()
    (check,) = (check for check in everywhere.diagnose() if check.subject == "audacity 4 extension")
    assert check.status == "warning"
    assert "without its library" in check.detail


@pytest.mark.usefixtures("with_library")
def test_doctor_says_what_is_missing_or_changed(home: Path) -> None:
    add_4(home)
    before = snapshot(home)
    missing = everywhere.diagnose()[-1]
    assert (missing.detail, missing.remedy) == (
        "not installed.", "Close Audacity and run `plugin-cli audacity install`.",
    )  # fmt: skip
    assert snapshot(home) == before
    run("install")
    (folder,) = (home / EXTENSIONS).iterdir()
    (folder / "effect.js").write_text("// mine")
    assert everywhere.diagnose()[-1].detail == "another version, or incomplete."
    with pytest.raises(ChangedFileError):
        run("install")
    run("uninstall")
    assert [path.name for path in folder.iterdir()] == ["effect.js"]


def test_a_library_that_does_not_load_is_reported(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from support.audacity4.library import ARCH  # noqa: PLC0415  only here

    monkeypatch.setattr(
        bundle, "shipped_libraries", lambda: {f"platform/linux/{ARCH}/stemdock.so": b"no library"}
    )
    add_4(home)
    run("install")
    assert everywhere.diagnose()[-1].detail.startswith("its library does not load")
    monkeypatch.setattr(
        bundle, "shipped_libraries", lambda: {"platform/linux/other/stemdock.so": b"no library"}
    )
    run("install")
    assert everywhere.diagnose()[-1].detail == "its library does not load (there is none for this processor)."


@pytest.mark.usefixtures("with_library")
def test_another_version_gets_a_folder_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_4(home)
    before = snapshot(home)
    run("install")
    (old,) = (home / EXTENSIONS).iterdir()
    monkeypatch.setattr(stemdock, "__version__", "9.9")
    # Audacity may have loaded the old library, so this waits until it is closed.
    monkeypatch.setattr(setup4, "running_programs", lambda *_: {1: "audacity"})
    during = snapshot(home)
    for words in (["install"], ["install", "--dry-run"], ["uninstall"]):
        with pytest.raises(ExtensionInUseError):
            run(*words)
    assert snapshot(home) == during
    monkeypatch.setattr(setup4, "running_programs", lambda *_: {})
    run("install")
    (new,) = (path for path in (home / EXTENSIONS).iterdir() if any(path.rglob("*.js")))
    assert new.name.startswith("stemdock-9.9-")
    assert not any(path.is_file() for path in old.rglob("*"))
    assert json.loads((new / "manifest.json").read_text())["version"] == "9.9"
    run("uninstall")
    assert snapshot(home) == before


@pytest.mark.usefixtures("with_library")
def test_a_first_installation_is_safe_while_audacity_runs(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup4, "running_programs", lambda *_: {1: "audacity"})
    add_4(home)
    run("install")
    assert everywhere.diagnose()[-1].status == "ok"


@pytest.mark.usefixtures("with_library")
def test_uninstall_removes_jobs_that_a_crash_left(home: Path) -> None:
    add_4(home)
    before = snapshot(home)
    run("install")
    job = home / ".local/state/stemdock/audacity4/jobs/job-x"
    job.mkdir(parents=True)
    (job / "track-1.wav").write_bytes(b"")
    run("uninstall")
    assert snapshot(home) == before


@pytest.mark.usefixtures("with_library")
def test_the_extension_says_what_it_starts(home: Path) -> None:
    add_4(home)
    run("install")
    (folder,) = (home / EXTENSIONS).iterdir()
    content = json.loads((folder / "program.json").read_text())
    assert content["protocol"] == PROTOCOL
    assert content["program"] == [sys.executable, "-P", "-m", program.__name__]
    assert content["jobs"] == str(home / ".local/state/stemdock/audacity4/jobs")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["version"] == stemdock.__version__
    (effect,) = manifest["contributes"]["audacity.effects"]
    assert (folder / effect["script"]).is_file()
    assert f"exports.{effect['factory']} = " in (folder / effect["script"]).read_text("utf-8")


def test_launch_starts_4_where_there_is_no_3(home: Path) -> None:
    path = add_4(home)
    path.write_bytes(b"#!/bin/sh\n# extension_dispatch_v0\nexec /bin/sleep 5\n")
    assert everywhere.program_4() == path
    (line,), _, _ = run("launch")
    os.kill(int(line.removeprefix("Audacity 4 is running (process ").rstrip(").")), signal.SIGKILL)
    path.write_bytes(b"#!/bin/sh\n# extension_dispatch_v0\nexit 3\n")
    with pytest.raises(HostError, match="ended right after its start"):
        run("launch")
    add_3(home)
    assert everywhere.program_4() is None


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"x" * 100000])
def test_other_programs_are_not_taken_for_4(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "audacity"
    path.write_bytes(content)
    assert not versions.has_extensions(path)
    assert not versions.has_extensions(tmp_path)
    assert not versions.has_extensions(tmp_path / "none")
    path.write_bytes(content + b"extension_dispatch_v0")
    assert versions.has_extensions(path)


def test_libraries_of_other_sources_do_not_count(room: Path, tmp_path: Path) -> None:
    import shutil  # noqa: PLC0415  only here

    copy = tmp_path / "room"
    shutil.copytree(room, copy)
    assert libraries.shipped_libraries(copy) == libraries.shipped_libraries(room) != {}
    with (copy / "library/audio.c").open("a") as file:
        file.write("// changed\n")
    assert libraries.shipped_libraries(copy) == {}
    (copy / "platform/built.json").write_text("[]")
    assert libraries.shipped_libraries(copy) == {}
    assert libraries.shipped_libraries(tmp_path) == {}
