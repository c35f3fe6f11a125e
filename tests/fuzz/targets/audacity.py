"""Reads damaged input from Audacity: the plug-in's notes, replies of the pipe, jobs and settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from fuzz.case import Target
from fuzz.mutation import mutated, mutated_json
from stemdock.errors import StemdockError
from stemdock_audacity.capture.preference import noted_value, restoring_command
from stemdock_audacity.capture.request import read_request
from stemdock_audacity.jobs.job import AudacityJob, Details, complete_job, describe
from stemdock_audacity.jobs.queue import JobQueue
from stemdock_audacity.link.pipe import Pipe
from stemdock_audacity.link.protocol import command_line
from stemdock_audacity.profile.settings import get_value, set_value

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from fuzz.case import Place

_FILES: Final = {
    "request.txt": b"model 2stems\nstems all\nrest 0\nmute 1\nproject-rate 44100.0\ntrack 1\n",
    "track-1.txt": b"index 1\nname My song\nrate 44100.0\nchannels 2\nselection-start 1.5\nlength 44100\n"
    b"track-start 0.0\ntrack-end 3.25\n",
    "preference.txt": b'memory lame - "%f"\ndisk "lame - \\"%f\\""\n',
    "reply.txt": b'[ \n{ "name":"My \\"song\\"", "focused":1, "selected":1, "kind":"wave", "start":0, '
    b'"end":3.25, "pan":0, "gain":1, "channels":2, "solo":0, "mute":0 },\n'
    b'{ "name":"b", "focused":0, "selected":0, "kind":"label" } ]\nBatchCommand finished: OK\n\n',
    "audacity.cfg": b"Version=3\n[FileFormats]\nExternalProgramExportCommand=x\n"
    b"[Module]\nmod-script-pipe=1\n",
}
_PHASE: Final = {"phase": "delivering", "courier": 1, "message": ""}


class _Link:
    """A pipe that delivers the contents of a file."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def write(self, data: bytes, deadline: float) -> None:
        """Ignores a command."""

    def read(self, deadline: float) -> bytes:  # noqa: ARG002  as a transport
        """The next hundred bytes."""
        part, self._content = self._content[:100], self._content[100:]
        return part

    def close(self) -> None:
        """Does nothing."""


def build(folder: Path) -> None:
    """Writes valid input."""
    for name, content in _FILES.items():
        (folder / name).write_bytes(content)
    complete_job(folder, Details(request=read_request(folder), audacity=1), folder)
    (folder / "delivery.json").write_text(json.dumps(_PHASE), "utf-8")


def damage(rng: Random, corpus: Path, folder: Path) -> None:
    """Damages every file; each is read even if others are refused."""
    for path in corpus.iterdir():
        content = path.read_bytes()
        changed = mutated_json(rng, json.loads(content)) if path.suffix == ".json" else mutated(rng, content)
        (folder / path.name).write_bytes(changed)


def run(place: Place) -> None:
    """Reads all of them."""
    folder = place.input
    text = (folder / "audacity.cfg").read_bytes().decode("utf-8", "replace")
    assert get_value(set_value(text, "New", "key", "1"), "New", "key") == "1"
    set_value(text, "Module", "mod-script-pipe", None)
    value = noted_value((folder / "preference.txt").read_bytes())
    job = AudacityJob(folder)
    assert describe(job)
    JobQueue(folder=folder).status_lines()
    errors = []
    for read in (
        lambda: restoring_command(value),
        lambda: _tracks(folder),
        lambda: read_request(folder),
        job.details,
    ):
        try:
            read()
        except StemdockError as error:
            errors.append(error)
        except FileNotFoundError:
            continue  # the notes do not contain a track of that number
    if errors:
        raise errors[0]


def _tracks(folder: Path) -> None:
    for info in Pipe(_Link((folder / "reply.txt").read_bytes())).tracks():
        assert command_line("SelectTracks", Track=0, TrackCount=info.n_channels)


TARGET: Final = Target(build=build, damage=damage, run=run)
