"""Installing into an editor: all or nothing, recorded, undone to the byte, and nobody's work overwritten."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stemdock_hostkit.install.errors import (
    ChangedFileError,
    ChangedMeanwhileError,
    FileAccessError,
    RecordError,
    RecordVersionError,
)
from stemdock_hostkit.install.plan import Change, Edit, OwnFile
from stemdock_hostkit.install.record import EditRecord
from stemdock_hostkit.install.transaction import content_of
from support.toy_installation import EDITED, KEYS, files, install, toy, uninstall

EDITORS_MODE = 0o666 if sys.platform == "win32" else 0o664  # Windows knows only "read-only"


def snapshot(folder: Path) -> dict[str, Any]:
    return {
        path.relative_to(folder).as_posix(): None
        if path.is_dir()
        else (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of an editor."""
    path = tmp_path / "editor"
    path.mkdir()
    (path / "keys.ini").write_bytes(KEYS)
    (path / "keys.ini").chmod(EDITORS_MODE)
    return path


def test_everything_is_undone_to_the_byte(folder: Path) -> None:
    before = snapshot(folder)
    done = install(folder)
    during = snapshot(folder)
    assert during["keys.ini"] == (EDITED, EDITORS_MODE)
    assert {change.path for change in done} == {
        folder / name for name, content in during.items() if content and content != before.get(name)
    }
    assert [change.path for change in done if change.action == "change"] == [folder / "keys.ini"]
    assert install(folder) == []
    assert snapshot(folder) == during
    install(folder, "2")
    (folder / "own/jobs/1").mkdir(parents=True)
    uninstall(folder)
    assert snapshot(folder) == before
    assert uninstall(folder) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no modes")
@pytest.mark.parametrize("umask", [0, 0o077, 0o777])
def test_modes_do_not_depend_on_the_umask(folder: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        (folder / "scripts/parts").mkdir(parents=True, mode=0o700)
        for path in (folder / "scripts", folder / "scripts/parts", folder / "own"):
            path.mkdir(exist_ok=True)
            path.chmod(0o700)
        install(folder)
        assert install(folder) == []
    finally:
        os.umask(before)
    modes = {name: value[1] for name, value in snapshot(folder).items() if value}
    assert modes["own/start"] == 0o700
    assert modes["own/installed.json"] == modes["own/keys.ini before"] == 0o600
    assert modes["scripts/a.lua"] == 0o644 & ~umask | 0o600


def test_a_dry_run_returns_the_same_and_changes_nothing(folder: Path) -> None:
    before = snapshot(folder)
    told = install(folder, dry_run=True)
    assert snapshot(folder) == before
    assert install(folder) == told
    during = snapshot(folder)
    told = uninstall(folder, dry_run=True)
    assert snapshot(folder) == during
    assert uninstall(folder) == told


def test_a_line_for_each_change() -> None:
    path = Path("x")
    lines = [(Change(action, path).line(dry_run=True), Change(action, path).line()) for action in (
        "write", "change", "remove", "keep"
    )]  # fmt: skip
    assert lines == [
        ("would write x", "write: x"),
        ("would change x", "change: x"),
        ("would remove x", "remove: x"),
        ("would keep (was changed) x", "keep (was changed): x"),
    ]


@pytest.mark.parametrize("work", [install, uninstall])
def test_if_one_step_fails_all_files_are_as_they_were(
    folder: Path, work: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(folder, "0")
    (folder / "scripts/parts/b.lua").unlink()
    before = snapshot(folder)
    for at in range(100):
        calls = Calls(at)
        with monkeypatch.context() as patch:
            calls.watch(patch)
            try:
                work(folder) if work is uninstall else work(folder, "2")
            except FileAccessError as error:
                assert "No space left" in str(error)  # noqa: PT017
            else:
                break
        assert snapshot(folder) == before, at
    assert at > 5
    assert snapshot(folder) != before


class Calls:
    """Lets one operation of the file system fail."""

    def __init__(self, at: int) -> None:
        self.left = at

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        for name in ("replace", "unlink", "mkdir"):
            original = getattr(Path, name)

            def operation(path: Path, *words: Any, original: Any = original, **more: Any) -> Any:
                # Whether a temporary file can be removed does not matter.
                self.left -= (original.__name__, path.suffix) != ("unlink", ".part")
                if self.left == -1:
                    self.left -= 1
                    raise OSError(28, "No space left on device", str(path))
                return original(path, *words, **more)

            patch.setattr(Path, name, operation)


KILLED = """
import os, sys
from pathlib import Path
from support.toy_installation import install, uninstall
folder, at, work = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
left = at
for name in ("replace", "unlink"):
    def operation(path, *words, original=getattr(Path, name), **more):
        global left
        if left == 0:
            os._exit(9)
        left -= 1
        return original(path, *words, **more)
    setattr(Path, name, operation)
install(folder, "2") if work == "install" else uninstall(folder)
"""


@pytest.mark.slow
@pytest.mark.parametrize("work", ["install", "update", "uninstall"])
def test_what_a_killed_run_leaves_is_completed_and_undone(folder: Path, work: str) -> None:
    before = snapshot(folder)
    for at in range(100):
        if work != "install":
            install(folder)
        program = [sys.executable, "-c", KILLED, str(folder), str(at), work.replace("update", "install")]
        tests = str(Path(__file__).parents[2])
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])}
        status = subprocess.run(program, check=False, env=environment).returncode
        if at % 2 and work != "uninstall":
            install(folder, "3")
            assert all(file.path.read_bytes() == file.content for file in files(folder, "3"))
        uninstall(folder)
        # Without a record, empty folders stay. They do no harm.
        left = {name: value for name, value in snapshot(folder).items() if value}
        assert {name for name in left if not name.startswith("own/installed.json.part")} == before.keys()
        assert left["keys.ini"] == before["keys.ini"]
        if not status:
            break
    assert at > 5


def test_files_changed_by_hand_and_foreign_files_are_refused(folder: Path) -> None:
    (folder / "scripts/parts").mkdir(parents=True)
    (folder / "scripts/parts/b.lua").write_bytes(b"theirs")
    before = snapshot(folder)
    with pytest.raises(ChangedFileError, match=r"b\.lua") as caught:
        install(folder)
    assert snapshot(folder) == before
    assert "Move it" in caught.value.remedy
    (folder / "scripts/parts/b.lua").unlink()
    install(folder)
    for name in ("scripts/a.lua", "own/start"):
        (folder / name).write_bytes(b"mine")
    during = snapshot(folder)
    for dry_run in (True, False):
        with pytest.raises(ChangedFileError, match=r"a\.lua, .*start") as caught:
            install(folder, "2", dry_run=dry_run)
        assert "Move them" in caught.value.remedy
        assert snapshot(folder) == during
    kept = {change.path for change in uninstall(folder) if change.action == "keep"}
    assert kept == {folder / "scripts/a.lua", folder / "own/start"}
    assert all(path.read_bytes() == b"mine" for path in kept)


@pytest.mark.skipif(sys.platform == "win32", reason="no FIFOs")
@pytest.mark.parametrize("kind", ["fifo", "link", "dangling", "folder"])
def test_what_is_no_file_is_refused(folder: Path, kind: str, tmp_path: Path) -> None:
    path = folder / "scripts/a.lua"
    path.parent.mkdir()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "x")
        if kind == "link":
            (tmp_path / "x").write_bytes(files(folder, "1")[0].content)
    with pytest.raises(ChangedFileError):
        install(folder)
    assert not (folder / "own").exists()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_does_not_pass_its_permissions_on(folder: Path) -> None:
    path = folder / "keys.ini"
    path.chmod(0o666)
    os.chown(path, 54321, 54321)
    install(folder)
    assert path.read_bytes() == EDITED
    assert path.stat().st_uid == os.geteuid()
    assert path.stat().st_mode & 0o022 == 0


def test_a_folder_in_place_of_the_editors_file_is_named(folder: Path) -> None:
    (folder / "keys.ini").unlink()
    (folder / "keys.ini").mkdir()
    before = snapshot(folder)
    edit = Edit(path=folder / "keys.ini", old=None, new=EDITED)
    with pytest.raises(FileAccessError, match=r"keys\.ini: ") as caught:
        toy(folder).install(files(folder, "1"), [edit])
    assert caught.value.path == folder / "keys.ini"
    assert snapshot(folder) == before
    with pytest.raises(FileAccessError, match=r"keys\.ini: "):
        content_of("toy", folder / "keys.ini")


@pytest.mark.skipif(sys.platform == "win32", reason="no modes")
@pytest.mark.parametrize("mode", [0o666, 0o664, 0o600, 0o400])
def test_a_file_that_others_can_change_is_replaced(folder: Path, mode: int) -> None:
    install(folder)
    (folder / "own/start").chmod(mode)
    (folder / "scripts/a.lua").chmod(mode)
    inode = (folder / "scripts/a.lua").stat().st_ino
    done = [Change("write", folder / "own/start")]
    if mode != 0o600:  # which is as safe as 0644
        done.insert(0, Change("write", folder / "scripts/a.lua"))
    assert install(folder) == done
    assert ((folder / "scripts/a.lua").stat().st_ino != inode) == (mode != 0o600)
    assert (folder / "scripts/a.lua").stat().st_mode & 0o022 == 0
    assert (folder / "own/start").stat().st_mode & 0o777 == 0o700
    assert install(folder) == []


def test_the_record_keeps_the_first_state_and_the_last_edit(folder: Path) -> None:
    path, backup = folder / "new.ini", folder / "own/new.ini before"
    first = Edit(path=path, old=None, new=b"A=1", before={"A": None}, after={"A": "1"}, backup=backup)
    assert toy(folder).install([], [first])[0] == Change("write", path)
    second = Edit(
        path=path, old=b"A=1", new=b"A=2\nB=1",
        before={"A": "1", "B": None}, after={"A": "2", "B": "1"}, backup=backup,
    )  # fmt: skip
    assert Change("change", path) in toy(folder).install([], [second])
    assert backup.read_bytes() == b"A=1"
    third = Edit(path=path, old=b"A=2\nB=1", new=b"A=3", after={"A": "3"}, backup=backup)
    toy(folder).install([], [third])
    assert toy(folder).edit_record(path) == EditRecord(
        before={"A": None, "B": None},
        after={"A": "3", "B": "1"},
        created=True,
        backup="own/new.ini before",
    )
    assert backup.read_bytes() == b"A=1"
    undo = Edit(path=path, old=b"A=3", new=None)
    assert toy(folder).uninstall([undo])[0] == Change("remove", path)
    assert [path.name for path in folder.iterdir()] == ["keys.ini"]


def test_an_installation_moves_with_a_portable_editor(folder: Path, tmp_path: Path) -> None:
    before = snapshot(folder)
    install(folder)
    folder = folder.rename(tmp_path / "stick")
    assert install(folder) == []
    uninstall(folder)
    assert snapshot(folder) == before


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_a_link_to_the_jobs_is_removed_and_the_jobs_stay(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "jobs/1").mkdir(parents=True)
    before = snapshot(folder)
    install(folder)
    (folder / "own/jobs").symlink_to(tmp_path / "jobs")
    assert Change("remove", folder / "own/jobs") in uninstall(folder)
    assert snapshot(folder) == before
    assert (tmp_path / "jobs/1").is_dir()


def test_a_file_that_is_no_longer_wanted_leaves_the_record(folder: Path) -> None:
    install(folder, "1")
    install(folder, "2")
    name = "scripts/parts/b.lua"
    record = toy(folder).record
    assert record.hashes(name) == {hashlib.sha256(f"{name} {each}".encode()).hexdigest() for each in "12"}
    toy(folder).install([file for file in files(folder, "2") if file.path.name != "b.lua"])
    record = toy(folder).record
    assert record.hashes(name) == set()
    assert record.hashes("scripts/a.lua")
    assert record.replaced.keys() == {"scripts/a.lua", "own/start"}
    assert "own/keys.ini before" in record.files


def test_an_editor_that_writes_at_the_same_time_is_not_overwritten(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stemdock_hostkit.install import transaction  # noqa: PLC0415  only here

    stage = transaction._stage

    def slowly(step: Any) -> None:
        stage(step)
        (folder / "keys.ini").write_bytes(b"by the editor")

    before = snapshot(folder)
    monkeypatch.setattr(transaction, "_stage", slowly)
    with pytest.raises(ChangedMeanwhileError, match=r"keys\.ini"):
        install(folder)
    assert snapshot(folder) == {**before, "keys.ini": (b"by the editor", EDITORS_MODE)}


def test_a_newer_record_is_refused(folder: Path) -> None:
    install(folder)
    record = folder / "own/installed.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "version": 2}))
    with pytest.raises(RecordVersionError, match="newer"):
        uninstall(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="no modes")
def test_a_record_that_others_can_write_names_nothing_outside(folder: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"x")
    record = folder / "own/installed.json"
    record.parent.mkdir()
    digest = hashlib.sha256(b"x").hexdigest()
    for name in (str(precious), "../precious", "own/../../precious"):
        record.write_text(json.dumps({"version": 1, "files": {name: digest}}))
        record.chmod(0o666)
        with pytest.raises(RecordError, match="is outside"):
            uninstall(folder)
    assert precious.exists()
    record.write_text(json.dumps({"version": 1, "files": {str(precious): digest}}))
    record.chmod(0o600)
    uninstall(folder)
    assert not precious.exists()


def test_files_outside_the_folder_are_recorded_with_their_whole_path(folder: Path, tmp_path: Path) -> None:
    outside = OwnFile(path=tmp_path / "plug-ins/x.ny", content=b"x")
    before = snapshot(tmp_path)
    toy(folder).install([*files(folder, "1"), outside])
    assert outside.path.read_bytes() == b"x"
    toy(folder).install(files(folder, "1"))
    assert not outside.path.exists()
    toy(folder).install([*files(folder, "1"), outside])
    uninstall(folder)
    assert snapshot(tmp_path) == before
