"""Adds tracks and actions to damaged files of REAPER."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from fuzz.case import Target
from fuzz.mutation import mutated
from stemdock_reaper.delivery.projectfile import StemFile, new_project, tracks_text
from stemdock_reaper.delivery.splicing import folder_depths, line_end, splice
from stemdock_reaper.install.keyboard import added_text, without

if TYPE_CHECKING:
    from random import Random

    from fuzz.case import Place

_PROJECT: Final = "mix.rpp"
_ACTIONS: Final = "reaper-kb.ini"
_SCRIPTS: Final = ("stemdock/a.lua", "stemdock/b.lua")
_STEMS: Final = tuple(
    StemFile(path=Path(f"/x/{name}.wav"), title=name, duration=1.5, source_type="WAVE")
    for name in ("a", "b c")
)


def build(folder: Path) -> None:
    """Writes a project and a list of actions."""
    content = new_project(_STEMS, "Stems", folder / _PROJECT, 44100)
    notes = b"  <NOTES 0 2\n    |<TRACK in a note\n  >\n  <METRONOME 6 2\n    VOL 0.25 0.125\n  >\n"
    head, _, rest = content.partition(b"\n")
    (folder / _PROJECT).write_bytes(head + b"\n" + notes + rest)
    lines = added_text(b"", _SCRIPTS, "/home/x/Scripts", b"\n")
    (folder / _ACTIONS).write_bytes(b'KEY 1 65 40044 0\nSCR 4 0 RSx "Custom: other.lua" other.lua\n' + lines)


def damage(rng: Random, corpus: Path, folder: Path) -> None:
    """Damages both files."""
    for path in corpus.iterdir():
        (folder / path.name).write_bytes(mutated(rng, path.read_bytes()))


def run(place: Place) -> None:
    """Adds scripts and stems; the rest of each file must not change."""
    actions = (place.input / _ACTIONS).read_bytes()
    added = added_text(actions, _SCRIPTS, "/home/x/Scripts", b"\n")
    assert added_text(actions + added, _SCRIPTS, "/home/x/Scripts", b"\n") == b""
    without(actions + added, added, _SCRIPTS, "/home/x/Scripts")
    path = place.input / _PROJECT
    project = path.read_bytes()
    tracks = tracks_text(_STEMS, "Stems", path, line_end(project))
    spliced = splice(project, path, tracks, None)
    assert spliced.replace(tracks, b"") == project.replace(tracks, b"")
    folder_depths(spliced, path)


TARGET: Final = Target(build=build, damage=damage, run=run)
