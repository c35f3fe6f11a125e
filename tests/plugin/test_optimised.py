from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mixtures import recorded_case
from stemdock import Separator
from stemdock.inference.prepared import prepared_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("STEMDOCK_CACHE", str(folder))
    return folder


def stems() -> np.ndarray:
    return np.stack(list(Separator().separate(recorded_case("short")).values()))


def test_what_was_prepared_is_used_and_gives_the_same_bits(cache: Path) -> None:
    first = stems()
    written = {path.name: path.stat().st_ino for path in cache.iterdir()}
    assert written
    assert np.array_equal(stems(), first)
    assert {path.name: path.stat().st_ino for path in cache.iterdir()} == written


@pytest.mark.parametrize("damage", ["bit", "cut", "empty"])
def test_a_damaged_copy_is_made_anew(cache: Path, damage: str) -> None:
    first = stems()
    sizes = sorted(path.stat().st_size for path in cache.iterdir())
    for path in cache.iterdir():
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes({"bit": data, "cut": data[:1000], "empty": b""}[damage])
    assert np.array_equal(stems(), first)
    assert sorted(path.stat().st_size for path in cache.iterdir()) == sizes


def test_where_nothing_can_be_kept_it_works_all_the_same(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    assert stems().shape == (2, 500, 2)


def test_only_those_used_last_are_kept(cache: Path, tmp_path: Path) -> None:
    places = []
    for number in range(10):
        model = tmp_path / f"{number}.onnx"
        model.write_bytes(b"model")
        place = prepared_model(model, "runtime 1")
        assert place.make(lambda staged: staged.write_bytes(b"prepared")) is not None
        places.append(place)
        for path in cache.iterdir():
            # As if all this had been long ago, for times of files are coarse.
            os.utime(path, (path.stat().st_atime - 100, path.stat().st_mtime))
        assert places[0].find() is not None
    assert [place.find() is not None for place in places] == [True, False, False] + [True] * 7
    assert len(list(cache.iterdir())) == 8


def test_what_a_killed_process_left_is_removed(cache: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.onnx"
    model.write_bytes(b"model")
    cache.mkdir()
    for name, age in (("old", 4000), ("new", 0)):
        (cache / f".{name}.onnx").write_bytes(b"half of it")
        os.utime(cache / f".{name}.onnx", (time.time() - age,) * 2)
    place = prepared_model(model, "runtime 1")
    kept = place.make(lambda staged: staged.write_bytes(b"prepared"))
    assert kept is not None
    assert {path.name for path in cache.iterdir()} == {".new.onnx", kept.name}


def test_another_runtime_or_file_has_another_place(cache: Path, tmp_path: Path) -> None:  # noqa: ARG001
    model = tmp_path / "m.onnx"
    model.write_bytes(b"model")
    keys = {prepared_model(model, runtime).key for runtime in ("runtime 1", "runtime 2")}
    model.write_bytes(b"another model")
    keys.add(prepared_model(model, "runtime 1").key)
    assert len(keys) == 3
