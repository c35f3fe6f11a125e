"""The shipped script goes through every scene under both versions of Lua."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.reaper_model.all_scenes import SCENES
from support.reaper_model.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("lua", ["lua53", "lua54"])
@pytest.mark.parametrize("name", SCENES)
def test_scene(name: str, lua: str, tmp_path: Path) -> None:
    n_stages = 0

    def set_stage(**options: Any) -> Stage:
        nonlocal n_stages
        n_stages += 1
        return Stage(tmp_path / str(n_stages), lua, **options)

    SCENES[name](set_stage)
