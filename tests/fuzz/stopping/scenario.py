"""Work that is stopped at any moment and then done again: where it happens, and what must be true then."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unittest import mock

import numpy as np
import soundfile

from stemdock import Plugins
from stemdock.batch import claims
from stemdock.cli import builtin
from stemdock.cli.main import run
from stemdock_models import catalogue, plugin
from support.packing import pack
from support.release_server import ReleaseServer
from support.small_model import SmallPlugin, small_card, write_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKPOINTS: Final = Path(__file__).parents[2] / "data" / "checkpoints"
SONGS: Final = ("one", "two")


@dataclass(frozen=True)
class Place:
    """The folders of one case."""

    inputs: Path
    """Songs, models and the release; they do not change."""
    state: Path
    """Everything that the work writes, temporary files, too."""


@dataclass(frozen=True)
class Scenario:
    """A piece of work. Its functions run within `surroundings`."""

    work: Callable[[Place], None]
    """Does the work, or does it again after it was stopped."""
    result: Callable[[Place], dict[str, str]]
    """What the work has made: hashes by name. Leftovers are part of it."""
    prepare: Callable[[Place], object] = lambda _: None
    """Makes what is there before the work."""
    check: Callable[[Place], object] = lambda _: None
    """Fails if something vouches for a file that is not whole."""


def make_inputs(folder: Path) -> None:
    """Writes songs, small models and a release without its address."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in SONGS:
        soundfile.write(folder / f"{name}.wav", rng.uniform(-0.5, 0.5, (8000, 2)), 8000, subtype="FLOAT")
    write_identity(folder / "identity.onnx", small_card(name="identity"))
    (folder / "4stems.tar.gz").write_bytes(pack(CHECKPOINTS / "4stems-narrow"))
    SmallPlugin(folder)


@contextmanager
def release(folder: Path) -> Iterator[None]:
    """Serves the release of `make_inputs`."""
    archive = (folder / "4stems.tar.gz").read_bytes()
    with ReleaseServer({"4stems.tar.gz": archive}) as server:
        config = str(CHECKPOINTS / "4stems-narrow" / "config.json")
        model = {
            "name": "4stems",
            "archive": "4stems",
            "config": config,
            "sha256": sha256(archive).hexdigest(),
        }
        card = {"url": server.url, "checksums": "checksum.json", "licence": "MIT", "models": [model]}
        (folder / "release.json").write_text(json.dumps(card))
        yield


@contextmanager
def surroundings(place: Place) -> Iterator[None]:
    """Keeps models, prepared models and temporary files in the folder of the case."""
    (place.state / "tmp").mkdir(exist_ok=True)
    folders = {"STEMDOCK_MODELS": "models", "STEMDOCK_CACHE": "cache", "TMPDIR": "tmp"}
    variables = {name: str(place.state / folder) for name, folder in folders.items()}
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, variables))
        stack.enter_context(mock.patch.object(tempfile, "tempdir", variables["TMPDIR"]))
        # A claim whose content was lost says nothing about its process: only watching it helps.
        stack.enter_context(mock.patch.object(claims, "PATIENCE", 0.1))
        stack.enter_context(mock.patch.object(catalogue, "_CARD", place.inputs / "release.json"))
        yield


def plugins_of(place: Place) -> Plugins:
    """The plug-ins that the work uses."""
    plugins = Plugins()
    for name, one in (("stemdock", builtin), ("models", plugin), ("small", SmallPlugin(place.inputs))):
        plugins.register(one, name)
    return plugins


def must(place: Place, *arguments: str) -> None:
    """Runs a command that has to succeed."""
    with redirect_stdout(TextIOWrapper(BytesIO())), redirect_stderr(StringIO()) as told:
        status = run(list(arguments), plugins_of(place))
    assert status == 0, told.getvalue()


def files_in(folder: Path) -> dict[str, str]:
    """Hashes of all files below a folder, and its empty folders."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file():
            content = path.read_bytes()
            if path.name == "model.json":
                content = json.dumps({**json.loads(content), "installed": ""}).encode()
            found[name] = sha256(content).hexdigest()
        elif not any(path.iterdir()):
            found[name] = "empty folder"
    return found
