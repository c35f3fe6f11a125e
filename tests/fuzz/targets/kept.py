"""Reads damaged files that Stemdock keeps, and tags of songs: each is understood, refused or ignored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fuzz.case import Target
from fuzz.mutation import any_text, mutated, mutated_json
from stemdock.batch.manifest import Manifest
from stemdock.lib.printing import printable
from stemdock.output.naming import Destination
from stemdock.output.tags import Tags
from stemdock.preview.history import find_history
from stemdock_audacity.install import setup
from stemdock_audacity.install.installed import record_path
from stemdock_audacity.jobs.queue import JobQueue
from stemdock_audacity.profile.folders import Profile, find_version, has_no_pipe
from stemdock_hostkit.install.installation import Installation
from stemdock_hostkit.install.plan import Place as HostPlace
from stemdock_models.description import remove_leftovers
from stemdock_models.downloaded import read_tag
from stemdock_models.store import Store
from stemdock_reaper.install import checking
from stemdock_reaper.install.installed import installation as reapers_installation
from stemdock_reaper.profile import places
from support.small_model import small_card

if TYPE_CHECKING:
    from random import Random

    from fuzz.case import Place

from stemdock import card_to_values

_URL: Final = "http://x/archive"
_CONTENT: Final = {"size": 3, "sha256": "ab"}
_FILES: Final = {
    "store/small/model.json": {
        "file": "0123456789abcdef.onnx",
        "sha256": "0" * 64,
        "source": "http://x/small.tar.gz",
        "archive_sha256": "",
        "installed": "2026-01-01T00:00:00+00:00",
        "card": card_to_values(small_card(name="small")),
    },
    "archive.json": {"url": _URL, "tag": '"v1"'},
    "Stemdock/installed.json": {
        "files": {"Scripts/a.lua": "0" * 64},
        "folders": ["Scripts"],
        "keys_added": "SCR\n",
        "keys_created": False,
    },
    "record.json": {
        "version": 1,
        "files": {"Scripts/a.lua": "0" * 64, "/x/y.ny": "0" * 64},
        "replaced": {"Scripts/a.lua": "1" * 64},
        "folders": ["Scripts"],
        "edits": {
            "audacity.cfg": {
                "before": {"GUI/x": None},
                "after": {"GUI/x": "1"},
                "created": True,
                "backup": None,
            }
        },
    },
    "Stemdock/config.json": {"command": ["/bin/sh", "-m", "stemdock"]},
    "queue/installed.json": {
        "former": {"Module/mod-script-pipe": None, "GUI/Language": "de"},
        "set": {"Module/mod-script-pipe": "1", "GUI/Language": "fr"},
        "made_settings": False,
    },
    "stems/.stemdock/0.json": {
        "format": 1,
        "work": {
            "mixture": _CONTENT,
            "model": "small",
            "model_sha256": "cd",
            "options": {"codec": "wav", "mixes": {"m": ["a"]}, "mwf": True, "start": 0.5},
            "algorithm": 2,
        },
        "outputs": {
            "a.wav": {"size": 0, "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
        },
        "complete": True,
        "damage": [{"start": 1.0, "duration": 0.5, "kind": "silence"}],
    },
}
_LONGEST_TAG: Final = 1 << 20
_SETTINGS: Final = (
    b"NewKey=1\n[Version]\nMajor=3\nMinor=7\nMicro=1\n[Module]\nmod-script-pipe=1\n[GUI]\nLanguage=fr\n"
)


def build(folder: Path) -> None:
    """Writes intact files."""
    for name, value in _FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(value), "utf-8")
    (folder / "audacity.cfg").write_bytes(_SETTINGS)


def damage(rng: Random, corpus: Path, folder: Path) -> None:
    """Damages every file, and makes tags."""
    for name in _FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(mutated_json(rng, json.loads((corpus / name).read_bytes())))
    (folder / "audacity.cfg").write_bytes(mutated(rng, (corpus / "audacity.cfg").read_bytes()))
    (folder / "stems" / "a.wav").touch()
    tags = [_repeated(any_text(rng), rng.choice((1, 1, 3, 100_000))) for _ in range(4)]
    (folder / "tags").write_text("\n".join(tags).replace("\0", "x"), "utf-8", "surrogatepass")


def _repeated(text: str, times: int) -> str:
    return text * min(times, _LONGEST_TAG // max(len(text), 1))


def run(place: Place) -> None:
    """Reads all of them, and raises the first refusal."""
    folder = place.input
    _name_results(folder)
    read_tag(folder / "archive", _URL).encode("ascii")
    find_history([folder / "stems" / "a.wav"])
    Manifest(folder / "stems").made({(folder / "stems" / "a.wav").resolve()})
    profile = Profile(
        settings=folder / "audacity.cfg", plugins=folder, program=None, module=None, sandboxed=False
    )
    has_no_pipe(find_version(profile))
    queue = JobQueue(folder=folder / "queue")
    assert record_path(queue).exists()
    setup.uninstall(profile, queue)
    checks = checking.diagnose([folder], running=False)
    assert all(check.detail for check in checks)
    assert places.config_path(folder).exists()
    entries, faults = Store(folder / "store").scan()
    assert len(entries) + len(faults) == 1
    remove_leftovers(folder / "store")
    host_place = HostPlace(host="x", record=folder / "record.json", base=folder)
    Installation(host_place).uninstall(dry_run=True)
    reapers_installation(folder).uninstall(dry_run=True)
    for fault in faults:
        raise fault


def _name_results(folder: Path) -> None:
    title, artist, album, number, *_ = (folder / "tags").read_text("utf-8", "surrogatepass").split(
        "\n", 3
    ) + [""] * 4
    destination = Destination(
        folder=folder, template="{artist}/{album}/{tracknumber} {title} {instrument}.{codec}"
    )
    tags = Tags(title=title, artist=artist, album=album, tracknumber=number)
    for path in destination.targets(Path("song.wav"), ["a", "b"], codec="wav", model="m", tags=tags).values():
        parts = path.relative_to(folder).parts
        assert all(
            printable(part).encode() and 0 < len(part.encode("utf-8", "surrogateescape")) < 255
            for part in parts
        )
        assert len(parts) == 3


TARGET: Final = Target(build=build, damage=damage, run=run)
