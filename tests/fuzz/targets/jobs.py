"""Runs damaged jobs of the script in REAPER."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import soundfile

from fuzz.case import Target
from fuzz.mutation import mutated_json
from fuzz.targets.audio import small_separator
from stemdock.errors import StemdockError
from stemdock_hostkit.job.folder import Job
from stemdock_hostkit.worker.running import run_job

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from fuzz.case import Place


class JobRefusedError(StemdockError):
    """The job was refused, as it should be."""


_HERE: Final = "@here@"
"""Placeholder for the folder of the case, whose path is not known yet."""


def build(folder: Path) -> None:
    """Writes a job with two sources."""
    soundfile.write(folder / "song.wav", np.random.default_rng(0).normal(0, 0.1, (8000, 2)), 8000)
    source = {"id": "1", "name": "Song", "path": f"{_HERE}/input/song.wav", "start": 0.25, "duration": 0.5}
    job = {
        "protocol": 2,
        "output_dir": f"{_HERE}/output",
        "model": "small",
        "stems": ["low"],
        "sources": [source, {**source, "id": "2", "start": 0, "duration": None}],
    }
    (folder / "job.json").write_text(json.dumps(job), "utf-8")


def damage(rng: Random, corpus: Path, folder: Path) -> None:
    """Damages the job."""
    shutil.copyfile(corpus / "song.wav", folder / "song.wav")
    job = json.loads((corpus / "job.json").read_text("utf-8"))
    (folder / "job.json").write_bytes(mutated_json(rng, job))


def run(place: Place) -> None:
    """Runs the job; there must always be a result, which may be an error."""
    folder = place.input
    path = folder / "job.json"
    path.write_bytes(path.read_bytes().replace(_HERE.encode(), str(place.root).encode()))
    if not _stays_here(path, place.root):
        return
    status = run_job(Job(folder), lambda *_: small_separator())
    result = json.loads((folder / "result.json").read_text("ascii"))
    assert result["status"] == status
    assert not list(folder.glob(".*")), "an unfinished file is left"
    if status == "error":
        raise JobRefusedError(result["error"]["message"], remedy=result["error"]["hint"])


def _stays_here(path: Path, root: Path) -> bool:
    """Whether the job's output folder, which the script chooses, is that of the case."""
    try:
        content: Any = json.loads(path.read_bytes())
        output: Path = (root / content["output_dir"]).resolve()
    except (ValueError, TypeError, LookupError, RecursionError):
        return True
    return output == root / "output"


TARGET: Final = Target(build=build, damage=damage, run=run)
