"""What the store itself does with its folder, with small files in place of models."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import stat
import sys
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

import platformdirs
import pytest

from stemdock import locked, make_own_folder, move_all_to_place, verify_model
from stemdock.errors import CancelledError
from stemdock_models.errors import DiskFullError, StoreError
from stemdock_models.scratch import lock_path
from stemdock_models.store import Store, default_store, find_store, store_faults
from support.power_cuts import power_cuts
from support.small_model import file_of, small_card

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock import ModelEntry

OLD, NEW = b"old model", b"another new model"
LEFTOVER = "0123456789abcdef.onnx"

needs_permissions = pytest.mark.skipif(sys.platform == "win32", reason="no permission bits")


def never() -> None:
    raise AssertionError("waited")


def cancel() -> None:
    raise CancelledError


def publish(
    store: Store, name: str = "small", content: bytes = NEW, on_wait: Callable[[], None] = never
) -> ModelEntry:
    """Publishes a file from a scratch folder of its own."""
    scratch = store.folder / ".work" / "publishing"
    make_own_folder(scratch)
    model = scratch / "model.onnx"
    model.write_bytes(content)
    hashed = sha256(content).hexdigest()
    try:
        return store.publish(model, small_card(name=name), hashed, "a shop", on_wait=on_wait)
    finally:
        shutil.rmtree(scratch)


def remove(store: Store, on_wait: Callable[[], None] = never) -> None:
    store.remove("small", on_wait=on_wait)


def scratch(store: Store, on_wait: Callable[[], None] = never) -> None:
    with store.scratch("key", on_wait=on_wait):
        pass


TASKS = [publish, remove, scratch]


def leave(store: Store) -> Path:
    """A model file that no description names, as a killed task leaves it."""
    path = store.folder / "killed" / LEFTOVER
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_a_description_says_what_was_published_and_can_be_read_by_people(store: Store) -> None:
    entry = publish(store)
    assert (entry.name, entry.sha256, entry.source) == ("small", sha256(NEW).hexdigest(), "a shop")
    assert file_of(entry).read_bytes() == NEW
    assert store.scan() == ([entry], [])
    text = (store.folder / "small" / "model.json").read_text("ascii")
    values = json.loads(text)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", values["installed"])
    assert text == json.dumps(values, indent=2)
    assert publish(store, content=OLD) != entry
    assert sorted(path.name for path in (store.folder / "small").iterdir()) == [
        f"{sha256(OLD).hexdigest()[:16]}.onnx",
        "model.json",
    ]


@needs_permissions
def test_only_its_user_may_write_to_a_model_whatever_the_umask_is(store: Store) -> None:
    before = os.umask(0)
    try:
        entry = publish(store)
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (store.folder, *store.folder.rglob("*"))}
    assert [path for path, mode in modes.items() if mode & 0o022] == []
    assert modes[store.folder / "small" / "model.json"] == 0o644
    assert modes[file_of(entry)] == 0o644


def test_until_it_is_whole_a_description_is_not_in_the_folder_of_its_model(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[Path]] = []

    def look_and_move(places: dict[Path, Path], *, durable: bool) -> None:
        seen.append(list((store.folder / "small").iterdir()))
        move_all_to_place(places, durable=durable)

    monkeypatch.setattr("stemdock_models.store.move_all_to_place", look_and_move)
    publish(store)
    assert seen == [[]]


def models_of(folder: Path) -> list[bytes]:
    """The content of each model in a store, all of which are in order."""
    entries, faults = Store(folder).scan()
    assert faults == []
    for entry in entries:
        verify_model(entry)
    return [file_of(entry).read_bytes() for entry in entries]


@pytest.mark.skipif(sys.platform != "linux", reason="paths of descriptors are Linux's")
def test_wherever_the_power_fails_a_new_model_is_there_or_not(store: Store) -> None:
    store.folder.mkdir()
    found = [models_of(left) for left in power_cuts(store.folder, lambda: publish(store))]
    assert found[0] == []
    assert found[-1] == [NEW]


@pytest.mark.skipif(sys.platform != "linux", reason="paths of descriptors are Linux's")
def test_wherever_the_power_fails_a_replaced_model_is_the_old_one_or_the_new_one(store: Store) -> None:
    publish(store, content=OLD)
    found = [models_of(left) for left in power_cuts(store.folder, lambda: publish(store))]
    assert {model for models in found for model in models} == {OLD, NEW}
    assert {len(models) for models in found} == {1}
    assert found[-1] == [NEW]


@pytest.mark.skipif(sys.platform != "linux", reason="paths of descriptors are Linux's")
def test_wherever_the_power_fails_a_removed_model_is_whole_or_gone(store: Store) -> None:
    publish(store)
    found = [models_of(left) for left in power_cuts(store.folder, lambda: remove(store), n_partial=20)]
    assert found[0] == [NEW]
    assert found[-1] == []


@pytest.mark.parametrize("task", TASKS)
def test_every_task_waits_for_another_process_that_writes(store: Store, task: Callable[..., object]) -> None:
    entry = publish(store)
    with locked(store._lock), pytest.raises(CancelledError):
        task(store, on_wait=cancel)
    assert store.scan() == ([entry], [])


@pytest.mark.parametrize("has_locks", [True, False])
@pytest.mark.parametrize("task", TASKS)
def test_what_killed_tasks_left_goes_unless_it_may_be_another_tasks(
    store: Store, monkeypatch: pytest.MonkeyPatch, task: Callable[..., object], has_locks: bool
) -> None:
    publish(store)
    left = leave(store)
    if not has_locks:
        fcntl = pytest.importorskip("fcntl", reason="this system locks in another way")

        def flock(*_: object) -> NoReturn:
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        monkeypatch.setattr(fcntl, "flock", flock)
    task(store)
    assert left.exists() is not has_locks
    if task is remove:
        assert not (store.folder / "small").exists()


def test_a_scratch_folder_is_closed_to_tasks_with_its_key(store: Store) -> None:
    with store.scratch("key", on_wait=never) as folder:
        assert folder == store.folder / ".work" / "key"
        assert list(folder.iterdir()) == []
        with pytest.raises(CancelledError):
            scratch(store, on_wait=cancel)
        with locked(lock_path(folder.with_name("other")), on_wait=never):
            pass
    assert not folder.exists()


def test_an_archive_goes_when_a_model_has_its_weights_and_no_task_works_on_it(
    store: Store, tmp_path: Path
) -> None:
    archive = store.download_path("key.tar.gz")
    assert archive == store.folder / ".downloads" / "key.tar.gz"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"archive")
    model = tmp_path / "model.onnx"
    model.write_bytes(NEW)
    with store.scratch("other", on_wait=never):
        pass
    assert archive.exists()
    hashes = [sha256(content).hexdigest() for content in (NEW, b"archive")]
    store.publish(model, small_card(), hashes[0], "a shop", archive_sha256=hashes[1], on_wait=never)
    with store.scratch("key", on_wait=never), store.scratch("other", on_wait=never):
        assert archive.exists()
    with store.scratch("other", on_wait=never):
        assert not archive.exists()


def test_removing_takes_all_files_of_a_model_and_says_whether_there_was_one(store: Store) -> None:
    publish(store)
    other = publish(store, "other", OLD)
    (store.folder / "small" / "notes").touch()
    assert store.remove("small", on_wait=never) is True
    assert not (store.folder / "small").exists()
    assert store.remove("small", on_wait=never) is False
    assert store.scan() == ([other], [])


def test_a_model_whose_file_is_open_elsewhere_is_removed_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = publish(store)
    unlink = os.unlink

    def refuse(path: Any, **options: Any) -> None:
        if str(path).endswith(".onnx"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        unlink(path, **options)

    monkeypatch.setattr(os, "unlink", refuse)
    assert store.remove("small", on_wait=never)
    monkeypatch.undo()
    assert file_of(entry).exists()
    assert Store(store.folder).scan() == ([], [])
    scratch(store)
    assert not (store.folder / "small").exists()


def test_nothing_behind_a_link_is_removed(store: Store, tmp_path: Path) -> None:
    entry = publish(store)
    (store.folder / "small").rename(tmp_path / "elsewhere")
    (store.folder / "small").symlink_to(tmp_path / "elsewhere")
    for task in (publish, remove):
        with pytest.raises(StoreError, match="is a link") as caught:
            task(store)
        assert caught.value.path == store.folder / "small"
        assert caught.value.remedy == "Remove the link, or put the folder in its place."
    assert len(list((tmp_path / "elsewhere").iterdir())) == 2
    assert file_of(entry).read_bytes() == NEW


@pytest.mark.parametrize(
    ("task", "obstacle", "named"),
    [
        (publish, "small", "small"),
        (remove, "small/model.json/mine", "small/model.json"),
        (scratch, ".work", ".work"),
    ],
)
def test_what_is_in_the_way_of_a_task_is_named(
    store: Store, task: Callable[..., object], obstacle: str, named: str
) -> None:
    (store.folder / obstacle).parent.mkdir(parents=True)
    (store.folder / obstacle).write_text("mine")
    with pytest.raises(StoreError) as caught:
        task(store)
    assert str(store.folder / named) in str(caught.value)
    assert (store.folder / obstacle).read_text() == "mine"


def test_a_file_in_place_of_the_store_is_an_error(store: Store) -> None:
    store.folder.write_text("no folder")
    with pytest.raises(StoreError):
        store.require_space(0)
    assert [fault.model for fault in store.scan()[1]] == [str(store.folder)]


def test_all_the_free_space_may_be_needed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2_000_000))
    store.require_space(2_000_000)
    with pytest.raises(DiskFullError, match="needs 3 MB of free space, the disk has 2 MB"):
        store.require_space(3_000_000)
    assert store.folder.is_dir()


def test_files_and_folders_that_are_no_models_are_passed_over(store: Store) -> None:
    entry = publish(store)
    (store.folder / "notes.txt").touch()
    (store.folder / "photos").mkdir()
    (store.folder / "broken").mkdir()
    (store.folder / "broken" / "model.json").write_text("{")
    entries, (fault,) = store.scan()
    assert entries == [entry]
    assert fault.model == "broken"
    assert str(store.folder / "broken" / "model.json") in str(fault)
    assert "plugin-cli models remove broken" in fault.remedy
    assert store_faults()[0].model == "broken"


def no_home(*_: object, **__: object) -> NoReturn:
    raise RuntimeError


@pytest.mark.parametrize("find", [no_home, lambda *_, **__: Path("~/data")])
def test_without_a_home_there_is_no_default_store(
    monkeypatch: pytest.MonkeyPatch, find: Callable[..., Path]
) -> None:
    monkeypatch.delenv("STEMDOCK_MODELS", raising=False)
    monkeypatch.setattr(platformdirs, "user_data_path", find)
    assert find_store() is None
    assert store_faults() == []
    with pytest.raises(StoreError, match="no home folder") as caught:
        default_store()
    assert "Set STEMDOCK_MODELS" in caught.value.remedy


def test_on_windows_the_folder_is_named_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STEMDOCK_MODELS", raising=False)

    def windows(name: str, appauthor: str | bool | None = None) -> Path:
        return tmp_path / name if appauthor is False else tmp_path / str(appauthor or name) / name

    monkeypatch.setattr(platformdirs, "user_data_path", windows)
    assert default_store() == Store(tmp_path / "stemdock" / "models")


def test_the_variable_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEMDOCK_MODELS", str(tmp_path / "mine"))
    assert default_store() == Store(tmp_path / "mine")
    assert store_faults() == []
