"""Installing changes what it says, and uninstalling leaves REAPER's folder as it was, to the byte."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from stemdock_hostkit.install.errors import ChangedFileError
from stemdock_reaper.commands import command
from stemdock_reaper.commands import install as install_module
from stemdock_reaper.install import checking, keyboard
from stemdock_reaper.install.shipped import action_paths, worker_command
from stemdock_reaper.link import running
from stemdock_reaper.profile import places
from stemdock_reaper.profile.words import quoted, split_words
from support.reaper_model.commandline import split_unix
from support.reaper_model.host import Host
from support.reaper_model.stage import SHIPPED, Stage

KEYS = (
    b'KEY 1 65 _RSabc 0\r\nSCR 4 0 RS7d3c "Custom: other.lua" "Cockos/other.lua"\r\n'
    b'SCR 4 0 RS7d3d "Custom: d\xe9j\xe0 vu.lua" "d\xe9j\xe0 vu.lua"\r\n'
)


@pytest.fixture
def resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A resource folder of somebody who has used REAPER for a while; no REAPER runs."""
    folder = tmp_path / "RÉAPER's folder"
    (folder / "Scripts" / "Cockos").mkdir(parents=True)
    (folder / "reaper.ini").write_bytes(b"[reaper]\r\n")
    (folder / "reaper-kb.ini").write_bytes(KEYS)
    (folder / "Scripts" / "Cockos" / "other.lua").write_bytes(b"-- other\n")
    monkeypatch.setattr(running, "running_programs", list)
    return folder


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def run(resources: Path, *words: str, status: int = 0) -> str:
    result = CliRunner().invoke(
        command, [words[0], "--resource-path", str(resources), *words[1:]], standalone_mode=False
    )
    if result.exception:
        raise result.exception
    assert (result.return_value or 0) == status
    return result.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="no permissions")
def test_what_reaper_runs_is_written_by_its_user_only(resources: Path) -> None:
    before = os.umask(0)
    try:
        run(resources, "install")
        (resources / "Scripts/Stemdock").joinpath("stemdock/json.lua").chmod(0o666)
        run(resources, "install")
    finally:
        os.umask(before)
    own = {*resources.rglob("Stemdock/**/*"), *resources.rglob("Stemdock")}
    assert own
    assert [path for path in own if path.stat().st_mode & 0o022] == []


@pytest.mark.parametrize("keys", [KEYS, KEYS.rstrip(), KEYS.replace(b"\r\n", b"\n"), b"", None])
def test_uninstall_restores_every_byte(resources: Path, keys: bytes | None) -> None:
    path = resources / "reaper-kb.ini"
    path.unlink() if keys is None else path.write_bytes(keys)
    before = snapshot(resources)
    told = run(resources, "install")
    during = snapshot(resources)
    assert during.keys() - before.keys()
    for name in ("Scripts/Stemdock/Stemdock - Settings.lua", "Stemdock/config.json"):
        assert f"write: {resources / name}" in told.splitlines()
    for line in (keys or b"").splitlines():
        assert line in (during["reaper-kb.ini"] or b"").splitlines()
    if keys:
        assert during["Stemdock/reaper-kb.ini before Stemdock"] == keys
    # A job was done meanwhile.
    (resources / "Stemdock" / "jobs" / "1").mkdir(parents=True)
    (resources / "Stemdock" / "jobs" / "1" / "log.txt").touch()
    run(resources, "uninstall")
    assert snapshot(resources) == before
    assert run(resources, "uninstall") == "nothing to do: the actions are not installed\n"


def test_installing_twice_is_installing_once(resources: Path) -> None:
    before = snapshot(resources)
    run(resources, "install")
    during = snapshot(resources)
    assert run(resources, "install") == "nothing to do: the actions are already installed\n"
    assert snapshot(resources) == during
    run(resources, "uninstall")
    assert snapshot(resources) == before


def test_a_dry_run_tells_the_same_and_does_nothing(resources: Path) -> None:
    before = snapshot(resources)
    told = run(resources, "install", "--dry-run")
    assert snapshot(resources) == before
    assert run(resources, "install") == as_done(told)
    during = snapshot(resources)
    assert (
        {line.removeprefix("would write ") for line in told.splitlines() if "would write" in line}
        == {str(resources / name) for name in during.keys() - before.keys() if during[name] is not None}
    )  # fmt: skip
    assert [line for line in told.splitlines() if "would write" not in line] == [
        f"would change {resources / 'reaper-kb.ini'}"
    ]
    told = run(resources, "uninstall", "--dry-run")
    assert snapshot(resources) == during
    assert "would remove" in told
    assert run(resources, "uninstall") == as_done(told)
    assert snapshot(resources) == before


def as_done(told: str) -> str:
    """What a run prints if a dry run printed this."""
    return "".join(
        re.sub(r"^would (\w+) ", r"\1: ", line) for line in told.splitlines(keepends=True)
    )  # fmt: skip


def test_every_shipped_file_arrives_and_the_actions_are_listed(resources: Path) -> None:
    run(resources, "install")
    for path in SHIPPED.rglob("*.lua"):
        installed = resources / "Scripts" / "Stemdock" / path.relative_to(SHIPPED)
        assert installed.read_bytes() == path.read_bytes()
    lines = (resources / "reaper-kb.ini").read_bytes()[len(KEYS) :].decode().splitlines()
    assert len(lines) == len(list(SHIPPED.glob("*.lua"))) == 3
    for line in lines:
        kind, flags, section, identifier, name, script = split_unix(line)
        assert (kind, flags, section) == ("SCR", "260", "0")
        assert identifier.startswith("RS")
        assert len(identifier) == 42
        assert (resources / "Scripts" / script).is_file()
        assert name == f"Custom: {Path(script).name}"
    assert all(check.status == "ok" for check in checking.diagnose([resources], running=False))


def test_an_update_replaces_what_changed_and_removes_what_is_gone(resources: Path) -> None:
    before = snapshot(resources)
    run(resources, "install")
    scripts = resources / "Scripts" / "Stemdock"
    record_path = resources / "Stemdock" / "installed.json"
    record = json.loads(record_path.read_text())
    (scripts / "stemdock" / "old.lua").write_bytes(b"")
    record["files"]["Scripts/Stemdock/stemdock/old.lua"] = (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    older = b"-- of an older version\n"
    (scripts / "stemdock" / "app.lua").write_bytes(older)
    record["files"]["Scripts/Stemdock/stemdock/app.lua"] = hashlib.sha256(older).hexdigest()
    record_path.write_text(json.dumps(record))
    run(resources, "install")
    assert not (scripts / "stemdock" / "old.lua").exists()
    assert (scripts / "stemdock" / "app.lua").read_bytes() == (SHIPPED / "stemdock" / "app.lua").read_bytes()
    run(resources, "uninstall")
    assert snapshot(resources) == before


def test_install_refuses_to_overwrite_what_was_changed_by_hand(resources: Path) -> None:
    run(resources, "install")
    scripts = resources / "Scripts" / "Stemdock"
    paths = [scripts / "Stemdock - Settings.lua", scripts / "stemdock" / "app.lua"]
    for path in paths:
        path.write_text("-- mine\n")
    (scripts / "stemdock" / "json.lua").unlink()
    during = snapshot(resources)
    for words in (["install"], ["install", "--dry-run"]):
        with pytest.raises(ChangedFileError, match="these files were changed") as caught:
            run(resources, *words)
        assert set(caught.value.paths) == set(paths)
        assert snapshot(resources) == during
    for path in paths:
        path.unlink()
    run(resources, "install")
    assert all((scripts / path.relative_to(SHIPPED)).exists() for path in SHIPPED.rglob("*.lua"))


def test_a_script_of_another_project_is_not_overwritten(resources: Path) -> None:
    path = resources / "Scripts" / "Stemdock" / "stemdock" / "app.lua"
    path.parent.mkdir(parents=True)
    path.write_text("-- not of this Stemdock\n")
    before = snapshot(resources)
    with pytest.raises(ChangedFileError, match=r"app\.lua"):
        run(resources, "install")
    assert snapshot(resources) == before


FORMER: Any = {
    "files": {
        "Scripts/Stemdock/Stemdock - Settings.lua": b"-- old settings\n",
        "Scripts/Stemdock/stemdock/gone.lua": b"-- gone\n",
        "Stemdock/reaper-kb.ini before Stemdock": KEYS,
        "Stemdock/config.json": b'{"command": ["/old"]}\n',
    },
    "folders": ["Scripts/Stemdock", "Scripts/Stemdock/stemdock", "Stemdock"],
    "keys_added": "".join(f"{keyboard.script_line(path)}\r\n" for path in action_paths()),
}


@pytest.mark.parametrize("updating", [False, True])
@pytest.mark.parametrize("created", [False, True])
def test_what_an_older_stemdock_installed_is_updated_and_removed(
    resources: Path, updating: bool, created: bool
) -> None:
    keys = resources / "reaper-kb.ini"
    if created:
        keys.unlink()
    before = snapshot(resources)
    files = {name: content for name, content in FORMER["files"].items() if not (created and content is KEYS)}
    for name, content in files.items():
        (resources / name).parent.mkdir(parents=True, exist_ok=True)
        (resources / name).write_bytes(content)
    keys.write_bytes((b"" if created else KEYS) + FORMER["keys_added"].encode())
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    record = {**FORMER, "files": hashes, "keys_created": created}
    (resources / "Stemdock" / "installed.json").write_text(json.dumps(record))
    if updating:
        run(resources, "install")
        assert not (resources / "Scripts/Stemdock/stemdock/gone.lua").exists()
        assert json.loads((resources / "Stemdock" / "installed.json").read_text())["version"] == 1
        assert run(resources, "install") == "nothing to do: the actions are already installed\n"
    run(resources, "uninstall")
    assert snapshot(resources) == before


@pytest.mark.skipif(sys.platform == "win32", reason="no owners")
@pytest.mark.parametrize("flaw", ["owner", "group", "others"])
def test_a_script_that_others_can_change_is_replaced_by_our_own(resources: Path, flaw: str) -> None:
    if flaw == "owner" and os.geteuid() != 0:
        pytest.skip("only root can give files away")
    path = resources / "Scripts" / "Stemdock" / "stemdock" / "app.lua"
    path.parent.mkdir(parents=True)
    path.write_bytes((SHIPPED / "stemdock" / "app.lua").read_bytes())
    path.chmod({"owner": 0o644, "group": 0o664, "others": 0o646}[flaw])
    if flaw == "owner":
        os.chown(path, 54321, 54321)
    with path.open("r+b") as theirs:  # what is open stays writable, whatever its mode becomes
        assert f"write: {path}" in run(resources, "install").splitlines()
        theirs.write(b"os.execute('evil')")
    assert path.stat().st_uid == os.geteuid()
    assert path.stat().st_mode & 0o777 == 0o644 & ~current_umask()
    assert path.read_bytes() == (SHIPPED / "stemdock" / "app.lua").read_bytes()
    assert run(resources, "install") == "nothing to do: the actions are already installed\n"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_a_link_in_place_of_a_script_is_refused(resources: Path, tmp_path: Path) -> None:
    path = resources / "Scripts" / "Stemdock" / "stemdock" / "app.lua"
    path.parent.mkdir(parents=True)
    theirs = tmp_path / "theirs.lua"
    theirs.write_bytes((SHIPPED / "stemdock" / "app.lua").read_bytes())
    path.symlink_to(theirs)
    with pytest.raises(ChangedFileError, match=r"app\.lua"):
        run(resources, "install")
    assert path.is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_a_link_to_reapers_list_stays_a_link(resources: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.ini"
    kept.write_bytes(KEYS)
    path = resources / "reaper-kb.ini"
    path.unlink()
    path.symlink_to(kept)
    run(resources, "install")
    assert path.is_symlink()
    assert kept.read_bytes() != KEYS
    run(resources, "uninstall")
    assert path.is_symlink()
    assert kept.read_bytes() == KEYS


def current_umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def test_uninstall_keeps_what_somebody_changed(resources: Path) -> None:
    run(resources, "install")
    path = resources / "Scripts" / "Stemdock" / "Stemdock - Settings.lua"
    path.write_text("-- mine\n")
    own = path.with_name("mine.lua")
    own.touch()
    assert f"keep (was changed): {path}" in run(resources, "uninstall").splitlines()
    assert set(path.parent.iterdir()) == {path, own}


def test_uninstall_finds_its_lines_after_reaper_rewrote_them(resources: Path) -> None:
    run(resources, "install")
    path = resources / "reaper-kb.ini"
    lines = path.read_bytes().splitlines(keepends=True)
    rewritten = [line.replace(b"SCR 260 0 RS", b"SCR 4 0 RSff") for line in reversed(lines)]
    whole = str(resources / "Scripts" / "Stemdock" / "Stemdock - Settings.lua").encode()
    rewritten[0] = b'SCR 4 0 RS1 "Custom: Stemdock - Settings.lua" "' + whole + b'"\r\n'
    path.write_bytes(b"".join(rewritten))
    assert len(lines) == 6
    run(resources, "uninstall")
    assert sorted(path.read_bytes().splitlines()) == sorted(
        KEYS.replace(b"SCR 4 0 RS", b"SCR 4 0 RS").splitlines()
    )


def test_while_reaper_runs_it_is_asked_and_its_file_is_left_alone(
    resources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[Any]] = []
    program = tmp_path / "reaper"
    monkeypatch.setattr(running, "running_programs", lambda: [program])
    monkeypatch.setattr(
        "stemdock_reaper.link.running.subprocess.run", lambda command, **_: calls.append(command)
    )
    assert "asked the running REAPER" in run(resources, "install")
    assert calls == [
        [program, "-nonewinst", resources / "Scripts" / "Stemdock" / "stemdock" / "register.lua"]
    ]
    assert (resources / "reaper-kb.ini").read_bytes() == KEYS


def test_while_reaper_runs_its_actions_are_not_removed(
    resources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stemdock_reaper.errors import ReaperRunningError  # noqa: PLC0415  only here

    run(resources, "install")
    during = snapshot(resources)
    monkeypatch.setattr(running, "running_programs", lambda: [tmp_path / "reaper"])
    with pytest.raises(ReaperRunningError, match="is running"):
        run(resources, "uninstall")
    assert snapshot(resources) == during


def test_a_reaper_that_cannot_be_asked_is_explained(
    resources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "running_programs", lambda: [tmp_path / "gone" / "reaper"])
    install_module._register(tmp_path / "gone" / "reaper", places.script_folder(resources))
    assert "Load ReaScript" in capsys.readouterr().err


def test_reapacks_copy_is_not_installed_a_second_time(resources: Path) -> None:
    path = places.reapack_script(resources)
    path.parent.mkdir(parents=True)
    path.touch()
    before = snapshot(resources)
    run(resources, "install")
    added = snapshot(resources).keys() - before.keys()
    assert added == {"Stemdock", "Stemdock/config.json", "Stemdock/installed.json"}
    assert (resources / "reaper-kb.ini").read_bytes() == KEYS
    run(resources, "uninstall")
    assert snapshot(resources) == before


def test_two_copies_are_pointed_out(resources: Path) -> None:
    run(resources, "install")
    path = places.reapack_script(resources)
    path.parent.mkdir(parents=True)
    path.touch()
    (check,) = [check for check in checking.diagnose([resources], running=False) if "script" in check.subject]
    assert check.status == "warning"
    assert "installed twice" in check.detail


def test_the_sandboxed_reaper_is_told_to_wait_for_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "running_programs", list)
    folder = tmp_path / ".var" / "app" / "fm.reaper.Reaper" / "config" / "REAPER"
    folder.mkdir(parents=True)
    (folder / "reaper.ini").touch()
    assert places.resource_folders("linux", tmp_path, {}) == [folder]
    run(folder, "install")
    assert json.loads((folder / "Stemdock" / "config.json").read_text()) == {"command": []}
    assert all(check.status == "ok" for check in checking.diagnose([folder], running=False))


def test_a_folder_that_is_not_reapers_is_refused(tmp_path: Path) -> None:
    from stemdock_reaper.errors import NotAResourceFolderError  # noqa: PLC0415  only here

    with pytest.raises(NotAResourceFolderError, match=r"reaper\.ini"):
        run(tmp_path, "install")
    assert list(tmp_path.iterdir()) == []


def test_no_reaper_at_all_is_unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stemdock.cli.main import run as run_program  # noqa: PLC0415  only here

    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    assert run_program(["reaper", "install"]) == 3


def test_doctor_names_what_is_missing_and_what_to_do(resources: Path) -> None:
    told = run(resources, "doctor", status=1)
    assert told.count("warning") == 3
    assert told.count("plugin-cli reaper install") == 3
    run(resources, "install")
    assert "warning" not in run(resources, "doctor")
    config = resources / "Stemdock" / "config.json"
    config.write_text('{"command": ["/gone"]}')
    assert "/gone does not exist" in run(resources, "doctor", status=1)
    config.write_text("{")
    assert "is damaged" in run(resources, "doctor", status=1)


def test_looking_changes_nothing(resources: Path) -> None:
    before = snapshot(resources)
    checking.diagnose([resources])
    run(resources, "doctor", status=1)
    assert snapshot(resources) == before


@pytest.mark.parametrize(
    ("platform", "environment", "place"),
    [
        ("win32", {"APPDATA": "{home}/Roaming"}, "Roaming/REAPER"),
        ("win32", {}, "AppData/Roaming/REAPER"),
        ("darwin", {}, "Library/Application Support/REAPER"),
        ("linux", {}, ".config/REAPER"),
        ("linux", {"XDG_CONFIG_HOME": "{home}/xdg"}, "xdg/REAPER"),
        ("linux", {}, ".var/app/fm.reaper.Reaper/config/REAPER"),
    ],
)
def test_resource_folders_of_each_system(
    tmp_path: Path, platform: str, environment: dict[str, str], place: str
) -> None:
    folder = tmp_path / place
    folder.mkdir(parents=True)
    variables = {key: value.format(home=tmp_path) for key, value in environment.items()}
    assert places.resource_folders(platform, tmp_path, variables) == []
    (folder / "reaper.ini").touch()
    assert places.resource_folders(platform, tmp_path, variables) == [folder]


@pytest.mark.skipif(sys.platform == "win32", reason="a program cannot be renamed by a link there")
def test_a_running_reaper_is_found_by_its_name(tmp_path: Path) -> None:
    for name in ("oom_reaper", "reaper"):
        (tmp_path / name).symlink_to(sys.executable)
    before = running.running_programs()
    processes = [
        subprocess.Popen([tmp_path / name, "-c", "input()"], stdin=subprocess.PIPE)
        for name in ("oom_reaper", "reaper")
    ]
    try:
        assert len(running.running_programs()) == len(before) + 1
    finally:
        for process in processes:
            process.communicate(b"\n")
    assert running.running_programs() == before


def test_the_command_is_this_interpreter() -> None:
    python = Path(sys.executable)
    if sys.platform == "win32":  # the other one opens a console
        python = python.with_name("pythonw.exe")
    assert worker_command() == [str(python), "-P", "-m", "stemdock", "reaper", "work"]


def test_register_adds_each_action_once(tmp_path: Path) -> None:
    host = Host("lua54", tmp_path)
    host.start(SHIPPED / "stemdock" / "register.lua")
    assert host.refusals == []
    names = sorted(path.name for path in SHIPPED.glob("*.lua"))
    assert sorted(Path(path).name for path, _ in host.registered) == names
    assert all(Path(path).is_file() for path, _ in host.registered)
    assert [commit for _, commit in host.registered] == [False, False, True]


def test_the_script_finds_what_install_wrote(resources: Path, tmp_path: Path) -> None:
    run(resources, "install")
    stage = Stage(tmp_path, scripts=resources / "Scripts" / "Stemdock")
    stage.host.resources = stage.resources = resources
    stage.command = worker_command()
    stage.add_item(stage.add_track(), stage.noise())
    stage.run()
    assert stage.host.messages == []
    assert len(stage.project.tracks) == 4


line_texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)


@given(line_texts)
def test_quoting_is_read_back_as_it_was(text: str) -> None:
    if {'"', "'", "`"} <= set(text):
        with pytest.raises(ValueError, match="three"):
            quoted(text)
    else:
        assert split_words(f"A {quoted(text)} B") == ["A", text, "B"]
        assert split_unix(f"A {quoted(text)} B") == ["A", text, "B"]


@given(st.binary(max_size=200), st.sampled_from([b"\n", b"\r\n"]))
def test_lines_go_as_they_came(content: bytes, line_end: bytes) -> None:
    paths = ["Stemdock/it's.lua", "Stemdock/b.lua"]
    added = keyboard.added_text(content, paths, "/x/Scripts", line_end)
    assert keyboard.without(content + added, added, paths, "/x/Scripts") == content
    assert keyboard.added_text(content + added, paths, "/x/Scripts", line_end) == b""


def test_absolute_windows_paths_are_recognised() -> None:
    line = r'SCR 4 0 RS1 "Custom: b.lua" "C:\Users\Ü\Scripts\Stemdock\B.lua"'
    assert keyboard.names_script(line, "Stemdock/b.lua", "C:\\Users\\Ü\\Scripts")
    assert not keyboard.names_script(line, "Stemdock/c.lua", "C:\\Users\\Ü\\Scripts")
    assert not keyboard.names_script("KEY 1 65 _RS1 0", "Stemdock/b.lua", "C:\\x")
