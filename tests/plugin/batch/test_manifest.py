from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, replace
from threading import Barrier, BrokenBarrierError, Event
from typing import TYPE_CHECKING, NoReturn

import pytest

from stemdock.batch.contents import Content, mixture_content
from stemdock.batch.manifest import Manifest
from stemdock.batch.manifest_files import FOLDER, Provenance, entry_name, load_entry, write_entry
from stemdock.errors import AudioFileError, AudioFileNotFoundError, OutputError
from stemdock.types import Damage
from support.power_cuts import power_cuts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from stemdock.batch.manifest_files import ManifestEntry

PROVENANCE = Provenance(
    mixture=Content(size=3, sha256="ab"), model="small", model_sha256="cd", options={"bit_depth": "16"}
)


@pytest.fixture
def targets(tmp_path: Path) -> list[Path]:
    return [tmp_path / "out" / "a" / "low.wav", tmp_path / "out" / "a" / "high.wav"]


def write(
    manifest: Manifest,
    targets: list[Path],
    provenance: Provenance = PROVENANCE,
    *,
    complete: bool = True,
    damage: Sequence[Damage] = (),
) -> None:
    """Does as a separation does, in the same order."""
    staged = {}
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        path = target.with_suffix(".staged")
        path.write_bytes(target.name.encode())
        staged[target] = path
    entry = manifest.announce(provenance, staged, damage)
    for target, path in staged.items():
        path.replace(target)
    if complete:
        manifest.complete(entry)


def seen(targets: list[Path]) -> set[Path]:
    """Files as a search finds them."""
    return {target.resolve() for target in targets}


@pytest.mark.parametrize("complete", [True, False])
def test_a_later_run_finds_what_is_done(tmp_path: Path, targets: list[Path], complete: bool) -> None:
    write(Manifest(tmp_path / "out"), targets, complete=complete)
    later = Manifest(tmp_path / "out")
    assert later.covers(PROVENANCE, targets)
    assert later.covers(PROVENANCE, targets[:1])
    assert all(later.owns(target, targets) for target in targets)
    assert later.made(seen(targets)) == seen(targets)


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
    assert manifest.made(seen(targets)) == frozenset()
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
    assert not manifest.covers(PROVENANCE, targets)
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


def test_an_entry_that_the_system_refuses_is_reported_with_a_remedy(
    tmp_path: Path, targets: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("stemdock.batch.manifest_files.write_atomically", fail)
    with pytest.raises(OutputError, match=os.strerror(errno.EIO)) as caught:
        write(Manifest(tmp_path / "out"), targets)
    assert caught.value.remedy == "Check permissions and free disk space."


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


READERS: list[Callable[[Manifest, list[Path]], object]] = [
    lambda manifest, targets: manifest.made(seen(targets)),
    lambda manifest, targets: manifest.owns(targets[0], targets),
    lambda manifest, targets: manifest.covers(PROVENANCE, targets),
]


@pytest.mark.parametrize("read", READERS)
def test_nothing_is_read_while_an_entry_is_saved(
    tmp_path: Path,
    targets: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    read: Callable[[Manifest, list[Path]], object],
) -> None:
    manifest = Manifest(tmp_path / "out")
    write(manifest, targets)
    begun, go_on = Event(), Event()

    def write_later(entry: ManifestEntry, path: Path) -> None:
        begun.set()
        assert go_on.wait(60)
        write_entry(entry, path)

    monkeypatch.setattr("stemdock.batch.manifest_entries.write_entry", write_later)
    with ThreadPoolExecutor(2) as pool:
        other = pool.submit(manifest.announce, PROVENANCE, {tmp_path / "out" / "b.wav": targets[0]})
        try:
            assert begun.wait(60)
            reading = pool.submit(read, manifest, targets)
            assert wait([reading], 0.2).done == set()
        finally:
            go_on.set()
        other.result()
        assert reading.result()


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

    monkeypatch.setattr("stemdock.batch.manifest_entries.write_entry", write_slowly)
    manifest = Manifest(tmp_path / "out")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda target: write(manifest, [target], complete=False), targets))
    assert met == []
    assert all(Manifest(tmp_path / "out").owns(target, [target]) for target in targets)


def test_the_damage_of_the_mixture_is_kept(tmp_path: Path, targets: list[Path]) -> None:
    damage = (
        Damage(start=1.5, duration=0.25, kind="silence"),
        Damage(start=9.0, duration=0.0, kind="end"),
    )
    write(Manifest(tmp_path / "out"), targets[:1], damage=damage)
    write(Manifest(tmp_path / "out"), targets[1:])
    manifest = Manifest(tmp_path / "out")
    assert manifest.damage_of(targets[:1]) == damage
    assert manifest.damage_of(targets[1:]) == ()
    # Of several runs, no damage can be told.
    assert manifest.damage_of(targets) == ()
    assert manifest.damage_of([tmp_path / "out" / "b.wav"]) == ()
    assert manifest.covers(PROVENANCE, targets[:1])


def test_stems_that_are_known_to_be_short_are_not_done(tmp_path: Path, targets: list[Path]) -> None:
    write(Manifest(tmp_path / "out"), targets, damage=(Damage(start=9.0, duration=1.0, kind="end"),))
    assert not Manifest(tmp_path / "out").covers(PROVENANCE, targets)


def test_the_provenance_of_files_of_one_run(tmp_path: Path, targets: list[Path]) -> None:
    write(Manifest(tmp_path / "out"), targets)
    third = targets[0].with_name("third.wav")
    write(Manifest(tmp_path / "out"), [third], replace(PROVENANCE, options={}))
    manifest = Manifest(tmp_path / "out")
    assert manifest.provenance_of(targets) == PROVENANCE
    assert manifest.provenance_of([third]) == replace(PROVENANCE, options={})
    assert manifest.provenance_of([*targets, third]) is None
    assert manifest.provenance_of([targets[0].with_name("fourth.wav")]) is None
    targets[0].write_bytes(b"changed")
    assert manifest.provenance_of(targets) is None
    assert not manifest.covers(PROVENANCE, [targets[1], third])


def test_files_of_others_do_not_become_ours_by_being_in_the_way(tmp_path: Path, targets: list[Path]) -> None:
    targets[0].parent.mkdir(parents=True)
    targets[0].write_bytes(b"somebody's")
    staged = {target: target.with_suffix(".staged") for target in targets}
    for target, path in staged.items():
        path.write_bytes(target.name.encode())
    Manifest(tmp_path / "out").announce(PROVENANCE, staged)
    assert not Manifest(tmp_path / "out").owns(targets[0], targets)


def test_what_a_later_run_finds_finished_is_saved_as_complete_once(
    tmp_path: Path, targets: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Manifest(tmp_path / "out"), targets, complete=False)
    assert Manifest(tmp_path / "out").covers(PROVENANCE, targets)
    targets[0].write_bytes(b"changed by the user, but ours")
    assert Manifest(tmp_path / "out").owns(targets[0], targets)
    targets[0].write_bytes(targets[0].name.encode())

    def fail(*_: object) -> NoReturn:
        raise AssertionError("written again")

    monkeypatch.setattr("stemdock.batch.manifest_entries.write_entry", fail)
    assert Manifest(tmp_path / "out").covers(PROVENANCE, targets)


def test_the_files_of_an_entry_that_was_damaged_once_are_not_ours_for_ever(
    tmp_path: Path, targets: list[Path]
) -> None:
    write(Manifest(tmp_path / "out"), targets)
    (path,) = (tmp_path / "out" / FOLDER).iterdir()
    path.write_text("{")
    manifest = Manifest(tmp_path / "out")
    assert manifest.owns(targets[1], targets)
    write(manifest, targets)
    write(manifest, targets[:1])
    assert not manifest.owns(targets[1], targets)


def test_an_entry_that_somebody_removed_meanwhile_is_no_error(tmp_path: Path, targets: list[Path]) -> None:
    manifest = Manifest(tmp_path / "out")
    write(manifest, targets)
    for path in (tmp_path / "out" / FOLDER).iterdir():
        path.unlink()
    write(manifest, targets[:1])
    assert Manifest(tmp_path / "out").covers(PROVENANCE, targets[:1])


def test_a_manifest_that_cannot_be_listed_has_no_entries(
    tmp_path: Path, targets: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Manifest(tmp_path / "out"), targets)

    def listdir(*_: object) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "listdir", listdir)
    assert Manifest(tmp_path / "out").made(seen(targets)) == frozenset()


def test_the_name_of_an_entry_is_that_of_earlier_versions() -> None:
    # SHA-256 of both names with a null character between them.
    assert entry_name(["b", "a"]) == hashlib.sha256(b"a\0b").hexdigest()[:32]


def test_an_entry_with_names_that_no_file_can_have_here_counts_as_missing(
    tmp_path: Path, targets: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Manifest(tmp_path / "out"), targets)
    (path,) = (tmp_path / "out" / FOLDER).iterdir()
    path.write_text(_entry(outputs={"a/\u4e2d.wav": {"size": 7, "sha256": ""}}))
    monkeypatch.setattr(os, "fsencode", lambda text: str(text).encode("latin-1"))
    assert Manifest(tmp_path / "out").made(seen(targets)) == frozenset()


def test_what_a_killed_run_left_of_an_entry_goes_with_the_next_write(
    tmp_path: Path, targets: list[Path]
) -> None:
    write(Manifest(tmp_path / "out"), targets)
    (path,) = (tmp_path / "out" / FOLDER).iterdir()
    path.with_suffix(".part").write_text("{")
    write(Manifest(tmp_path / "out"), targets)
    assert list((tmp_path / "out" / FOLDER).iterdir()) == [path]


@pytest.mark.skipif(sys.platform != "linux", reason="paths of descriptors are Linux's")
def test_wherever_the_power_fails_entries_are_whole_and_a_complete_one_has_replaced_others(
    tmp_path: Path, targets: list[Path]
) -> None:
    out = tmp_path / "out"
    write(Manifest(out), targets)
    manifest = Manifest(out)
    for target in targets:
        target.with_suffix(".staged").write_bytes(b"new")
    staged = {target: target.with_suffix(".staged") for target in targets[:1]}
    found = []
    for left in power_cuts(
        out, lambda: manifest.complete(manifest.announce(PROVENANCE, staged)), n_partial=20
    ):
        entries = [load_entry(path) for path in (left / FOLDER).glob("*.json")]
        assert None not in entries
        found.append(sorted((len(entry.outputs), entry.complete) for entry in entries if entry))
    assert {tuple(each) for each in found} == {
        ((2, True),),
        ((1, False), (2, True)),
        ((1, False),),
        ((1, True),),
    }
    assert found[-1] == [(1, True)]


def test_what_another_process_writes_is_seen_at_once(tmp_path: Path, targets: list[Path]) -> None:
    one, other = Manifest(tmp_path / "out"), Manifest(tmp_path / "out")
    assert not other.covers(PROVENANCE, targets)
    assert not other.owns(targets[0], targets)
    write(one, targets)
    assert other.covers(PROVENANCE, targets)
    assert other.owns(targets[0], targets)
    assert other.made(seen(targets)) == seen(targets)
    third = targets[0].with_name("third.wav")
    write(one, [third])
    assert other.made(seen([third])) == seen([third])
    write(one, targets, replace(PROVENANCE, options={}))
    assert other.covers(replace(PROVENANCE, options={}), targets)
    assert other.provenance_of(targets) == replace(PROVENANCE, options={})


def test_entries_of_equal_size_are_told_apart(tmp_path: Path, targets: list[Path]) -> None:
    manifest = Manifest(tmp_path / "out")
    models = ["one", "two"]
    for target, model in zip(targets, models, strict=True):
        write(manifest, [target.with_name(f"{model}.wav")], replace(PROVENANCE, model=model))
    for model in (*models, *models):
        found = manifest.provenance_of([targets[0].with_name(f"{model}.wav")])
        assert found
        assert found.model == model
    for model in ("six", "ten"):
        write(Manifest(tmp_path / "out"), [targets[0].with_name("one.wav")], replace(PROVENANCE, model=model))
        found = manifest.provenance_of([targets[0].with_name("one.wav")])
        assert found
        assert found.model == model


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The folders that were listed."""
    listed: list[object] = []
    list_folder = os.listdir

    def listdir(folder: Path) -> list[str]:
        listed.append(folder)
        return list_folder(folder)

    monkeypatch.setattr(os, "listdir", listdir)
    return listed


def test_entries_are_looked_up_and_not_searched(
    tmp_path: Path, targets: list[Path], listings: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []

    def load(path: Path) -> ManifestEntry | None:
        loaded.append(path)
        return load_entry(path)

    monkeypatch.setattr("stemdock.batch.manifest_entries.load_entry", load)
    for number in range(5):
        write(Manifest(tmp_path / "out"), [target.with_name(f"{number}.wav") for target in targets[:1]])
    loaded.clear()
    manifest = Manifest(tmp_path / "out")
    assert not manifest.covers(PROVENANCE, targets)
    assert manifest.made({tmp_path / "music" / "1.wav"}) == frozenset()
    write(manifest, targets)
    assert manifest.covers(PROVENANCE, targets)
    assert all(manifest.owns(target, targets) for target in targets)
    assert listings == []
    assert {path.stem for path in loaded} == {manifest.name_of(targets)}


def test_files_without_an_entry_of_their_own_are_searched_for_once(
    tmp_path: Path, targets: list[Path], listings: list[object]
) -> None:
    write(Manifest(tmp_path / "out"), targets)
    manifest = Manifest(tmp_path / "out")
    assert all(manifest.owns(target, [target]) for target in targets)
    targets[0].with_name("foreign.wav").touch()
    assert not manifest.owns(targets[0].with_name("foreign.wav"), [targets[0].with_name("foreign.wav")])
    write(manifest, targets[:1])
    assert len(listings) == 1


def test_an_entry_that_has_become_that_of_other_files_stays(tmp_path: Path, targets: list[Path]) -> None:
    write(Manifest(tmp_path / "out"), targets)
    (path,) = (tmp_path / "out" / FOLDER).iterdir()
    path.write_text(_entry(outputs={"a/other.wav": {"size": 1, "sha256": ""}}))
    manifest = Manifest(tmp_path / "out")
    assert not manifest.owns(targets[0], targets)
    write(manifest, targets)
    write(manifest, [tmp_path / "out" / "a" / "other.wav"])
    assert manifest.covers(PROVENANCE, targets)
