"""Runs `plugin-cli separate` on many files, and reads the lengths of the stems."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import soundfile

from field.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SECONDS_PER_SONG: Final = 60


@dataclass(slots=True, kw_only=True)
class Ending:
    """How one song ended."""

    length: int | None = None
    """Samples per channel of each stem; None if the song was refused."""
    sample_rate: int = 0
    """Hz of the stems."""
    messages: list[str] = field(default_factory=list)
    """Damage, or the reason of the refusal."""
    is_damaged: bool = False
    """Whether damage was reported."""
    is_short: bool = False
    """Whether the end was reported missing."""
    is_skipped: bool = False
    """Whether `--resume` found the song complete."""


def separate(songs: Sequence[Path], output: Path, *options: str) -> dict[str, Ending]:
    """Separates songs in one run; returns how each ended, by its path.

    Raises:
        FieldError: The run did not end in time, ended in a traceback, left a song out, or left partial
            files.
    """
    command = [sys.executable, "-m", "stemdock", "separate", "--progress", "json", "--output", str(output)]
    command += [*options, "--", *map(str, songs)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=_SECONDS_PER_SONG * (1 + len(songs))
    )
    if done.returncode not in {0, 1} or "Traceback" in done.stderr:
        raise FieldError(f"exit status {done.returncode}:\n{done.stderr[-2000:]}")
    endings = _endings([json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")])
    if missing := {str(song) for song in songs} - endings.keys():
        raise FieldError(f"no word about {', '.join(sorted(missing))}")
    if hidden := [path for path in output.rglob(".*") if path.name != ".stemdock"]:
        raise FieldError(f"left behind: {', '.join(map(str, hidden))}")
    return endings


def _endings(events: list[dict[str, Any]]) -> dict[str, Ending]:
    paths: dict[int, str] = {}
    endings: dict[str, Ending] = {}
    for event in events:
        kind = event["event"]
        if kind == "song":
            paths[event["song"]] = event["path"]
        elif kind in {"done", "skipped"}:
            endings[paths[event["song"]]] = _done(event)
        elif kind == "failed":
            endings[event["path"]] = Ending(messages=[event["error"]])
            if event["kind"] == "UnforeseenError":
                raise FieldError(event["error"])
    return endings


def _done(event: dict[str, Any]) -> Ending:
    stems = [soundfile.info(path) for path in event["outputs"].values()]
    lengths = {stem.frames for stem in stems}
    if len(lengths) > 1:
        raise FieldError(f"stems of different lengths: {event['outputs']}")
    damage = [
        f"{place['kind']} at {place['start']:.2f} s, {place['duration']:.2f} s" for place in event["damage"]
    ]
    return Ending(
        length=lengths.pop(),
        sample_rate=stems[0].samplerate,
        messages=[*damage, *event.get("warnings", ())],
        is_damaged=bool(damage),
        is_short=any(place["kind"] == "end" for place in event["damage"]),
        is_skipped=event["event"] == "skipped",
    )
