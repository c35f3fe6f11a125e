"""Installing and uninstalling, in homes where no Audacity runs."""

from __future__ import annotations

import json
import subprocess
import sys
from configparser import RawConfigParser
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from stemdock import load_plugins
from stemdock_audacity.errors import RunningError
from stemdock_audacity.install import checking, settings_changes, setup
from stemdock_audacity.jobs.queue import JobQueue, default_queue
from stemdock_audacity.nyquist.languages import language_of, translations
from stemdock_audacity.nyquist.texts import plugin_texts
from stemdock_audacity.profile import folders
from stemdock_audacity.profile.folders import Profile
from stemdock_hostkit.install.errors import ChangedFileError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock import ModelEntry

LAUNCHER = "stemdock-launch.cmd" if sys.platform == "win32" else "stemdock-launch"
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


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize(
    "own", [None, OWN, OWN.replace("\n", "\r\n"), "[ModulePath]\nmod-script-pipe=/old.so\n"]
)
def test_uninstall_undoes_exactly_what_install_did(
    profile: Profile, queue: JobQueue, models: Sequence[ModelEntry], own: str | None, tmp_path: Path
) -> None:
    if own is not None:
        profile.settings.parent.mkdir()
        profile.settings.write_bytes(own.encode())
    before = snapshot(tmp_path)
    for _ in range(2):
        setup.install(profile, queue, models)
    text = RawConfigParser()
    text.read_string("[/]\n" + profile.settings.read_text("utf-8"))
    assert text.get("Module", "mod-script-pipe") == "1"
    # wxFileConfig doubles backslashes.
    assert text.get("ModulePath", "mod-script-pipe").replace("\\\\", "\\") == str(profile.module)
    if own is not None:
        backup = profile.settings.with_name("audacity.cfg.before-stemdock")
        assert backup.read_bytes() == own.encode()
    assert {path.name for path in profile.plugins.iterdir()} == set(folders.PLUGIN_FILES)

    setup.uninstall(profile, queue)
    assert snapshot(tmp_path) == {**before, "queue": None, "queue/inbox": None, "queue/jobs": None}


def test_a_dry_run_returns_the_same_and_changes_nothing(
    profile: Profile, queue: JobQueue, models: Sequence[ModelEntry], tmp_path: Path
) -> None:
    profile.settings.parent.mkdir()
    profile.settings.write_text(OWN)
    before = snapshot(tmp_path)
    told = setup.install(profile, queue, models, dry_run=True)
    assert snapshot(tmp_path) == before
    assert setup.install(profile, queue, models) == told
    assert ("change", profile.settings) in [(change.action, change.path) for change in told]
    assert {change.path for change in told} == {
        profile.settings,
        profile.settings.with_name("audacity.cfg.before-stemdock"),
        queue.folder / "installed.json",
        queue.folder / LAUNCHER,
        *(profile.plugins / name for name in folders.PLUGIN_FILES),
    }
    assert setup.install(profile, queue, models) == []
    during = snapshot(tmp_path)
    told = setup.uninstall(profile, queue, dry_run=True)
    assert snapshot(tmp_path) == during
    assert setup.uninstall(profile, queue) == told
    assert setup.uninstall(profile, queue) == []


def test_the_command_prints_one_line_for_each_file(
    profile: Profile, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stemdock_audacity import commands, everywhere  # noqa: PLC0415  only here
    from stemdock_audacity.audacity4 import places  # noqa: PLC0415  only here

    monkeypatch.setattr(everywhere, "find_profile", lambda: profile)
    monkeypatch.setattr(places, "find_all", list)
    monkeypatch.setattr("stemdock_audacity.audacity4.setup.state_folder", lambda: queue.folder / "4")
    monkeypatch.setattr(commands, "default_queue", lambda: queue)

    def run(*words: str) -> list[str]:
        result = CliRunner().invoke(commands.command, words, obj=load_plugins(), catch_exceptions=False)
        return result.stdout.splitlines()

    planned = run("install", "--dry-run")
    assert f"would write {profile.plugins / 'stemdock-separate.ny'}" in planned
    assert not profile.plugins.exists()
    assert not queue.folder.exists()
    done = run("install")
    assert [line.replace(": ", " ", 1) for line in done] == [line.removeprefix("would ") for line in planned]
    planned = run("uninstall", "--dry-run")
    assert f"would remove {queue.folder / LAUNCHER}" in planned
    done = run("uninstall")
    assert [line.replace(": ", " ", 1) for line in done] == [line.removeprefix("would ") for line in planned]
    assert run("uninstall") == ["nothing to do: Stemdock is not installed in Audacity"]


def test_plugins_that_were_changed_by_hand_are_kept(
    profile: Profile, queue: JobQueue, models: Sequence[ModelEntry], tmp_path: Path
) -> None:
    setup.install(profile, queue, models)
    path = profile.plugins / "stemdock-separate.ny"
    path.write_text(path.read_text("utf-8") + ";; mine, with stemdock\n", "utf-8")
    during = snapshot(tmp_path)
    with pytest.raises(ChangedFileError, match=r"separate\.ny"):
        setup.install(profile, queue, models)
    assert snapshot(tmp_path) == during
    setup.uninstall(profile, queue)
    assert list(profile.plugins.iterdir()) == [path]


def test_another_plugin_of_the_same_name_is_kept(
    profile: Profile, queue: JobQueue, models: Sequence[ModelEntry]
) -> None:
    profile.plugins.mkdir(parents=True)
    path = profile.plugins / "stemdock-separate.ny"
    path.write_text(";nyquist plug-in\n")
    with pytest.raises(ChangedFileError, match=r"separate\.ny"):
        setup.install(profile, queue, models)
    assert setup.uninstall(profile, queue) == []
    assert path.exists()


FORMER_SETTINGS = OWN.replace("mod-script-pipe=0", "mod-script-pipe=1")
FORMER_RECORD = {
    "former": {"Module/mod-script-pipe": "0"},
    "set": {"Module/mod-script-pipe": "1"},
    "made_settings": False,
}


@pytest.mark.parametrize("updating", [False, True])
@pytest.mark.parametrize("recorded", [False, True])
def test_what_an_older_stemdock_installed_is_updated_and_removed(
    profile: Profile,
    queue: JobQueue,
    models: Sequence[ModelEntry],
    tmp_path: Path,
    updating: bool,
    recorded: bool,
) -> None:
    """Older records listed settings only; there was none if mod-script-pipe was on before."""
    queue.prepare()
    profile.settings.parent.mkdir()
    profile.plugins.mkdir(parents=True)
    own = OWN if recorded else FORMER_SETTINGS
    profile.settings.write_text(own)
    before = snapshot(tmp_path)
    profile.settings.write_text(FORMER_SETTINGS)
    for path in (
        queue.folder / LAUNCHER,
        *(profile.plugins / name for name in folders.PLUGIN_FILES),
    ):
        path.write_text("of an older stemdock\n")
    if recorded:
        (queue.folder / "installed.json").write_text(json.dumps(FORMER_RECORD))
        profile.settings.with_name("audacity.cfg.before-stemdock").write_text(own)
    if updating:
        setup.install(profile, queue, models)
        assert (profile.plugins / "stemdock-separate.ny").read_text("utf-8").startswith("$nyquist plug-in")
    setup.uninstall(profile, queue)
    assert snapshot(tmp_path) == before


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
    texts = plugin_texts(models, folder="/s/", settings="/c", program="/s/l", marker="l", translated={})
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
    texts = [
        plugin_texts(entries, **names, translated={}) for entries in ([other, default], [default, other])
    ]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("language", ["de", "fr", "es", "ja"])
def test_the_dialogs_are_whole_in_one_language(models: Sequence[ModelEntry], language: str) -> None:
    names = {"folder": "/f/", "settings": "/c", "program": "/p", "marker": "m"}
    english = plugin_texts(models, **names, translated={})
    # Audacity would translate some of the texts that are marked like this.
    assert "(_ " not in "".join(english.values())
    translated = translations(language)
    assert translated.keys() == translations("de").keys()
    spoken = plugin_texts(models, **names, translated=translated)
    for text, other in translated.items():
        if "{" not in text:
            assert any(f'"{text}"' in source for source in english.values()), text
            assert any(f'"{other}"' in source for source in spoken.values()), text
    controls = [line for line in "".join(spoken.values()).split("\n") if line.startswith("$control")]
    # Identifiers for macros stay.
    assert '("Mute" ' in controls[3]
    assert all(" choice " in line for line in controls)


@pytest.mark.parametrize(
    ("chosen", "system", "language"),
    [("de", "fr_FR.UTF-8", "de"), ("System", "fr_FR.UTF-8", "fr"), (None, "ja_JP", "ja"), (None, "C", "c")],
)
def test_the_language_is_that_of_audacity(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, chosen: str | None, system: str, language: str
) -> None:
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LC_ALL", system)
    if chosen:
        profile.settings.parent.mkdir(parents=True, exist_ok=True)
        profile.settings.write_text(f"[Locale]\nLanguage={chosen}\n")
    assert language_of(profile) == language
    assert bool(translations(language)) == (language != "c")


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
    odd = tmp_path / "my 'venv' $x é100%"
    odd.mkdir()
    if sys.platform == "win32":
        python = odd / "python.cmd"
        python.write_text("@echo %*\n")
    else:
        python = odd / "python"
        python.write_text('#!/bin/sh\necho "$@"\n')
        python.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(python))
    setup.install(profile, queue, models)
    done = subprocess.run([queue.folder / LAUNCHER], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "-P -m stemdock_audacity.launcher\n"
