"""Installing and uninstalling, in homes where no Audacity runs."""

from __future__ import annotations

import subprocess
from configparser import RawConfigParser
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from stemdock import load_plugins
from stemdock_audacity.errors import RunningError
from stemdock_audacity.install import checking, settings_changes, setup
from stemdock_audacity.jobs.queue import JobQueue, default_queue
from stemdock_audacity.nyquist.texts import plugin_texts
from stemdock_audacity.profile import folders
from stemdock_audacity.profile.folders import Profile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock import ModelEntry

OWN = "PrefsVersion=1.1.1r1\n[Module]\nmod-script-pipe=0\nmod-ogg=1\n[GUI]\nLanguage=de\n"


@pytest.fixture(scope="module")
def models() -> Sequence[ModelEntry]:
    return load_plugins().models()


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    return JobQueue(folder=tmp_path / "queue")


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setattr(settings_changes, "find_audacity", lambda: ())
    module = tmp_path / "mod-script-pipe.so"
    module.touch()
    return Profile(
        settings=tmp_path / "config/audacity.cfg", plugins=tmp_path / "data/Plug-Ins",
        program=tmp_path / "audacity", module=module, sandboxed=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "own", [None, OWN, OWN.replace("\n", "\r\n"), "[ModulePath]\nmod-script-pipe=/old.so\n"]
)
def test_uninstall_undoes_exactly_what_install_did(
    profile: Profile, queue: JobQueue, models: Sequence[ModelEntry], own: str | None
) -> None:
    if own is not None:
        profile.settings.parent.mkdir()
        profile.settings.write_bytes(own.encode())
    for _ in range(2):
        setup.install(profile, queue, models)
    text = RawConfigParser()
    text.read_string("[/]\n" + profile.settings.read_text("utf-8"))
    assert text.get("Module", "mod-script-pipe") == "1"
    assert text.get("ModulePath", "mod-script-pipe") == str(profile.module)
    if own is not None:
        backup = profile.settings.with_name("audacity.cfg.before-stemdock")
        assert backup.read_bytes() == own.encode()
    assert {path.name for path in profile.plugins.iterdir()} == set(folders.PLUGIN_FILES)

    setup.uninstall(profile, queue)
    assert (profile.settings.read_bytes().decode() if profile.settings.exists() else None) == own
    assert list(profile.plugins.iterdir()) == []
    assert {path.name for path in profile.settings.parent.iterdir()} <= {"audacity.cfg"}


def test_what_others_have_set_since_stays(
    profile: Profile, queue: JobQueue, models: Sequence[ModelEntry]
) -> None:
    setup.install(profile, queue, models)
    text = profile.settings.read_text("utf-8").replace("mod-script-pipe=1", "mod-script-pipe=2")
    profile.settings.write_text(text, "utf-8")
    setup.uninstall(profile, queue)
    assert "mod-script-pipe=2" in profile.settings.read_text("utf-8")


def test_running_audacity_is_left_alone(
    profile: Profile, queue: JobQueue, models: Sequence[ModelEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_changes, "find_audacity", lambda: (1,))
    with pytest.raises(RunningError):
        setup.install(profile, queue, models)
    assert not profile.settings.exists()
    monkeypatch.setattr(settings_changes, "find_audacity", lambda: ())
    setup.install(profile, queue, models)
    monkeypatch.setattr(settings_changes, "find_audacity", lambda: (1,))
    setup.install(profile, queue, models)  # new models need no change of the settings
    with pytest.raises(RunningError):
        setup.uninstall(profile, queue)


def test_plugins_balance_and_offer_the_models(models: Sequence[ModelEntry]) -> None:
    texts = plugin_texts(models, folder="/s/", settings="/c", program="/s/l", marker="l")
    for text in texts.values():
        assert text.isascii()
        assert "@" not in text
        code = "\n".join(line.partition(";")[0] for line in text.splitlines() if not line.startswith("$"))
        assert code.count("(") == code.count(")")
    assert 'choice ("2stems")' in texts["stemdock-separate.ny"]
    assert '"Only vocals"' in texts["stemdock-separate.ny"]


def test_the_dialog_begins_with_the_default_model(models: Sequence[ModelEntry]) -> None:
    (default,) = models
    other = replace(default, name="0stems")
    names = {"folder": "/f/", "settings": "/c", "program": "/p", "marker": "m"}
    assert plugin_texts([other, default], **names) == plugin_texts([default, other], **names)


def test_doctor_only_looks(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "find_profile", lambda: profile)
    checks = checking.diagnose()
    assert {check.status for check in checks} <= {"ok", "warning"}
    assert any("plugin-cli audacity install" in check.remedy for check in checks)


@pytest.mark.parametrize(
    ("version", "expected"), [("4.0.0", True), ("3.7.8", False), ("", False), ("x", False)]
)
def test_audacity_4_has_no_pipe(version: str, expected: bool) -> None:
    assert folders.has_no_pipe(version) is expected


def test_folder_for_requests_is_ascii(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "Jürgen"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert str(default_queue().folder).isascii()


def test_launcher_survives_odd_python_paths(
    profile: Profile,
    queue: JobQueue,
    models: Sequence[ModelEntry],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd = tmp_path / "my 'venv' $x"
    odd.mkdir()
    python = odd / "python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(python))
    setup.install(profile, queue, models)
    done = subprocess.run([str(queue.folder / "stemdock-launch")], capture_output=True, text=True, check=True)
    assert done.stdout == "-m stemdock_audacity.launcher\n"
