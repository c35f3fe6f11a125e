"""Every planted fault in the script is caught, by the scene that was made for it or met it first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lupa.lua54 import LuaRuntime

from support.reaper_model.all_scenes import SCENES
from support.reaper_model.faults import FAULTS, Fault
from support.reaper_model.stage import Stage, copied_scripts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def plant(fault: Fault, scripts: Path) -> None:
    path = scripts / "stemdock" / f"{fault.part}.lua"
    text = path.read_text(encoding="utf-8")
    assert text.count(fault.old) == 1, f"{fault.name}: found {text.count(fault.old)} times"
    faulty = text.replace(fault.old, fault.new)
    # A script that Lua does not even load would be caught for the wrong reason.
    assert callable(LuaRuntime().eval("load")(faulty)), fault.name
    path.write_text(faulty, encoding="utf-8")


def play(name: str, scripts: Path, folder: Path) -> None:
    n_stages = 0

    def set_stage(**options: Any) -> Stage:
        nonlocal n_stages
        n_stages += 1
        return Stage(folder / str(n_stages), scripts=scripts, **options)

    SCENES[name](set_stage)


def test_there_are_faults_enough() -> None:
    assert len(FAULTS) >= 25
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("name", sorted({fault.scene for fault in FAULTS}))
def test_without_a_fault_nothing_is_caught(name: str, tmp_path: Path) -> None:
    play(name, copied_scripts(tmp_path / "scripts"), tmp_path)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught(fault: Fault, tmp_path: Path) -> None:
    scripts = copied_scripts(tmp_path / "scripts")
    plant(fault, scripts)
    # A scene fails by an assertion of its own, by what the model refuses, or by an error of Lua's.
    with pytest.raises(Exception):  # noqa: B017, PT011
        play(fault.scene, scripts, tmp_path)
