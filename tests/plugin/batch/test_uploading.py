"""Several runs on one folder of an object store, which has no claims."""

from __future__ import annotations

from hashlib import sha256
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if find_spec("fsspec") is None:
    pytest.skip("needs fsspec: install stemdock[remote]", allow_module_level=True)

import fsspec

from stemdock import CancelledError, OutputError, SongSeparator
from stemdock.batch import object_store, remote_manifest, uploading
from stemdock.batch.contents import Content, output_content
from stemdock.batch.manifest_files import Provenance, entry_content
from stemdock.batch.remote_manifest import RemoteManifest
from stemdock.batch.store_errors import StoreError
from stemdock.lib.locations import Location
from support.small_model import write_noise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock import Plugins


@pytest.fixture
def root() -> Iterator[Location]:
    name = uuid4().hex
    yield Location(f"memory://{name}/out")
    memory = fsspec.filesystem("memory")
    if memory.exists(f"/{name}"):
        memory.rm(f"/{name}", recursive=True)


def separator(plugins: Plugins, root: Location, **options: Any) -> SongSeparator:
    return SongSeparator(str(root), model="small", plugins=plugins, **options)


def is_complete(root: Location) -> bool:
    (record,) = [each for each in object_store.find(root) if each.path.suffix == ".json"]
    return b'"complete": true' in object_store.read(record, max_size=1 << 20)


def stems(root: Location) -> dict[str, bytes]:
    return {
        each.path.name: object_store.read(each, max_size=1 << 20)
        for each in object_store.find(root)
        if each.path.suffix == ".wav"
    }


def test_a_run_that_is_stopped_leaves_what_another_has_recorded(
    plugins: Plugins, tmp_path: Path, root: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = write_noise(tmp_path / "song.wav")
    first, second = separator(plugins, root), separator(plugins, root)
    create = object_store.create
    n_created = []

    def stopped(*arguments: Any, **options: Any) -> bool:
        n_created.append(1)
        if len(n_created) < 2:
            return create(*arguments, **options)
        monkeypatch.setattr(object_store, "create", create)
        assert second(song).status == "done"
        raise CancelledError

    monkeypatch.setattr(object_store, "create", stopped)
    with pytest.raises(CancelledError):
        first(song)
    assert set(stems(root)) == {"low.wav", "high.wav"}
    assert is_complete(root)
    assert second(song).status == "skipped"


@pytest.mark.parametrize("moment", ["before the look", "before the record"])
def test_a_late_run_leaves_a_finished_song_as_it_is(
    plugins: Plugins, tmp_path: Path, root: Location, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = write_noise(tmp_path / "song.wav")
    late, other = separator(plugins, root), separator(plugins, root)
    finished: list[dict[str, bytes]] = []

    def finish() -> None:
        with monkeypatch.context() as plain:
            plain.setattr(uploading, "output_content", output_content)
            plain.setattr(remote_manifest, "entry_content", entry_content)
            assert other(song).status == "done"
        finished.append(stems(root))

    def rounded_otherwise(path: Path) -> Content:
        if not finished and moment == "before the look":
            finish()
        # As on another processor.
        samples = bytearray(path.read_bytes())
        samples[-1] ^= 1
        path.write_bytes(samples)
        return output_content(path)

    def overtaken(entry: Any) -> bytes:
        if not finished:
            finish()
        return entry_content(entry)

    monkeypatch.setattr(uploading, "output_content", rounded_otherwise)
    if moment == "before the record":
        monkeypatch.setattr(remote_manifest, "entry_content", overtaken)
    assert late(song).status == "skipped"
    assert stems(root) == finished[0]
    assert is_complete(root)


def content(text: bytes) -> Content:
    return Content(size=len(text), sha256=sha256(text).hexdigest())


def provenance(bits: int) -> Provenance:
    return Provenance(mixture=content(b"song"), model="m", model_sha256="m", options={"bits": bits})


@pytest.mark.parametrize("n_uploaded", [0, 1, 2])
def test_after_any_number_of_kills_every_stem_is_still_known(root: Location, n_uploaded: int) -> None:
    manifest = RemoteManifest(root)
    targets = [root / "song/low.wav", root / "song/high.wav"]
    # Each run is killed after so many uploads; the next one writes other bytes.
    for bits in (32, 24, 16):
        contents = {target: content(b"%d" % bits) for target in targets}
        for target in targets:
            if object_store.exists(target):
                assert manifest.owns(target, targets)
        assert manifest.announce(provenance(bits), contents, ())
        if bits == 32:
            for target in targets[:n_uploaded]:
                object_store.write(target, b"32")
    for target in targets[:n_uploaded]:
        assert manifest.owns(target, targets)
    object_store.write(targets[0], b"mine")
    assert not manifest.owns(targets[0], targets)


def test_a_record_whose_answer_was_lost_is_not_taken_for_that_of_another_run(
    root: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = RemoteManifest(root)
    targets = {root / "song/low.wav": content(b"low")}
    write = object_store.write

    def twice(*arguments: Any, **options: Any) -> None:
        write(*arguments, **options)
        write(*arguments, **options)

    monkeypatch.setattr(object_store, "write", twice)
    entry = manifest.announce(provenance(32), targets, ())
    assert entry
    assert manifest.entry_of(targets) == entry


def test_an_estimate_removes_what_it_can(
    root: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stemdock.batch.trial import passing  # noqa: PLC0415
    from stemdock.output.naming import Destination  # noqa: PLC0415

    remove = object_store.remove

    def fail_once(location: Location) -> None:
        if location.path.name == "1.wav":
            raise StoreError("no")
        remove(location)

    monkeypatch.setattr(object_store, "remove", fail_once)
    with passing(Destination(folder=tmp_path, template="{instrument}", location=root)) as destination:
        assert destination.location
        for number in range(3):
            object_store.write(destination.location / f"{number}.wav", b"stem")
    assert [each.path.name for each in object_store.find(root)] == ["1.wav"]


def test_an_error_of_the_store_is_one_of_the_output(
    plugins: Plugins, tmp_path: Path, root: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = write_noise(tmp_path / "song.wav")

    def fail(*_: Any, **__: Any) -> bool:
        raise StoreError("access is denied")

    with monkeypatch.context() as refused:
        refused.setattr(object_store, "create", fail)
        with pytest.raises(OutputError, match="access is denied"):
            separator(plugins, root)(song)
    assert separator(plugins, root)(song).status == "done"
