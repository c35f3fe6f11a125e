"""Every moment at which the power can fail while a file is written, on a simulated disk."""

from __future__ import annotations

import sys
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import pytest

from stemdock.lib.atomic import move_all_to_place, write_atomically
from stemdock.lib.durable import make_folder
from support.power_cuts import power_cuts
from support.recorded_calls import Call
from support.simulated_disk import Disk

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="paths of descriptors are Linux's")

OLD, NEW = b"old" * 100, b"new" * 100


def contents(folder: Path) -> dict[str, bytes]:
    """What stands under names that are not hidden."""
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with an old file."""
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "file").write_bytes(OLD)
    return folder


@pytest.mark.parametrize("part", [None, "file.part"])
def test_a_durable_file_is_the_old_one_or_the_new_one(root: Path, part: str | None) -> None:
    def write() -> None:
        write_atomically(root / "file", NEW, durable=True, part=root / part if part else None)

    found = [contents(left)["file"] for left in power_cuts(root, write)]
    assert set(found) == {OLD, NEW}
    assert found[-1] == NEW


def test_a_file_that_is_not_flushed_can_be_lost(root: Path) -> None:
    write = partial(write_atomically, root / "file", NEW)
    found = {contents(left).get("file") for left in power_cuts(root, write)}
    assert not found <= {OLD, NEW}


@pytest.mark.parametrize("overwrite", [True, False])
def test_several_durable_files_are_whole_wherever_they_have_their_names(root: Path, overwrite: bool) -> None:
    places = {root / f".{name}": root / f"new {name}" for name in "abc"}

    def write() -> None:
        for path in places:
            path.write_bytes(NEW)
        move_all_to_place(places, overwrite=overwrite, durable=True)

    for left in map(contents, power_cuts(root, write)):
        assert {content for name, content in left.items() if name != "file"} <= {NEW}
    assert left == {"file": OLD, **{path.name: NEW for path in places.values()}}


def test_several_files_that_are_not_flushed_can_be_lost(root: Path) -> None:
    def write() -> None:
        (root / ".a").write_bytes(NEW)
        move_all_to_place({root / ".a": root / "new a"})

    assert {contents(left).get("new a") for left in power_cuts(root, write)} - {None, NEW}


def test_a_durable_file_in_folders_that_were_missing(root: Path) -> None:
    def write() -> None:
        make_folder(root / "a" / "b")
        write_atomically(root / "a" / "b" / "file", NEW, durable=True)

    *_, left = power_cuts(root, write)
    assert contents(left)["a/b/file"] == NEW


def test_what_the_disk_keeps_of_each_call(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    disk = Disk(root)

    def left(mode: str) -> dict[str, bytes]:
        target = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        disk.cut(Random(0), mode, target)  # noqa: S311
        return contents(target)

    file, moved = str(root / "file"), str(root / "moved")
    disk.apply(Call("wrote", file, content=b"x"))
    assert (left("least"), left("names")) == ({}, {"file": b""})
    disk.apply(Call("fsync", file, content=b"x"))
    assert (left("least"), left("names")) == ({}, {"file": b"x"})
    disk.apply(Call("fsync folder", str(root)))
    disk.apply(Call("rename", file, moved))
    assert (left("least"), left("names")) == ({"file": b"x"}, {"moved": b"x"})
    disk.apply(Call("fsync folder", str(root)))
    disk.apply(Call("link", moved, file))
    disk.apply(Call("unlink", moved))
    assert (left("least"), left("names")) == ({"moved": b"x"}, {"file": b"x"})
