"""A real Audacity on a display of its own, with a home of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import soundfile

from stemdock.errors import HostError
from stemdock_audacity.jobs.queue import JobQueue
from stemdock_audacity.link import transport
from stemdock_audacity.link.pipe import COMMAND_TIME, connect
from support.display import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from stemdock_audacity.link.protocol import Reply, TrackInfo
    from support.display import Display

CLI = (sys.executable, "-m", "stemdock")
_EXAMPLE = Path(__file__).resolve().parents[3] / "docs/examples/stemdock-hpss/stemdock_hpss"
NEEDED = ("audacity", "Xvfb", "openbox", "xdotool", "import")


def audacity_version() -> tuple[int, ...]:
    """Of the installed package; the program itself does not say."""
    command = ["dpkg-query", "--show", "--showformat", "${Version}", "audacity"]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in version.partition("+")[0].partition("-")[0].split("."))


def missing_programs() -> list[str]:
    return [name for name in NEEDED if shutil.which(name) is None]


def _install_plugins(folder: Path) -> Path:
    """Lays out the slow engine and the example engine as pip would; returns the folder for Python's path."""
    for name in ("slow", "hpss"):
        information = folder / f"stemdock_{name}-1.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: stemdock-{name}\nVersion: 1\n")
        (information / "entry_points.txt").write_text(f"[stemdock]\n{name} = stemdock_{name}\n")
    shutil.copy(Path(__file__).with_name("slow_sessions.py"), folder / "stemdock_slow.py")
    shutil.copytree(_EXAMPLE, folder / _EXAMPLE.name)
    return folder


class Desktop:
    """What a person has: a display, a home, and an Audacity that may run."""

    def __init__(self, display: Display, home: Path, artefacts: Path) -> None:
        self.display = display
        self.home = home
        self.is_spoilt = False
        self.artefacts = artefacts
        self.version = audacity_version()
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "STEMDOCK_"))},
            "HOME": str(home),
            "DISPLAY": display.name,
            "LC_ALL": "C.UTF-8",
            "STEMDOCK_SLOW": str(home / "slow"),
            "PYTHONPATH": str(_install_plugins(home / "plug-ins")),
        }
        self.settings = home / ".config/audacity/audacity.cfg"
        self.queue = home / ".local/state/stemdock/audacity"

    def slow_down(self) -> None:
        """Makes separations slow until the next test."""
        (self.home / "slow").touch()

    # --- installing and starting

    def cli(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*CLI, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def install(self) -> None:
        done = self.cli("audacity", "install")
        assert done.returncode == 0, done.stderr
        # What Audacity starts does without Python's path, where the slow sessions are.
        (script,) = (
            path
            for path in self.home.rglob("*")
            if path.is_file() and "-m stemdock_audacity.launcher" in path.read_text("utf-8", "ignore")
        )
        content = script.read_text("utf-8")
        script.write_text(
            content.replace("exec ", f"export PYTHONPATH={self.environment['PYTHONPATH']}\nexec ")
        )
        temporary = self.home / "tmp"
        # Spares the first start its welcome.
        version = "[Version]\nMajor={}\nMinor={}\nMicro={}\n".format(*self.version)
        with self.settings.open("a") as file:
            file.write(f"{version}[GUI]\nShowSplashScreen=0\n[Directories]\nTempDir={temporary}\n")
            # 32-bit floating point WAV, so that exporting loses nothing.
            file.write("[FileFormats/ExportFormat_SF1_Type]\nWAV_10000=6\n")

    def start(self) -> None:
        done = self.cli("audacity", "launch", timeout=300)
        if done.returncode:
            self.picture("not-started")
            raise AssertionError(done.stderr, self._described_windows())

    def processes(self, *needles: str) -> list[int]:
        """Processes of this home whose command line holds one of the words."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if f"HOME={self.home}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if line and (not needles or any(needle in line for needle in needles)):
                        found.append(int(folder.name))
        return found

    def kill(self, *needles: str) -> None:
        def have_ended() -> bool:
            found = self.processes(*needles)
            for pid in found:  # again, for some start others before they end
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not found

        wait_until(have_ended, 20, "processes to end")

    def stop(self) -> None:
        """Ends everything of this home, and makes as if Audacity had been closed properly."""
        self.is_spoilt = False
        self.kill()
        for path in (transport.TO_AUDACITY, transport.FROM_AUDACITY):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.home / "tmp", ignore_errors=True)
        if self.settings.exists():
            text = self.settings.read_text("utf-8")
            head, mark, rest = text.partition("[ActiveProjects]\n")
            self.settings.write_text(head + (rest[rest.find("[") :] if mark and "[" in rest else ""), "utf-8")

    # --- over the pipe

    def run(self, name: str, **values: str | float) -> Reply:
        """One command, on a connection of its own, as soon as nobody else talks."""
        deadline = time.monotonic() + 20
        while True:
            try:
                with connect() as pipe:
                    return pipe.run(name, seconds=COMMAND_TIME, **values)
            except HostError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def do(self, name: str, **values: str | float) -> str:
        reply = self.run(name, **values)
        assert reply.ok, (name, values, reply)
        return reply.text

    def tracks(self) -> tuple[TrackInfo, ...]:
        deadline = time.monotonic() + 20
        while True:
            try:
                with connect() as pipe:
                    return pipe.tracks()
            except HostError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def is_usable(self) -> bool:
        """Whether Audacity runs and answers, with no dialog open, and no test has failed in it."""
        if self.is_spoilt:
            return False
        try:
            with connect() as pipe:
                pipe.tracks()
        except HostError:
            return False
        return len(self.audacity_windows()) == 1

    def clear(self) -> None:
        """An empty project, separations at full speed, and no jobs and outcomes of former ones."""
        for folder in self.queue.glob("jobs/*"):
            shutil.rmtree(folder, ignore_errors=True)
        (self.queue / "recent.jsonl").unlink(missing_ok=True)
        (self.home / "slow").unlink(missing_ok=True)
        if self.tracks():
            self.do("SelectAll")
            self.do("RemoveTracks")

    def import_audio(self, *paths: Path) -> None:
        for path in paths:
            self.do("Import2", Filename=str(path))

    def select(self, start: float, end: float, *tracks: int) -> None:
        self.do("SelectTime", Start=start, End=end)
        for number, track in enumerate(tracks):
            self.do("SelectTracks", Track=track, TrackCount=1, Mode="Add" if number else "Set")

    def rename(self, *names: str) -> None:
        """Names the tracks from the top."""
        for place, name in enumerate(names):
            self.do("SelectTracks", Track=place, TrackCount=1, Mode="Set")
            self.do("SetTrackStatus", Name=name)

    def export(self, path: Path, start: float, end: float, track: int, n_channels: int = 2) -> Path:
        """Part of one track as a float WAV."""
        self.select(start, end, track)
        self.do("Export2", Filename=str(path), NumChannels=n_channels)
        return path

    @contextmanager
    def hidden_pipe(self) -> Iterator[None]:
        """For everybody who looks, Audacity has no pipe meanwhile."""
        time.sleep(0.5)  # after each client, Audacity makes it anew
        hidden = transport.TO_AUDACITY.with_suffix(".hidden")
        transport.TO_AUDACITY.rename(hidden)
        try:
            yield
        finally:
            hidden.rename(transport.TO_AUDACITY)

    # --- with hands and eyes

    def xdotool(self, *arguments: str) -> str:
        done = subprocess.run(
            ["xdotool", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.stdout.strip()

    def windows(self, name: str) -> list[str]:
        """Ids of visible windows with this very title."""
        return self.xdotool("search", "--onlyvisible", "--name", f"^{name}$").split()

    def window(self, name: str, seconds: float = 20) -> str:
        return wait_until(lambda: self.windows(name), seconds, f"the window {name}")[-1]

    def size(self, window: str) -> tuple[int, int]:
        """Width and height; zero for one that has just gone."""
        lines = self.xdotool("getwindowgeometry", "--shell", window).split()
        shape = dict(line.split("=") for line in lines if line.count("=") == 1)
        return int(shape.get("WIDTH", 0)), int(shape.get("HEIGHT", 0))

    def main_window(self) -> str:
        return max(self.audacity_windows(), key=self.size)

    def audacity_windows(self) -> list[str]:
        """Every window of Audacity; the search itself fails when one goes meanwhile."""
        return wait_until(
            lambda: self.xdotool("search", "--onlyvisible", "--class", "audacity").split(), 20, "a window"
        )

    def open_dialog(self, n_downs: int, title: str, picture: str = "") -> None:
        """Opens a plug-in's dialog by the menu, looking at each step whether it was taken."""
        for attempt in range(4):
            window = self.main_window()
            self.xdotool("windowraise", window, "windowfocus", "--sync", window)
            with suppress(AssertionError):
                self._take_menu_item(n_downs, picture)
                self.window(title, 10)
                return
            self.picture(f"no-menu-{attempt}")
            for _ in self._menus():
                self.xdotool("key", "Escape")
                time.sleep(0.5)
        raise AssertionError(f"no dialog {title}, but {self._described_windows()}")

    def _take_menu_item(self, n_downs: int, picture: str) -> None:
        """Takes an item of Tools > Stemdock, the last entry of that menu, so far from the top.

        A field of a toolbar, where Audacity may put the focus when a dialog goes, swallows Alt+O; Tab
        leads out of it.
        """
        self.xdotool("key", "alt+o")
        try:
            wait_until(self._menus, 3, "the menu")
        except AssertionError:
            self.xdotool("key", "Tab")
            raise
        self.xdotool("key", "Up")
        time.sleep(0.5)
        self.xdotool("key", "Right")
        wait_until(lambda: len(self._menus()) == 2, 5, "the submenu")
        for _ in range(n_downs):
            time.sleep(0.3)
            self.xdotool("key", "Down")
        time.sleep(0.3)
        if picture:
            self.picture(picture)
        self.xdotool("key", "Return")

    def _menus(self) -> list[str]:
        """Open menus, which are windows with the name of the program."""
        return [
            window
            for window in self.audacity_windows()
            if self.xdotool("getwindowname", window) == "audacity" and window != self.main_window()
        ]

    def _described_windows(self) -> list[tuple[str, tuple[int, int]]]:
        windows = self.xdotool("search", "--onlyvisible", "--name", ".").split()
        return [(self.xdotool("getwindowname", window), self.size(window)) for window in windows]

    def apply(self, dialog: str) -> None:
        """Presses the Apply button of a plug-in's dialog: top right, since 3.7 bottom right."""
        window = self.window(dialog)
        time.sleep(0.5)
        width, height = self.size(window)
        place = (width - 48, 32) if self.version < (3, 7) else (width - 48, height - 24)
        self.xdotool("mousemove", "--window", window, *map(str, place), "click", "1")

    def choose(self, dialog: str, height: int, n_downs: int) -> None:
        """Opens the choice at this height of a dialog and takes the entry so far from the top."""
        window = self.window(dialog)
        self.xdotool("mousemove", "--window", window, "226", str(height), "click", "1")
        for key in ("Home", *["Down"] * n_downs, "Return"):
            time.sleep(0.3)
            self.xdotool("key", key)
        time.sleep(0.3)

    def separate_by_menu(
        self, *, menu_picture: str = "", dialog_picture: str = "", mute: bool = False
    ) -> None:
        self.open_dialog(0, "Separate Stems", menu_picture)
        time.sleep(0.5)
        if dialog_picture:
            self.picture(dialog_picture)
        # The dialog remembers what it was last told.
        self.choose("Separate Stems", 213, 1 if mute else 0)
        self.apply("Separate Stems")

    def answer_of_status(self, n_downs: int) -> None:
        """Takes an entry of the choice in Stem Status, and waits for its answer."""
        self.open_dialog(1, "Stem Status")
        dialog = self.window("Stem Status")
        self.choose("Stem Status", 84, n_downs)
        self.apply("Stem Status")
        wait_until(lambda: {*self.dialogs()} - {dialog}, 30, "the answer")

    def dialogs(self) -> list[str]:
        """Windows of Audacity beside the main one; since 3.7, those of messages have no title."""
        main = self.main_window()
        return [window for window in self.audacity_windows() if window != main]

    def close_message(self) -> None:
        def close() -> bool:
            if dialogs := self.dialogs():
                self.xdotool("windowfocus", "--sync", dialogs[-1], "key", "Return")
            return not dialogs

        wait_until(close, 10, "the message to go")

    def picture(self, name: str) -> Path:
        path = self.artefacts / f"{name}.png"
        subprocess.run(["import", "-window", "root", str(path)], env=self.environment, check=True, timeout=30)
        return path

    def click_bottom(self, window: str, from_right: int | None = None) -> None:
        """Clicks a button in the last row of a window: the middle one, or one so far from the right."""
        width, height = self.size(window)
        across = width // 2 if from_right is None else width - from_right
        self.xdotool("mousemove", "--window", window, str(across), str(height - 24), "click", "1")

    def click_close(self, window: str) -> None:
        """Presses Cancel, or later Close, in the window with the progress."""
        width, height = self.size(window)
        self.xdotool("mousemove", "--window", window, str(width - 60), str(height - 36), "click", "1")

    def press_cancel(self, dialog: str) -> None:
        """Presses the right one of the buttons in Audacity's progress dialog."""
        self.click_bottom(dialog, 50)

    # --- what became of it

    def outcomes(self) -> list[str]:
        return [str(outcome) for outcome in JobQueue(folder=self.queue).recent()]

    def wait_for_outcome(self, n_before: int, seconds: float = 90) -> str:
        wait_until(lambda: len(self.outcomes()) > n_before, seconds, "an outcome")
        return self.outcomes()[-1]

    def leftovers(self) -> list[str]:
        """Files of any size that a finished request should not have left."""
        return [
            str(path) for path in self.queue.rglob("*") if path.is_file() and path.stat().st_size > 100_000
        ]


def summary(tracks: Sequence[TrackInfo]) -> list[tuple[str, float, float, bool]]:
    """What Undo has to bring back; the names lie in no undo step."""
    return [(track.kind, track.start, track.end, track.mute) for track in tracks]


def headless(desktop: Desktop, excerpt: Path, folder: Path, *options: str) -> dict[str, NDArray[np.float32]]:
    done = desktop.cli("separate", str(excerpt), "-o", str(folder), *options)
    assert done.returncode == 0, done.stderr
    return {
        path.stem: soundfile.read(path, dtype="float32", always_2d=True)[0]
        for path in (folder / excerpt.stem).glob("*.wav")
    }
