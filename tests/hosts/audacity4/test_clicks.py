"""A real Audacity 4: the shipped extension, used as a person does, and what is in the project afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import OperationalError
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from hosts.audacity.desktop import audacity_version
from stemdock import Separator
from stemdock_audacity.audacity4.libraries import shipped_libraries
from stemdock_audacity.audacity4.places import find_program
from support.audacity4.project import ProjectTrack, tracks_of
from support.display import Display, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

pytestmark = [pytest.mark.desktop, pytest.mark.flaky(reruns=1), pytest.mark.timeout(600)]

SONG = Path(__file__).parents[2] / "data/audio_example.mp3"
DASH = " \N{EN DASH} "
EFFECT = "Effect_Extension_musescore://extensions/stemdock_separate_musescore://extensions/stemdock"
SHORTCUTS = f"""<?xml version='1.0' encoding='UTF-8'?>
<Shortcuts><SC><key>action://effects/open?effectId={EFFECT}</key><seq>Ctrl+Alt+Shift+S</seq></SC></Shortcuts>
"""
NO_WELCOME = """[application]
hasCompletedFirstLaunchSetup=true
welcomeDialogLastShownIndex=0
welcomeDialogLastShownVersion={version}.
welcomeDialogShowOnStartup=false
"""
"""An upgrade shows the welcome even to those who do not want it at each start."""
APPLY = (-56, -31)
"""From the lower right corner of the dialog, pixels."""
CANCEL = (-80, -30)
"""From the lower right corner of the window with the progress, which may be anywhere."""
PANEL = "240x560+20+180"
"""The names of the tracks."""


@dataclass
class Audacity4:
    """A running Audacity 4 in a home of its own, with Stemdock installed by its own command."""

    home: Path
    display: Display
    program: Path
    artefacts: Path

    def __post_init__(self) -> None:
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "STEMDOCK_"))},
            "HOME": str(self.home),
            "DISPLAY": self.display.name,
            "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(self.home),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.home / ".local/share/Audacity/Audacity4"

    @property
    def jobs(self) -> list[Path]:
        return list((self.home / ".local/state/stemdock/audacity4/jobs").glob("job-*"))

    def cli(self, *words: str) -> str:
        command = [sys.executable, "-m", "stemdock", "audacity", *words]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True
        ).stdout

    def start(self, *songs: Path) -> None:
        settings = self.home / ".config/Audacity/Audacity4.ini"
        settings.parent.mkdir(parents=True)
        version = ".".join(map(str, audacity_version()))
        settings.write_text(NO_WELCOME.format(version=version))
        self.data.mkdir(parents=True, exist_ok=True)
        (self.data / "shortcuts.xml").write_text(SHORTCUTS)
        with (self.artefacts / "audacity4.log").open("wb") as log:
            self._process = subprocess.Popen(
                [self.program, *songs], env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(lambda: len(self.tracks()) == len(songs), what="the songs are imported")
        self.xdotool("windowfocus", "--sync", wait_until(lambda: self.window("Audacity 4")))

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(20)

    def tracks(self) -> list[ProjectTrack]:
        for path in (self.data / "SessionData").glob("*.aup4unsaved"):
            with suppress(OperationalError):
                return tracks_of(path)
        return []

    def names(self) -> list[str]:
        return [track.name for track in self.tracks()]

    def xdotool(self, *words: str) -> str:
        command = ["xdotool", *words]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        ).stdout

    def window(self, name: str) -> str:
        return (self.xdotool("search", "--onlyvisible", "--name", name).split() or [""])[-1]

    def click(self, window: str, share: tuple[float, float], offset: tuple[int, int]) -> None:
        lines = self.xdotool("getwindowgeometry", "--shell", window).split()
        size = {key: int(value) for key, _, value in (line.partition("=") for line in lines)}
        x = size["WIDTH"] * share[0] + offset[0]
        y = size["HEIGHT"] * share[1] + offset[1]
        self.xdotool("mousemove", "--window", window, str(round(x)), str(round(y)))
        time.sleep(0.2)
        self.xdotool("click", "1")

    def picture(self, name: str) -> None:
        path = self.artefacts / f"{name}.png"
        subprocess.run(["import", "-window", "root", path], env=self.environment, check=True)

    def panel(self) -> bytes:
        """The pixels of the track list. After an undo, the file still has what Audacity wrote before."""
        command = ["import", "-window", "root", "-crop", PANEL, "rgb:-"]
        return subprocess.run(command, env=self.environment, capture_output=True, check=True).stdout

    def select_all(self) -> None:
        time.sleep(2)
        self.xdotool("key", "ctrl+a")
        time.sleep(1)

    def click_cancel(self) -> bool:
        """Clicks Cancel, which a busy Audacity may miss; returns whether the job is cancelled."""
        self.click(self.window("^Audacity$"), (1, 1), CANCEL)
        time.sleep(0.5)
        return all((job / "cancel").exists() for job in self.jobs)

    @contextmanager
    def paused_worker(self) -> Iterator[None]:
        """The worker of this home does nothing meanwhile, so that no job ends before it is cancelled."""
        command = ["pgrep", "--full", "stemdock_hostkit.worker"]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        home = f"HOME={self.home}".encode()
        pids = [int(pid) for pid in found if home in Path("/proc", pid, "environ").read_bytes().split(b"\0")]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def drag_over_song(self) -> None:
        """Selects about four seconds of the first track with the mouse."""
        time.sleep(2)
        self.xdotool("mousemove", "330", "250", "mousedown", "1")
        for x in ("350", "380", "420"):
            time.sleep(0.1)
            self.xdotool("mousemove", x, "250")
        self.xdotool("mouseup", "1")
        time.sleep(1)

    def open_dialog(self) -> str:
        """Opens the dialog; returns its window."""
        self.xdotool("key", "ctrl+alt+shift+s")
        dialog = wait_until(lambda: self.window("^Separate stems"), 30, "the dialog opens")
        time.sleep(2)
        return dialog


@pytest.fixture
def audacity(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audacity4]:
    program = find_program()
    if program is None:
        pytest.skip("needs Audacity 4")
    if missing := [name for name in ("Xvfb", "openbox", "xdotool", "import") if shutil.which(name) is None]:
        pytest.skip(f"needs {', '.join(missing)}")
    if not shipped_libraries():
        pytest.skip("needs the library: ./dev libraries")
    artefacts = Path(__file__).parents[3] / "test-artefacts/audacity4"
    artefacts.mkdir(parents=True, exist_ok=True)
    display = Display(tmp_path_factory.mktemp("display") / "log.txt")
    tmp_path.chmod(0o700)
    running = Audacity4(tmp_path / "home", display, program, artefacts)
    running.home.mkdir(mode=0o700)
    try:
        yield running
    finally:
        running.stop()
        display.close()


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, int, NDArray[np.float32]]]:
    samples, rate = soundfile.read(SONG, dtype="float32", always_2d=True)
    folder = tmp_path_factory.mktemp("songs")
    made = {
        "song": (rate, samples),
        "mono": (48000, np.ascontiguousarray(samples[:240000, :1])),
        "long": (rate, np.tile(samples, (80, 1))),
    }
    for name, (each_rate, content) in made.items():
        subtype = "PCM_16" if name == "long" else "FLOAT"
        soundfile.write(folder / f"{name}.wav", content, each_rate, subtype=subtype)
    return {name: (folder / f"{name}.wav", *about) for name, about in made.items()}


def test_stems_of_two_tracks_are_one_step_and_equal_to_the_sample(
    audacity: Audacity4, songs: dict[str, tuple[Path, int, NDArray[np.float32]]]
) -> None:
    installed = audacity.cli("install")
    assert "Audacity4/extensions/stemdock-" in installed
    audacity.start(songs["song"][0], songs["mono"][0])
    audacity.select_all()
    panel_before = audacity.panel()
    dialog = audacity.open_dialog()
    audacity.picture("dialog")
    audacity.click(dialog, (1, 1), APPLY)
    before = ["song", "mono"]
    after = [*before, *(f"{stem}{DASH}{name}" for name in before for stem in ("vocals", "accompaniment"))]
    wait_until(lambda: audacity.names() == after, 120, "the stems are in the project")
    time.sleep(1)
    audacity.picture("result")
    panel_after = audacity.panel()
    assert panel_after != panel_before
    assert audacity.jobs == []
    for track in audacity.tracks()[2:]:
        stem, _, name = track.name.partition(DASH)
        _, rate, samples = songs[name]
        wanted = Separator("2stems").separate(samples, rate)[stem]
        assert (track.sample_rate, track.start) == (rate, 0.0)
        np.testing.assert_array_equal(np.stack(track.channels, axis=1), wanted)
    audacity.xdotool("key", "ctrl+z")
    wait_until(lambda: audacity.panel() == panel_before, 20, "one undo removes them")
    audacity.xdotool("key", "ctrl+shift+z")
    wait_until(lambda: audacity.panel() == panel_after, 20, "one redo brings them back")


def test_part_of_a_track_is_equal_to_the_sample(
    audacity: Audacity4, songs: dict[str, tuple[Path, int, NDArray[np.float32]]]
) -> None:
    audacity.cli("install")
    audacity.start(songs["song"][0])
    audacity.drag_over_song()
    audacity.click(audacity.open_dialog(), (1, 1), APPLY)
    wait_until(lambda: len(audacity.names()) == 3, 120, "the stems are in the project")
    _, rate, samples = songs["song"]
    for track in audacity.tracks()[1:]:
        first, length = round(track.start * rate), len(track.channels[0])
        assert first / rate == track.start
        assert 0 < first < first + length < len(samples)
        wanted = Separator("2stems").separate(samples[first : first + length], rate)
        stem = wanted[track.name.partition(DASH)[0]]
        np.testing.assert_array_equal(np.stack(track.channels, axis=1), stem)


def test_cancel_leaves_nothing(
    audacity: Audacity4, songs: dict[str, tuple[Path, int, NDArray[np.float32]]]
) -> None:
    audacity.cli("install")
    audacity.start(songs["long"][0])
    audacity.select_all()
    audacity.click(audacity.open_dialog(), (1, 1), APPLY)
    wait_until(lambda: any((job / "stems").exists() for job in audacity.jobs), 60, "the worker separates")
    time.sleep(1)
    with audacity.paused_worker():
        audacity.picture("progress")
        wait_until(audacity.click_cancel, 20, "the job is cancelled")
    wait_until(lambda: audacity.jobs == [], 20, "the files are removed")
    time.sleep(2)
    audacity.picture("cancelled")
    assert audacity.names() == ["long"]
