"""Installing in Ardour's folders, without Ardour."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemdock.cli.main import run
from stemdock_ardour import checking, places, setup
from stemdock_ardour.errors import ArdourRunningError, ScriptListError
from stemdock_ardour.script_list import EMPTY, Script, with_scripts, without_scripts
from stemdock_ardour.tables import line, rows

if TYPE_CHECKING:
    from stemdock_ardour.places import Ardour

# As Ardour 7.3 wrote it: a script of its own on the second button, in bytecode, and a hook.
OTHER = (
    b'scripts = {} scripts[2] = {} scripts[2]["n"] = "Mute \\"all\\"" '
    b'scripts[2]["f"] = "\\27Lua\\0S\\\n\\r \\\\" '
    b'scripts[2]["a"] = {} scripts[2]["a"]["x-script-origin"] = "/usr/share/ardour7/scripts/mute.lua" '
    b'scripts[2]["s"] = "ardour { name = \\"Mute\\" }" '
)
HOOK = b'<LuaCallback lua="Lua 5.3" id="3" name="Other &amp; more" signals="0001">cyA9IHt9</LuaCallback>'
LIST = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<UIScripts>\n  <ActionScript lua="Lua 5.3">'
    + base64.b64encode(OTHER)
    + b"</ActionScript>\n  <ActionHooks>\n    "
    + HOOK
    + b"\n  </ActionHooks>\n</UIScripts>\n"
)
TIMER = Script(name="Look", source="-- Stemdock")


@pytest.fixture
def ardour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ardour:
    if not places.is_supported():
        pytest.skip("the actions do not work on this system")
    folder = tmp_path / "home/.config/ardour7"
    folder.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder.parent))
    monkeypatch.setattr(places, "is_running", lambda: False)
    (found,) = places.find_all("linux", tmp_path / "home")
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("before", [None, EMPTY, LIST, EMPTY.replace(b"\n", b"\r\n")])
def test_uninstalling_restores_every_byte(ardour: Ardour, before: bytes | None) -> None:
    if before is not None:
        ardour.script_list.write_bytes(before)
    original = files(ardour.folder)
    planned = setup.install(ardour, running=False, dry_run=True)
    assert files(ardour.folder) == original
    assert setup.install(ardour, running=False) == planned
    assert ardour.script_list.read_bytes() != before
    assert setup.is_listed(ardour)
    assert setup.install(ardour, running=False) == []
    ardour.choices.write_text("mute\tno\n")
    setup.uninstall(ardour, running=False)
    assert files(ardour.folder) == original


def test_a_list_that_ardour_has_written_again_is_up_to_date(ardour: Ardour) -> None:
    setup.install(ardour, running=False)
    content = ardour.script_list.read_bytes()
    found = re.search(rb"(<ActionScript[^>]*>)([^<]*)<", content)
    assert found
    # As Ardour 8.12 does: bytecode, and escapes of Lua's own.
    buttons = re.sub(rb'\["f"\] = "(?:[^"\\]|\\.)*"', rb'["f"] = "\\27LuaS\\0"', base64.b64decode(found[2]))
    buttons = re.sub(rb"\\010", b"\\\\\n", buttons).replace(b"\\034", b'\\"')
    assert buttons.count(b"\\\n") > 20
    rewritten = content.replace(found[2], base64.b64encode(buttons))
    ardour.script_list.write_bytes(rewritten)
    assert setup.is_listed(ardour)
    assert setup.install(ardour, running=True) == []
    other = rewritten.replace(found[2], b"").replace(
        base64.b64encode(buttons),
        base64.b64encode(buttons.replace(b"Separates the selected", b"Does something else to")),
    )
    ardour.script_list.write_bytes(other)
    assert not setup.is_listed(ardour)


def test_other_scripts_stay_where_they_are(ardour: Ardour) -> None:
    ardour.script_list.write_bytes(LIST)
    setup.install(ardour, running=False)
    content = ardour.script_list.read_bytes()
    assert HOOK in content
    found = re.search(rb"<ActionScript[^>]*>([^<]*)<", content)
    assert found
    buttons = base64.b64decode(found[1])
    assert buttons.startswith(OTHER)
    assert re.findall(rb'(scripts\[\d\])\["n"\]', buttons) == [b"scripts[2]", b"scripts[1]", b"scripts[3]"]


def test_what_ardour_has_written_since_then_stays(ardour: Ardour) -> None:
    """Ardour writes the list anew, with bytecode, when the user adds a script."""
    setup.install(ardour, running=False)
    content = ardour.script_list.read_bytes().replace(b"<ActionHooks>", b"<ActionHooks>" + HOOK)
    found = re.search(rb"(<ActionScript[^>]*>)([^<]*)<", content)
    assert found
    buttons = base64.b64decode(found[2]).replace(b"\\010", b"\\\n").replace(b"scripts[2]", b"scripts[4]")
    buttons += OTHER.removeprefix(b"scripts = {} ")
    ardour.script_list.write_bytes(content.replace(found[2], base64.b64encode(buttons)))
    setup.uninstall(ardour, running=False)
    content = ardour.script_list.read_bytes()
    assert HOOK in content
    assert b"Stemdock" not in content
    found = re.search(rb"<ActionScript[^>]*>([^<]*)<", content)
    assert found
    assert base64.b64decode(found[1]) == OTHER


def test_a_fault_in_one_version_leaves_the_others_alone(
    ardour: Ardour, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ardour.folder.with_name("ardour8")
    other.mkdir()
    (other / "ui_scripts").write_bytes(b"no list")
    assert run(["ardour", "install"]) == 1
    assert files(ardour.folder) == {}
    (other / "ui_scripts").unlink()
    assert run(["ardour", "install"]) == 0
    printed = capsys.readouterr().out
    for folder in (ardour.folder, other):
        assert all(
            str(folder / path) in printed for path in files(folder) if path != "stemdock/installed.json"
        )


def test_a_hook_of_others_that_is_damaged_is_no_list(ardour: Ardour) -> None:
    setup.install(ardour, running=False)
    damaged = HOOK.replace(b">cyA9IHt9<", b">cyA9IHt<")
    content = ardour.script_list.read_bytes().replace(b"<ActionHooks>", b"<ActionHooks>" + damaged)
    ardour.script_list.write_bytes(content)
    assert "not a list" in {check.subject: check.detail for check in checking.diagnose()}["ardour scripts"]


def test_nothing_changes_while_ardour_is_running(ardour: Ardour) -> None:
    with pytest.raises(ArdourRunningError):
        setup.install(ardour, running=True)
    assert files(ardour.folder) == {}
    setup.install(ardour, running=False)
    installed = files(ardour.folder)
    with pytest.raises(ArdourRunningError):
        setup.uninstall(ardour, running=True)
    assert files(ardour.folder) == installed
    # Scripts can be updated meanwhile, but not the list.
    assert setup.install(ardour, running=True) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a list"),
        (b"<UIScripts/>", "not a list"),
        (EMPTY.replace(b'3"/>', b'3">not base64!</ActionScript>'), "not a list"),
        (
            with_scripts(EMPTY, [Script(name=str(n), source="") for n in range(8)], TIMER, "1"),
            "two free buttons",
        ),
    ],
)
def test_a_list_without_room_or_of_another_form_is_left_alone(
    ardour: Ardour, content: bytes, reason: str
) -> None:
    ardour.script_list.write_bytes(content)
    with pytest.raises(ScriptListError, match=reason):
        setup.install(ardour, running=False)
    assert files(ardour.folder) == {"ui_scripts": content}


def test_windows_is_told_that_the_actions_do_not_work_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(places, "is_supported", lambda: False)
    for variable in ("APPDATA", "LOCALAPPDATA", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    for version in (7, 8, 9):
        (tmp_path / f"ardour{version}").mkdir()
    assert run(["ardour", "install"]) == 1
    assert "the actions do not work on Windows. Run plugin-cli separate" in capsys.readouterr().err
    (check,) = checking.diagnose()
    assert check.status == "warning"
    assert "do not work on Windows" in check.detail
    assert files(tmp_path) == {}


def test_every_version_has_its_own_bits(ardour: Ardour) -> None:
    for version in (6, 8, 9, 10):
        ardour.folder.with_name(f"ardour{version}").mkdir()
    found = places.find_all("linux", Path("/nowhere"))
    # As Ardour 7.3, 8.12 and 9.8 write the set with this one signal.
    assert [(each.version, len(each.timer_bits), each.timer_bits[::-1].index("1")) for each in found] == [
        (7, 51, 49), (8, 52, 49), (9, 54, 51)
    ]  # fmt: skip


def test_the_doctor_names_what_is_missing(ardour: Ardour) -> None:
    assert [check.status for check in checking.diagnose()[:-1]] == ["ok", "warning", "ok", "warning"]
    setup.install(ardour, running=False)
    assert {check.status for check in checking.diagnose()[:-1]} == {"ok"}
    (ardour.folder / "ui_config").write_text('<Option name="sandbox-all-lua-scripts" value="1"/>')
    (warning,) = [check for check in checking.diagnose()[:-1] if check.status != "ok"]
    assert "sandbox-all-lua-scripts" in warning.remedy
    assert "ui_config" in warning.remedy


@given(name=st.text(st.characters(codec="utf-8"), min_size=1), source=st.text(st.characters(codec="utf-8")))
def test_adding_and_removing_is_the_identity(name: str, source: str) -> None:
    script = Script(name="Stemdock", source=f"-- Stemdock {name}\n{source}")
    for content in (EMPTY, LIST):
        added = with_scripts(content, [script], TIMER, "0100")
        assert added != content
        assert without_scripts(added, ["Stemdock", "Look"]) == content


@given(
    st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4).filter(any), max_size=5)
)
def test_tables_come_back(table: list[list[str]]) -> None:
    assert rows("".join(line(*fields) for fields in table)) == table
