"""A REAPER with a project, the shipped script, and a worker: what every scene starts from."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

import stemdock_reaper
from stemdock_hostkit.job.folder import Job
from stemdock_hostkit.worker.running import run_job
from support.background_worker import bare_environment
from support.reaper_model.host import Host
from support.reaper_model.known_separator import known_separator
from support.reaper_model.objects import Item, Project, Source, Take, Track

if TYPE_CHECKING:
    from collections.abc import Callable

SHIPPED = Path(stemdock_reaper.__file__).parent / "lua"
SEPARATE = "Stemdock - Separate selected items into stems.lua"
VOCALS = "Stemdock - Isolate vocals of selected items.lua"
SETTINGS = "Stemdock - Settings.lua"
SAMPLE_RATE = 8000
PROGRAM = [sys.executable, "-m", "stemdock", "reaper", "work"]


class Stage:
    """Attributes name what a scene looks at: host, project, job folder."""

    def __init__(
        self, folder: Path, lua: str = "lua54", *, scripts: Path = SHIPPED, system: str = "Other",
        version: str = "7.20", command: list[str] | None = None,
    ) -> None:  # fmt: skip
        # Names that people really have.
        self.folder = folder / "Bénédicte's Müsik"
        self.resources = self.folder / "RÉAPER resources"
        (self.resources / "Stemdock").mkdir(parents=True)
        self.media = self.folder / "Prøject" / "Media"
        self.media.mkdir(parents=True)
        self.scripts = scripts
        self.command = PROGRAM if command is None else command
        self.configure({"command": self.command})
        self.host = Host(lua, self.resources, system=system, version=version)
        self.host.on_exec = self.start_worker
        self.project = self.add_project()
        self.host.current = self.project
        self.worker: Callable[[Path], None] = self.known_worker
        """What becomes of a job folder once the worker starts."""
        self.patience = 3
        """Cycles between the start of the worker and its work."""
        self.pending: list[tuple[int, Path]] = []
        self.jobs: list[Path] = []
        self.process: subprocess.Popen[bytes] | None = None

    # Building

    def configure(self, config: Any) -> None:
        path = self.resources / "Stemdock" / "config.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config), encoding="utf-8")

    def add_project(self) -> Project:
        project = Project(media_folder=self.media, file_name=str(self.folder / "Prøject" / "Song.rpp"))
        self.host.projects.append(project)
        return project

    def add_track(self, name: str = "Band", depth: int = 0, project: Project | None = None) -> Track:
        track = Track(name=name)
        track.values["I_FOLDERDEPTH"] = float(depth)
        (project or self.project).tracks.append(track)
        return track

    def noise(
        self, name: str = "Söng of it's own.wav", seconds: float = 20, channels: int = 2, seed: int = 1
    ) -> Path:
        path = self.folder / name
        samples = np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * SAMPLE_RATE), channels))
        soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")
        return path

    def add_item(self, track: Track, source: Source | Path | None, **values: float) -> Item:
        """An item with one take; values are those of the item or the take, in lower case."""
        if isinstance(source, Path):
            source = Source.from_file(source)
        take = Take(source=source, name=Path(source.path).name if source else "")
        item = Item(takes=[take])
        item.values.update(B_UISEL=1.0, B_LOOPSRC=0.0, D_FADEINLEN=0.0, D_FADEOUTLEN=0.0)
        for key, value in values.items():
            scope, _, name = key.partition("_")
            owner = item if scope == "item" else take
            assert name.upper() in owner.values, key
            owner.values[name.upper()] = value
        track.items.append(item)
        return item

    # Running

    def start(self, script: str = SEPARATE) -> None:
        self.host.start(self.scripts / script)

    def cycle(self, n_cycles: int = 1) -> None:
        for _ in range(n_cycles):
            for due in list(self.pending):
                if due[0] <= 0:
                    self.pending.remove(due)
                    self.worker(due[1])
            self.pending = [(wait - 1, folder) for wait, folder in self.pending]
            self.host.cycle()

    def finish(self, most_cycles: int = 3000) -> None:
        """Runs on until the script ends."""
        for _ in range(most_cycles):
            if not self.host.is_running:
                break
            self.cycle()
            if self.process is not None and self.process.poll() is None:
                time.sleep(0.01)
        assert not self.host.is_running, "the script does not end"
        if self.process is not None:
            self.process.wait(60)

    def run(self, script: str = SEPARATE) -> None:
        """An undisturbed run, which must please the model."""
        self.start(script)
        self.finish()
        self.check()

    def check(self) -> None:
        assert self.host.refusals == []

    def wait_for_worker(self) -> Path:
        """Runs until the script has handed its job over."""
        for _ in range(500):
            if self.jobs:
                return self.jobs[-1]
            assert self.host.is_running, self.host.messages
            self.cycle()
        raise AssertionError("no job was started")

    # Workers

    def start_worker(self, words: list[str]) -> str | None:
        """Judges a command line as a system would, and starts the worker."""
        folder = Path(words[-1])
        if words[:-1] != self.command or folder.parent != self.resources / "Stemdock" / "jobs":
            # The script may take an exception for its own fault, so that it would go unnoticed.
            self.host.refuse(f"another command was started: {words}")
        if not (folder / "job.json").is_file():
            self.host.refuse("the worker was started before there was a job")
        for path in folder.glob("*.wav"):
            # The worker would read the file with a wrong size, too; other programs would not.
            size = int.from_bytes(path.read_bytes()[4:8], "little") + 8
            if size != path.stat().st_size:
                self.host.refuse(f"{path.name} says that it has {size} bytes, but has {path.stat().st_size}")
        self.jobs.append(folder)
        self.pending.append((self.patience, folder))
        return "0\n"

    def known_worker(self, folder: Path) -> None:
        run_job(Job(folder), lambda *_: known_separator())

    def genuine_worker(self, folder: Path) -> None:
        """The process that REAPER would start, with next to no environment."""
        self.process = subprocess.Popen([*PROGRAM, str(folder)], env=bare_environment(), cwd="/")

    def job(self) -> dict[str, Any]:
        job: dict[str, Any] = json.loads((self.jobs[-1] / "job.json").read_text(encoding="utf-8"))
        return job

    # Looking

    def names(self, project: Project | None = None) -> list[tuple[str, int]]:
        return [
            (track.name, int(track.values["I_FOLDERDEPTH"])) for track in (project or self.project).tracks
        ]

    def stem_items(self, stem: str, number: int = 0) -> list[Item]:
        """Items of the track with a stem's title, the `number`th of that title."""
        tracks = [track for track in self.project.tracks if track.name == stem]
        return sorted(tracks[number].items, key=lambda item: item.values["D_POSITION"])

    def media_files(self) -> list[str]:
        return sorted(path.name for path in self.media.iterdir())


def copied_scripts(target: Path) -> Path:
    """The shipped scripts in a folder of their own, for changing."""
    return Path(shutil.copytree(SHIPPED, target))
