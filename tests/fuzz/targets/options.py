"""Runs whole commands with odd options, names and files: an answer in lines, and the right status."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Final

from fuzz.case import Target
from fuzz.mutation import any_number, any_text, mutated, mutated_json
from fuzz.targets import models
from fuzz.targets.commands import RefusedError, captured
from fuzz.targets.networks import CONTENT, write_checkpoint
from stemdock.lib.printing import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    from fuzz.case import Place

_COMMAND: Final = "command.json"
_HERE: Final = "@here@"
_USAGE: Final = 2
"""Exit status of wrong usage."""
_SEPARATE: Final = ("--provider", "cpu", "--threads", "1", "--output", f"{_HERE}/output")


def build(folder: Path) -> None:
    """Writes a song, a model, a checkpoint and its configuration."""
    models.build(folder)
    (folder / "checkpoint").mkdir()
    write_checkpoint(folder / "checkpoint")


def damage(rng: Random, corpus: Path, folder: Path) -> None:
    """Chooses a command and its options, and often damages a file that it reads."""
    shutil.copytree(corpus, folder, dirs_exist_ok=True)
    if rng.random() < 0.3:
        (folder / "checkpoint" / "config.json").write_bytes(mutated_json(rng, CONTENT))
    if rng.random() < 0.2:
        (folder / "song.wav").write_bytes(mutated(rng, (corpus / "song.wav").read_bytes()))
    if rng.random() < 0.2:
        (folder / "list.m3u8").write_text(f"{any_text(rng)}\nsong.wav\n", "utf-8", "surrogatepass")
    words = rng.choice(_COMMANDS)(rng)
    # No system passes a null character or an unpaired surrogate to a program.
    legal = [word.replace("\0", "0").encode("utf-8", "replace").decode() for word in words]
    (folder / _COMMAND).write_text(json.dumps(legal), "utf-8")


def _separation(rng: Random) -> list[str]:
    number, text = str(any_number(rng)), any_text(rng)
    options: list[list[str]] = [
        ["--template", f"{text.lstrip('.~')}{{instrument}}.{{codec}}"],
        ["--template", f"{{title}}/{{{text}}}"],
        ["--template", text.lstrip(".~")],
        ["--start", number],
        ["--duration", number],
        ["--track", number],
        ["--sample-rate", number],
        ["--bitrate", number],
        ["--bitrate", "192k", "--codec", rng.choice(("mp3", "ogg", "flac"))],
        ["--mix", f"{text}=voice+rest"],
        ["--mix", f"m=all-{text}"],
        ["--mix", text],
        ["--stems", text],
        ["--stems", "none"],
        ["--bit-depth", rng.choice(("16", "24", "32f", text))],
        ["--workers", number],
        ["--memory", text],
        ["--progress", "json"],
        ["--preview"],
        ["--resume"],
        ["--mwf"],
        ["--no-tags"],
        ["--prevent-clipping"],
    ]
    chosen = [word for option in rng.sample(options, rng.choice((1, 1, 2, 3))) for word in option]
    model = f"{_HERE}/input/{models.MODEL}" if rng.random() < 0.9 else text
    songs = [f"{_HERE}/input/{rng.choice(('song.wav', 'song.wav', 'list.m3u8', text))}"]
    return ["separate", "--model", model, *_SEPARATE, *chosen, "--", *songs]


def _addition(rng: Random) -> list[str]:
    source = rng.choice((models.MODEL, "checkpoint", "song.wav", any_text(rng)))
    name = rng.choice((any_text(rng), "mine"))
    config = [] if source == models.MODEL else ["--config", f"{_HERE}/input/checkpoint/config.json"]
    return ["models", "add", "--name", name, *config, "--", f"{_HERE}/input/{source}"]


def _other(rng: Random) -> list[str]:
    text = any_text(rng)
    return rng.choice(
        (
            ["models", "list"],
            ["models", "list", "--json"],
            ["models", "path", "--", text],
            ["models", "verify", "--", text],
            ["models", "remove", "--", text],
            ["models", "pull", "--base-url", text, "--", "4stems"],
            ["models", "pull", "--timeout", str(any_number(rng)), "--base-url", "ftp://x", "--", "4stems"],
            ["models", "pull", "--sha256", text, "--", "4stems"],
            ["preview", "--output", f"{_HERE}/output/{text}", "--", f"{_HERE}/input/{text}"],
            ["preview", "--", f"{_HERE}/input/checkpoint"],
            [
                "reaper",
                "project",
                "--out",
                f"{_HERE}/output/x.rpp",
                "--name",
                text,
                "--",
                f"{_HERE}/input/song.wav",
            ],
            ["reaper", "work", "--", f"{_HERE}/input/{text}"],
            ["reaper", "doctor", "--resource-path", f"{_HERE}/input/{text}"],
            ["evaluate", "--", f"{_HERE}/input/{text}"],
            ["completion", "--", text],
            [text],
            [text, text],
        )
    )


_COMMANDS: Final[tuple[Callable[[Random], list[str]], ...]] = (
    (_separation,) * 6 + (_addition,) * 2 + (_other,) * 2
)


def run(place: Place) -> None:
    """Runs the command; it must print an error in lines if it fails, and leave no file then."""
    root = str(place.root)
    words = [word.replace(_HERE, root) for word in json.loads((place.input / _COMMAND).read_bytes())]
    place.output.mkdir()
    os.environ["STEMDOCK_MODELS"] = str(place.output / "store")
    status, output, errors = captured(words)
    as_json = words[words.index("--progress") + 1] == "json" if "--progress" in words else False
    assert printable(errors, "\n") == errors, errors
    assert status in {0, 1, _USAGE, 3}, (status, errors)
    if status in {1, 3}:
        assert as_json or "error: " in errors or "failure" in output or "warning" in output, (errors, output)
    # Locks stay.
    for lock in (place.output / "store").rglob("*.lock"):
        lock.unlink()
    if status:
        # Songs of a list that came before, and the folders of a store, may stay.
        shutil.rmtree(place.output)
        raise RefusedError(errors or output, remedy="None: the refusal is correct.")


TARGET: Final = Target(build=build, damage=damage, run=run)
