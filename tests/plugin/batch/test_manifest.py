from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from threading import Barrier, BrokenBarrierError
from typing import TYPE_CHECKING

import pytest

from stemdock.batch.contents import Content, mixture_content
from stemdock.batch.manifest import Manifest
from stemdock.batch.manifest_files import FOLDER, Provenance, write_entry
from stemdock.errors import AudioFileError, AudioFileNotFoundError, OutputError

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock.batch.manifest_files import ManifestEntry

PROVENANCE = Provenance(
    mixture=Content(size=3, sha256="ab"), model="small", model_sha256="cd", options={"bit_depth": "16"}
)


@pytest.fixture
def targets(tmp_path: Path) -> list[Path]:
    return [tmp_path / "out" / "a" / "low.wav", tmp_path / "out" / "a" / "high.wav"]


def write(
    manifest: Manifest, targets: list[Path], provenance: Provenance = PROVENANCE, *, complete: bool = True
) -> None:
    """Does as a separation does, in the same order."""
    staged = {}
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        path = target.with_suffix(".staged")
        path.write_bytes(target.name.encode())
        staged[target] = path
    entry = manifest.announce(provenance, staged)
    for target, path in staged.items():
        path.replace(target)
    if complete:
        manifest.complete(entry)


@pytest.mark.parametrize("complete", [True, False])
def test_a_later_run_finds_what_is_done(tmp_path: Path, targets: list[Path], complete: bool) -> None:
    write(Manifest(tmp_path / "out"), targets, complete=complete)
    later = Manifest(tmp_path / "out")
    assert later.covers(PROVENANCE, targets)
    assert later.covers(PROVENANCE, targets[:1])
    assert all(later.owns(target, targets) for target in targets)
    assert later.paths() == {target.resolve() for target in targets}


@pytest.mark.parametrize(
    "other",
    [
        replace(PROVENANCE, mixture=Content(size=3, sha256="xy")),
        replace(PROVENANCE, model_sha256="xy"),
        replace(PROVENANCE, options={"bit_depth": "24"}),
        replace(PROVENANCE, algorithm=PROVENANCE.algorithm + 1),
    ],
)
def test_other_provenance_is_not_covered(tmp_path: Path, targets: list[Path], other: Provenance) -> None:
    write(Manifest(tmp_path / "out"), targets)
    assert not Manifest(tmp_path / "out").covers(other, targets)


def test_damage_is_seen_and_the_file_still_ours(tmp_path: Path, targets: list[Path]) -> None:
    write(Manifest(tmp_path / "out"), targets)
    manifest = Manifest(tmp_path / "out")
    # As long as before, so that only the content tells.
    targets[1].write_bytes(targets[1].read_bytes()[::-1])
    assert not manifest.covers(PROVENANCE, targets)
    assert manifest.covers(PROVENANCE, targets[:1])
    assert manifest.owns(targets[1], targets)
    targets[1].unlink()
    assert not manifest.covers(PROVENANCE, targets)


def test_before_the_files_are_in_their_places_only_their_content_makes_them_ours(
    tmp_path: Path, targets: list[Path]
) -> None:
    write(Manifest(tmp_path / "out"), targets, complete=False)
    targets[0].write_bytes(b"somebody's")
    manifest = Manifest(tmp_path / "out")
    assert not manifest.owns(targets[0], targets)
    assert manifest.owns(targets[1], targets)
    assert not manifest.covers(PROVENANCE, targets)


def test_files_of_others_are_not_ours(tmp_path: Path, targets: list[Path]) -> None:
    write(Manifest(tmp_path / "out"), targets)
    assert not Manifest(tmp_path / "out").owns(tmp_path / "out" / "a" / "drums.wav", targets)
    assert not Manifest(tmp_path / "other").owns(targets[0], targets)


def test_doing_it_again_otherwise_leaves_one_entry(tmp_path: Path, targets: list[Path]) -> None:
    manifest = Manifest(tmp_path / "out")
    write(manifest, targets)
    third = targets[0].with_name("third.wav")
    other = replace(PROVENANCE, options={})
    write(manifest, [targets[0], third], other)
    for now in (manifest, Manifest(tmp_path / "out")):
        assert now.covers(other, [targets[0], third])
        assert not now.covers(PROVENANCE, targets)
        assert not now.owns(targets[1], targets)
    assert len(list((tmp_path / "out" / FOLDER).iterdir())) == 1


def test_equal_separations_write_equal_entries_in_any_folder(tmp_path: Path) -> None:
    texts = set()
    for name in ("one", "two"):
        write(Manifest(tmp_path / name), [tmp_path / name / "a" / "low.wav"])
        (entry,) = (tmp_path / name / FOLDER).iterdir()
        texts.add((entry.name, entry.read_bytes()))
    assert len(texts) == 1


def _entry(**changes: object) -> str:
    """The text of an entry for the two targets."""
    value = {
        "format": 1,
        "work": asdict(PROVENANCE),
        "outputs": {"a/high.wav": {"size": 8, "sha256": ""}, "a/low.wav": {"size": 7, "sha256": ""}},
        "complete": True,
    }
    return json.dumps({**value, **changes})


DAMAGE = {"start": 1.0, "duration": 1.0, "kind": "silence"}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"format": 1}', '{"format": 2}', "\0\0\0", "[" * 100_000, "9" * 5000,
     _entry(format=2), _entry(outputs=[]), _entry(outputs={}),
     _entry(outputs={"\ud800": {"size": 7, "sha256": ""}}), _entry(outputs={"a/low.wav": None}),
     _entry(outputs={"a/high.wav": {"size": "8", "sha256": ""}, "a/low.wav": {"size": 7, "sha256": ""}}),
     _entry(work=None), _entry(work={**asdict(PROVENANCE), "options": None}),
     _entry(work={**asdict(PROVENANCE), "model": 1}), _entry(damage=1), _entry(damage=[None]),
     _entry(damage=[{**DAMAGE, "start": "1"}]), _entry(damage=[{**DAMAGE, "duration": None}]),
     _entry(damage=[{**DAMAGE, "start": float("nan")}]), _entry(damage=[{**DAMAGE, "start": 10**400}]),
     _entry(damage=[{**DAMAGE, "kind": []}]), _entry(replaced=1)],
)  # fmt: skip
def test_a_damaged_entry_counts_as_missing_and_only_its_own_files_may_be_replaced(
    tmp_path: Path, targets: list[Path], text: str
) -> None:
    write(Manifest(tmp_path / "out"), targets)
    (path,) = (tmp_path / "out" / FOLDER).iterdir()
    path.write_text(text)
    manifest = Manifest(tmp_path / "out")
    assert not manifest.covers(PROVENANCE, targets)
    assert manifest.damage_of(targets) == ()
    assert manifest.paths() == frozenset()
    # The name of the entry says which files it lists.
    assert manifest.owns(targets[0], targets)
    assert not manifest.owns(targets[0], targets[:1])
    write(manifest, targets)
    for now in (manifest, Manifest(tmp_path / "out")):
        assert now.covers(PROVENANCE, targets)
    assert len(list((tmp_path / "out" / FOLDER).iterdir())) == 1


def test_an_entry_in_the_file_of_another_makes_way(tmp_path: Path, targets: list[Path]) -> None:
    write(Manifest(tmp_path / "out"), targets)
    (path,) = (tmp_path / "out" / FOLDER).iterdir()
    path.write_text(_entry(outputs={"a/other.wav": {"size": 1, "sha256": ""}}))
    manifest = Manifest(tmp_path / "out")
    assert not manifest.owns(targets[0], targets)
    write(manifest, targets)
    for now in (manifest, Manifest(tmp_path / "out")):
        assert now.covers(PROVENANCE, targets)
        assert not now.owns(tmp_path / "out" / "a" / "other.wav", [tmp_path / "out" / "a" / "other.wav"])


def test_a_run_stopped_while_it_replaces_files_of_an_earlier_one_owns_both(
    tmp_path: Path, targets: list[Path]
) -> None:
    write(Manifest(tmp_path / "out"), targets)
    later = Manifest(tmp_path / "out")
    staged = {target: target.with_suffix(".staged") for target in targets}
    for target, path in staged.items():
        path.write_bytes(target.name.encode()[::-1])
    entry = later.announce(replace(PROVENANCE, options={}), staged)
    staged[targets[0]].replace(targets[0])
    again = Manifest(tmp_path / "out")
    assert not again.covers(PROVENANCE, targets)
    assert all(again.owns(target, targets) for target in targets)
    targets[1].write_bytes(b"somebody's")
    assert not Manifest(tmp_path / "out").owns(targets[1], targets)
    # When all files are replaced, there is nothing left to know about the earlier ones.
    later.complete(entry)
    (path,) = (tmp_path / "out" / FOLDER).iterdir()
    assert "replaced" not in json.loads(path.read_text())


def test_what_was_announced_before_the_power_failed_counts_more_than_what_it_replaces(
    tmp_path: Path, targets: list[Path]
) -> None:
    folder = tmp_path / "out" / FOLDER
    for number in range(20):  # whatever the names of the entries are
        third = targets[0].with_name(f"third {number}.wav")
        write(Manifest(tmp_path / "out"), targets)
        kept = {path: path.read_bytes() for path in folder.iterdir()}
        write(Manifest(tmp_path / "out"), [targets[0], third], complete=False)
        for path, content in kept.items():
            path.write_bytes(content)  # as if its removal had not reached the disk
        manifest = Manifest(tmp_path / "out")
        assert manifest.covers(PROVENANCE, [targets[0], third])
        assert manifest.owns(third, [targets[0], third])


@pytest.mark.parametrize("field", ["format", "work", "outputs", "complete"])
def test_an_entry_with_a_part_missing_counts_as_missing(
    tmp_path: Path, targets: list[Path], field: str
) -> None:
    write(Manifest(tmp_path / "out"), targets)
    (path,) = (tmp_path / "out" / FOLDER).iterdir()
    value = json.loads(path.read_text())
    del value[field]
    path.write_text(json.dumps(value))
    assert not Manifest(tmp_path / "out").covers(PROVENANCE, targets)


def test_an_entry_that_cannot_be_written_is_reported(tmp_path: Path, targets: list[Path]) -> None:
    manifest = Manifest(tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / FOLDER).write_text("no folder")
    with pytest.raises(OutputError, match="manifest cannot be written"):
        write(manifest, targets)


def test_the_content_of_a_mixture(tmp_path: Path) -> None:
    path = tmp_path / "song"
    path.write_bytes(b"abc")
    assert mixture_content(path) == Content(
        size=3, sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    with pytest.raises(AudioFileNotFoundError):
        mixture_content(tmp_path / "nothing")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AudioFileError, match="is not a regular file"):
        mixture_content(tmp_path / "pipe")


WRITTEN = """{
 "format": 1,
 "work": {
  "mixture": {
   "size": 3,
   "sha256": "ab"
  },
  "model": "small",
  "model_sha256": "cd",
  "options": {
   "bit_depth": "16"
  },
  "algorithm": 1
 },
 "outputs": {
  "a/high.wav": {
   "size": 8,
   "sha256": ""
  },
  "a/low.wav": {
   "size": 7,
   "sha256": ""
  }
 },
 "complete": true
}"""


def test_the_files_of_earlier_versions_stay_valid(tmp_path: Path, targets: list[Path]) -> None:
    written = json.loads(WRITTEN)
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(target.name.encode())
        output = written["outputs"][f"a/{target.name}"]
        output["sha256"] = hashlib.sha256(target.name.encode()).hexdigest()
    text = json.dumps(written, indent=1)
    (tmp_path / "out" / FOLDER).mkdir()
    (tmp_path / "out" / FOLDER / "8f2c.json").write_text(text)
    assert Manifest(tmp_path / "out").covers(replace(PROVENANCE, algorithm=1), targets)
    # This version writes the same bytes, but for the number of the algorithm.
    write(Manifest(tmp_path / "out"), targets)
    (path,) = (tmp_path / "out" / FOLDER).iterdir()
    assert path.read_text() == text.replace('"algorithm": 1', '"algorithm": 2')


def test_songs_that_end_at_the_same_moment_are_saved_one_after_the_other(
    tmp_path: Path, targets: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = Barrier(2)
    met = []

    def write_slowly(entry: ManifestEntry, path: Path) -> None:
        with suppress(BrokenBarrierError):
            meeting.wait(0.2)
            met.append(path)
        write_entry(entry, path)

    monkeypatch.setattr("stemdock.batch.manifest.write_entry", write_slowly)
    manifest = Manifest(tmp_path / "out")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda target: write(manifest, [target], complete=False), targets))
    assert met == []
    assert all(Manifest(tmp_path / "out").owns(target, [target]) for target in targets)
