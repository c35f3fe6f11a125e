from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from hosts.audacity.desktop import Desktop, missing_programs
from support.display import Display

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

ROOT = Path(__file__).resolve().parents[3]
SONG = ROOT / "tests/data/audio_example.mp3"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need a display, and rerun once those that click in windows.

    A window manager can lose a click under load. pytest's last line counts the reruns.
    """
    for item in items:
        if "display" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.desktop)
        if "desktop" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Has Audacity started anew after a test that failed in it."""
    report = yield
    desktop = getattr(item, "funcargs", {}).get("desktop")
    if call.when == "call" and report.failed and desktop is not None:
        desktop.is_spoilt = True
    return report


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Screenshots, kept for people."""
    folder = ROOT / "test-artefacts" / "audacity"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    if missing := missing_programs():
        pytest.skip(f"needs {', '.join(missing)}")
    display = Display(tmp_path_factory.mktemp("display") / "log.txt")
    yield display
    display.close()


@pytest.fixture(scope="session")
def home(display: Display, artefacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    """A home with Stemdock installed in its Audacity, which may run or not."""
    folder = tmp_path_factory.mktemp("home")
    desktop = Desktop(display, folder, artefacts)
    with pytest.MonkeyPatch.context() as patch:
        # What runs inside the tests has to look for the same home.
        for key in ("HOME", "DISPLAY"):
            patch.setenv(key, desktop.environment[key])
        for key in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            patch.delenv(key, raising=False)
        desktop.install()
        yield desktop
        desktop.stop()


@pytest.fixture
def desktop(home: Desktop) -> Desktop:
    """A running Audacity with an empty project; one that a test has spoilt is started anew."""
    if not home.is_usable():
        home.stop()
        home.start()
    home.clear()
    return home


@pytest.fixture(scope="session")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real song as a float WAV, so that its samples are known."""
    samples, sample_rate = soundfile.read(SONG, dtype="float32")
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, samples, sample_rate, subtype="FLOAT")
    return path


@pytest.fixture(scope="session")
def mono_song(song: Path) -> Path:
    """Its left channel, played at 48 kHz."""
    samples, _ = soundfile.read(song, dtype="float32")
    path = song.with_name("mono48.wav")
    soundfile.write(path, np.ascontiguousarray(samples[:, 0]), 48000, subtype="FLOAT")
    return path


@pytest.fixture(scope="session")
def long_song(song: Path) -> Path:
    """The song twelve times: at slow speed, long enough to interfere."""
    samples, sample_rate = soundfile.read(song, dtype="float32")
    path = song.with_name("long.wav")
    soundfile.write(path, np.tile(samples, (12, 1)), sample_rate, subtype="FLOAT")
    return path
