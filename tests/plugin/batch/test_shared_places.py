"""Recipes that go to other machines, which may not have the same files."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from threading import Event

import pytest

from stemdock import Location
from stemdock.batch import shared_places
from stemdock.batch.shared_places import OtherVersionError, PlaceNotSharedError, SharedRecipe, shared
from stemdock.batch.songs import Song
from support.scripted import ScriptedRecipe


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_places, "_PATIENCE", 0)


def test_a_worker_that_sees_the_same_files_works_in_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = tmp_path / "first", tmp_path / "other"
    first.mkdir()
    other.mkdir()
    (first / "a.wav").touch()
    monkeypatch.chdir(first)
    with shared(Path("out"), [Song(path=Path("a.wav"))]) as witnesses:
        assert {first / "a.wav", first} < set(witnesses)
        recipe = SharedRecipe(recipe=ScriptedRecipe(tmp_path), witnesses=witnesses)
        monkeypatch.chdir(other)
        pickle.loads(pickle.dumps(recipe)).open(Event())  # noqa: S301
        assert Path.cwd() == first
    assert os.listdir(first) == ["a.wav"]  # noqa: PTH208
    with pytest.raises(PlaceNotSharedError, match=r"out/\.stemdock-.* does not see it") as caught:
        recipe.open(Event())
    assert "s3://" in caught.value.remedy


@pytest.mark.parametrize("missing", ["music", "out"])
def test_a_worker_that_sees_other_files_does_not_start(tmp_path: Path, missing: str) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music/a.wav").touch()
    with shared(tmp_path / "out", [Song(path=tmp_path / "music/a.wav")]) as witnesses:
        (tmp_path / missing).rename(tmp_path / "elsewhere")
        with pytest.raises(PlaceNotSharedError, match=missing):
            SharedRecipe(recipe=ScriptedRecipe(tmp_path), witnesses=witnesses).open(Event())
        (tmp_path / "elsewhere").rename(tmp_path / missing)


def test_addresses_need_no_files() -> None:
    songs = [Song(path=Location("s3://music/a.wav"))]
    with shared(Location("s3://stems"), songs) as witnesses:
        assert witnesses == ()


def test_a_worker_of_another_version_does_not_start(tmp_path: Path) -> None:
    recipe = SharedRecipe(recipe=ScriptedRecipe(tmp_path), witnesses=(), version="0.0.1")
    with pytest.raises(OtherVersionError, match=r"not 0\.0\.1"):
        recipe.open(Event())
