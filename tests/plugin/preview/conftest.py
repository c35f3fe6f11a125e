from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from stemdock.preview import find_stems, write_preview
from support.browser import Browser
from support.tones import N_SECONDS, SAMPLE_RATE, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium and its driver are not installed")
    with Browser.started(chromium, driver) as browser:
        yield browser


@pytest.fixture(scope="session")
def stems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two tones and a silence; the tones change places in loudness at half the time."""
    folder = tmp_path_factory.mktemp("songs") / "Two tones"
    folder.mkdir()
    time = np.arange(N_SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    is_late = time >= N_SECONDS / 2
    low = np.sin(2 * np.pi * 220 * time) * np.where(is_late, 0.05, 0.5)
    high = np.sin(2 * np.pi * 3000 * time) * np.where(is_late, 0.5, 0.05)
    write(folder / "low.wav", np.stack([low, low], axis=1))
    write(folder / "high.wav", high)
    write(folder / "silence.wav", np.zeros((len(time), 2)))
    return folder


@pytest.fixture(scope="session")
def page(stems: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "preview.html"
    write_preview(find_stems(stems), path, title=stems.name, facts={"model": "2stems"})
    return path
