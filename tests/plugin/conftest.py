from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stemdock import Plugins, Separator
from stemdock.cli import builtin
from support.small_model import SmallPlugin, write_noise

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def small_plugin(tmp_path_factory: pytest.TempPathFactory) -> SmallPlugin:
    return SmallPlugin(tmp_path_factory.mktemp("model"))


@pytest.fixture
def plugins(small_plugin: SmallPlugin) -> Plugins:
    """Stemdock's own commands and the small model."""
    plugins = Plugins()
    plugins.register(builtin, "stemdock")
    plugins.register(small_plugin, "small")
    return plugins


@pytest.fixture
def small_separator(plugins: Plugins) -> Separator:
    return Separator("small", plugins=plugins)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Two seconds of noise, stereo, at the small model's rate."""
    return write_noise(tmp_path / "song.wav")
