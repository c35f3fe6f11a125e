"""What is stopped: a batch, the store of models, and the cache of prepared models."""

from __future__ import annotations

import os
import shutil
import subprocess
import zlib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

import numpy as np

from fuzz.stopping.hosts import HOSTS
from fuzz.stopping.scenario import CHECKPOINTS, SONGS, Scenario, files_in, must
from stemdock import file_sha256, remove_abandoned, verify_model
from stemdock.batch.contents import has_content
from stemdock.batch.manifest_files import FOLDER, load_entry
from stemdock.inference.session import OnnxSession
from stemdock_models.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fuzz.stopping.scenario import Place


def _all(place: Place) -> dict[str, str]:
    return files_in(place.state)


def _without_remains(place: Place) -> dict[str, str]:
    """Without the second file of a claim: a process leaves it that is killed after removing the first."""
    return {name: digest for name, digest in _all(place).items() if not fnmatchcase(name, "*/*.*.claim")}


def _separate(place: Place, *options: str) -> None:
    songs = [str(place.inputs / f"{name}.wav") for name in SONGS]
    out = str(place.state / "out")
    must(place, "separate", *songs, "-m", "small", "-o", out, "--resume", *options)


def _let_grow(place: Place) -> None:
    _separate(place, "--growing")


def _check_withdrawn(place: Place) -> None:
    """Looks at what is there when the next run has withdrawn unfinished files: at a copy, with its links."""
    out, copy = place.state / "out", place.state.with_name("copy")
    if not out.exists():
        return
    try:
        subprocess.run(["cp", "-al", out, copy], check=True)
        for folder in [path for path in copy.iterdir() if path.is_dir()]:
            remove_abandoned(folder)
        _check_records_in(copy)
    finally:
        shutil.rmtree(copy)


def _check_records(place: Place) -> None:
    _check_records_in(place.state / "out")


def _check_records_in(out: Path) -> None:
    for path in (out / FOLDER).glob("*.json"):
        entry = load_entry(path)
        assert entry, f"{path} is damaged"
        if entry.complete:
            for output, content in entry.outputs.items():
                assert has_content(out / output, content), f"{output} is not whole"


def _pull(place: Place) -> None:
    must(place, "models", "pull", "4stems")


def _add(place: Place, name: str, checkpoint: str) -> None:
    folder = CHECKPOINTS / checkpoint
    config = str(folder / "config.json")
    must(place, "models", "add", str(folder), "--name", name, "--config", config, "--overwrite")


def _add_two(place: Place) -> None:
    _add(place, "mine", "4stems-narrow")
    _add(place, "other", "4stems-narrow")


def _remove(place: Place) -> None:
    if (place.state / "models" / "other" / "model.json").exists():
        must(place, "models", "remove", "other")
    # Any task removes what is left of it.
    _add(place, "mine", "4stems-narrow")


def _check_store(place: Place) -> None:
    entries, faults = Store(place.state / "models").scan()
    assert faults == []
    for entry in entries:
        verify_model(entry)


def _open_model(place: Place) -> None:
    path = place.inputs / "identity.onnx"
    session = OnnxSession(path, n_bins=64, sha256=file_sha256(path))
    magnitude = np.full((1, 64, 64, 2), 0.5, np.float32)
    assert all(np.array_equal(stem, magnitude) for stem in session.run(magnitude))


def _kept(place: Place) -> dict[str, str]:
    """What onnxruntime prepares is not the same twice. What a killed process left goes an hour later."""
    cache = place.state / "cache"
    (kept,) = cache.glob("[!.]*")
    files = sorted(kept.iterdir())  # the graph, and its weights if it has any
    content = b"".join(path.read_bytes() for path in files)
    assert kept.name.endswith(f"-{zlib.crc32(content):08x}")
    if abandoned := [path for path in cache.glob(".*") if path.name != ".preparing.lock"]:
        for path in abandoned:
            os.utime(path, (0, 0))
        shutil.rmtree(kept)
        _open_model(place)
        (kept,) = cache.glob("[!.]*")
    # The next process that prepares a model takes the lock and removes it.
    (cache / ".preparing.lock").unlink(missing_ok=True)
    return {name: "" for name in files_in(place.state) if not name.startswith(f"cache/{kept.name}/")}


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "batch": Scenario(_separate, _without_remains, check=_check_records),
    "batch over other stems": Scenario(
        _separate, _without_remains, lambda place: _separate(place, "--bit-depth", "24"), _check_records
    ),
    "growing batch": Scenario(_let_grow, _without_remains, check=_check_withdrawn),
    "growing batch over other stems": Scenario(
        _let_grow, _without_remains, lambda place: _separate(place, "--bit-depth", "24"), _check_withdrawn
    ),
    "store: pull": Scenario(_pull, _all, check=_check_store),
    "store: replace": Scenario(
        lambda place: _add(place, "mine", "5stems-narrow"), _all, _add_two, _check_store
    ),
    "store: remove": Scenario(_remove, _all, _add_two, _check_store),
    "cache": Scenario(_open_model, _kept),
    **HOSTS,
}
