"""A user without a home folder: the worker's state is where no other user can take or block its place."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.other_users import ATTACKER, VICTIM, two_users

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from support.other_users import Machine

pytestmark = pytest.mark.slow

FIND = """
import stemdock_hostkit.worker.places as places
print(places.worker_folder())
"""


@pytest.fixture
def machine() -> Iterator[Machine]:
    """The victim has no entry in the list of users."""
    with two_users() as machine:
        yield machine


def find(machine: Machine, **changes: str) -> subprocess.CompletedProcess[str]:
    return machine.run(VICTIM, sys.executable, "-c", FIND, timeout=60, HOME="", **changes)


def found(machine: Machine, **changes: str) -> Path:
    """The folder of the worker, which only the victim can enter."""
    done = find(machine, **changes)
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    for path in (folder, folder.parent, folder.parents[1]):
        status = path.lstat()
        assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (VICTIM, 0o700)
        assert stat.S_ISDIR(status.st_mode)
    return folder


def test_the_folder_is_found_again(machine: Machine) -> None:
    folder = found(machine)
    assert folder.parents[2] == machine.temporary
    assert found(machine) == folder


ATTACKS = {
    "folder": "mkdir {0}",
    "open folder": "mkdir -p {0}/workers && chmod -R 777 {0}",
    "file": "touch {0}",
    "link": "mkdir {1}/theirs && ln -s {1}/theirs {0}",
    "dangling link": "ln -s {1}/absent {0}",
    "pipe": "mkfifo {0}",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("name", ["stemdock-victim", f"stemdock-{VICTIM}"])
def test_others_can_neither_take_nor_block_it(machine: Machine, attack: str, name: str) -> None:
    hostile = machine.temporary / name
    machine.attack(attack.format(hostile, machine.temporary))
    # Names that look like those that follow, too.
    machine.attack(f"cd {machine.temporary}; mkdir -m 777 stemdock-{VICTIM}-aaaaaaaa stemdock-{VICTIM}-0")
    folder = found(machine)
    assert hostile not in folder.parents
    assert found(machine) == folder
    # Nothing is left of the attacker, and the folder stays the same.
    machine.attack(
        f"cd {machine.temporary}; rm -rf {hostile} theirs stemdock-{VICTIM}-aaaaaaaa stemdock-{VICTIM}-0"
    )
    assert found(machine) == folder
    theirs = [path for path in machine.temporary.rglob("*") if path.lstat().st_uid == ATTACKER]
    assert theirs == []


def test_the_folder_of_the_login_comes_first(machine: Machine) -> None:
    login = machine.give(machine.folder / "login", VICTIM)
    assert login in found(machine, XDG_RUNTIME_DIR=str(login)).parents
    foreign = machine.give(machine.folder / "foreign", ATTACKER, 0o777)
    assert machine.temporary in found(machine, XDG_RUNTIME_DIR=str(foreign)).parents
    assert list(foreign.iterdir()) == []


@pytest.mark.parametrize(("owner", "mode"), [(0, 0o777), (ATTACKER, 0o1777)])
def test_a_place_in_which_others_rename_files_is_refused(machine: Machine, owner: int, mode: int) -> None:
    machine.temporary.chmod(mode)
    os.chown(machine.temporary, owner, owner)
    done = find(machine)
    assert done.returncode
    assert f"other users can rename what is in {machine.temporary}" in done.stderr
    # The command says so, and what to do.
    job = machine.give(machine.folder / "job", VICTIM)
    (job / "job.json").write_text("{}")
    done = machine.cli("reaper", "work", job, HOME="")
    assert done.returncode
    (line,) = done.stderr.splitlines()
    assert str(machine.temporary) in line
    assert "STEMDOCK_STATE" in line
    assert list(machine.temporary.iterdir()) == []
