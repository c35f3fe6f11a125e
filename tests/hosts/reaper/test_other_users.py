"""Another user of the machine has put files into REAPER's resource folder before the installation."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.other_users import ATTACKER, VICTIM, two_users
from support.reaper_model.stage import SHIPPED

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def put(path: Path, content: bytes, user: int, mode: int) -> None:
    path.write_bytes(content)
    path.chmod(mode)
    os.chown(path, user, user)


@pytest.mark.parametrize(("user", "mode"), [(ATTACKER, 0o644), (VICTIM, 0o666)])
def test_what_reaper_runs_cannot_be_changed_by_others(user: int, mode: int) -> None:
    with two_users() as machine:
        machine.home.chmod(0o755)
        resources = machine.give(machine.home / ".config/REAPER", VICTIM, 0o755)
        machine.give(resources.parent, VICTIM, 0o755)
        (resources / "reaper.ini").touch()
        scripts = resources / "Scripts/Stemdock/stemdock"
        for folder in (resources / "Scripts", scripts.parent, scripts):
            machine.give(folder, VICTIM, 0o755)
        content = (SHIPPED / "stemdock/app.lua").read_bytes()
        put(scripts / "app.lua", content, user, mode)
        machine.attack(f"echo >> {scripts}/app.lua && truncate -s -1 {scripts}/app.lua")  # they can
        assert (scripts / "app.lua").read_bytes() == content
        done = machine.cli("reaper", "install")
        assert done.returncode == 0, done.stderr
        assert f"write: {scripts / 'app.lua'}" in done.stdout.splitlines()
        assert (scripts / "app.lua").read_bytes() == content
        assert "Permission denied" in machine.try_attack(f"echo >> {scripts}/app.lua").stderr
        assert {path.stat().st_uid for path in resources.rglob("*.lua")} == {VICTIM}
        assert machine.written_by_others(resources) == []
        # What they put there with another content is named, and not overwritten.
        put(scripts / "json.lua", b"os.execute('evil')\n", ATTACKER, 0o644)
        done = machine.cli("reaper", "install")
        assert done.returncode == 1
        assert "json.lua" in done.stderr
