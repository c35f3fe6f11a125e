"""A test for users of REAPER: it checks the points that need a real REAPER."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

import stemdock
from stemdock_reaper.errors import ResourceFolderError
from stemdock_reaper.install.keyboard import script_line
from stemdock_reaper.install.shipped import SHIPPED, worker_command
from stemdock_reaper.profile.places import ACTION_SCRIPT
from stemdock_reaper.profile.words import quoted, split_words

_SAMPLE_RATE: Final = 44100
_DURATION: Final = 4.0
"""Seconds of the test file."""
_CLICK: Final = 0.5
"""Position of the click, seconds."""
_HEIGHT: Final = 0.8
_WIDTH: Final = 0.0005
"""Seconds; so narrow a click is found to within a millisecond, also in an MP3."""
_TRACKS: Final = (
    # Name, item fields, file, whether it is reversed, position of the click, name of the check.
    ("plain", "VOLPAN 0.5 0 1 -1", "click.wav", False, _CLICK, "audio accessors count from the item's start"),
    ("reversed", "", "click.wav", True, 2.0 - _CLICK, "audio accessors read reversed sections"),
    (
        "faster",
        "PLAYRATE 2 0 0 -1 0 0.0025",
        "click.wav",
        False,
        _CLICK / 2,
        "audio accessors apply the play rate",
    ),
    ("mp3", "", "click.mp3", False, _CLICK, "REAPER and Stemdock decode MP3 with the same start"),
)
_ITEM_LENGTH: Final = 2.0
_ITEM_POSITION: Final = 10.0


def build(folder: Path) -> Path:
    """Creates a folder with everything that the selftest needs.

    Args:
        folder: A folder that does not exist yet.

    Returns:
        The script to run in REAPER.

    Raises:
        ResourceFolderError: The folder exists, or cannot be written.
    """
    with stemdock.os_errors_as(partial(ResourceFolderError, folder), keep=ResourceFolderError):
        try:
            folder.mkdir(parents=True)
        except FileExistsError as error:
            raise ResourceFolderError(folder, "already exists", remedy="Choose a new folder.") from error
        shutil.copytree(SHIPPED / "stemdock", folder / "stemdock")
        shutil.copy(Path(__file__).with_name("selftest.lua"), folder)
        _write_audio(folder)
        (folder / "test.rpp").write_text(_project(), encoding="utf-8", newline="\n")
        (folder / "plan.json").write_text(json.dumps(_plan(folder), indent=2), encoding="ascii")
    return folder / "selftest.lua"


def _write_audio(folder: Path) -> None:
    from stemdock import AudioWriter, Output  # noqa: PLC0415  only this needs them

    time = np.arange(int(_DURATION * _SAMPLE_RATE)) / _SAMPLE_RATE
    click = _HEIGHT * np.exp(-0.5 * ((time - _CLICK) / _WIDTH) ** 2)
    stereo = np.stack([click, click], axis=1).astype(np.float32)
    for codec in ("wav", "mp3"):
        with AudioWriter(
            folder / f"click.{codec}",
            output=Output(codec=codec),
            sample_rate=_SAMPLE_RATE,
            n_channels=2,
            total_length=len(stereo),
        ) as file:
            file.write(stereo)


def _plan(folder: Path) -> dict[str, object]:
    """The results that the script expects."""
    _, _, _, action, *_ = split_words(script_line(f"Stemdock/{ACTION_SCRIPT}"))
    return {
        "version": stemdock.__version__,
        "action": action,
        "command": worker_command(),
        "stem": str(folder.absolute() / "click.wav"),
        "height": _HEIGHT,
        "clicks": [
            {"track": name, "time": heard, "name": tried, "tolerance": 0.2 if file.endswith("mp3") else 0.05}
            for name, _, file, _, heard, tried in _TRACKS
        ],
    }


def _project() -> str:
    lines = ['<REAPER_PROJECT 0.1 "6.47" 0', f"  SAMPLERATE {_SAMPLE_RATE} 1 0"]
    for name, fields, file, is_reversed, _, _ in _TRACKS:
        source = [f"<SOURCE {'MP3' if file.endswith('mp3') else 'WAVE'}", f"  FILE {quoted(file)}", ">"]
        if is_reversed:
            head = [
                "<SOURCE SECTION",
                f"  LENGTH {_ITEM_LENGTH}",
                "  MODE 2",
                "  STARTPOS 0",
                "  OVERLAP 0.01",
            ]
            source = [*head, *(f"  {line}" for line in source), ">"]
        lines += ["  <TRACK", f"    NAME {quoted(name)}", "    ISBUS 0 0", "    <ITEM"]
        item = [
            f"POSITION {_ITEM_POSITION}",
            f"LENGTH {_ITEM_LENGTH}",
            "LOOP 0",
            *filter(None, [fields]),
            *source,
        ]
        lines += [*(f"      {line}" for line in item), "    >", "  >"]
    return "\n".join([*lines, ">", ""])
