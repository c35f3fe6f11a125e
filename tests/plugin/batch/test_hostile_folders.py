"""Output folders in which somebody has put links, pipes and folders with our names."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from stemdock.batch.contents import Content, has_content
from stemdock.batch.manifest import Manifest
from stemdock.batch.manifest_files import FOLDER, Provenance
from stemdock.errors import OutputError
from stemdock.files.staging import remove_abandoned, staging
from stemdock.preview.history import find_history

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pipes, and links need a privilege")


PROVENANCE = Provenance(
    mixture=Content(size=3, sha256="ab"), model="small", model_sha256="cd", options={"bit_depth": "16"}
)


def write(manifest: Manifest, targets: list[Path]) -> None:
    """Writes stems and their entry."""
    for path in targets:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(path.name.encode())
    manifest.complete(manifest.announce(PROVENANCE, {path: path for path in targets}))


def seen(targets: list[Path]) -> set[Path]:
    """Files as a search finds them."""
    return {target.resolve() for target in targets}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def targets(out: Path) -> list[Path]:
    return [out / "a" / "low.wav", out / "a" / "high.wav"]


@pytest.fixture
def entry(out: Path, targets: list[Path]) -> Path:
    """The path of the entry that the targets get; it is not there."""
    write(Manifest(out), targets)
    (path,) = (out / FOLDER).iterdir()
    path.unlink()
    return path


@pytest.mark.parametrize("name", ["part", "json"])
def test_a_link_with_the_name_of_an_entry_is_not_followed(
    out: Path, targets: list[Path], entry: Path, tmp_path: Path, name: str
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    entry.with_suffix(f".{name}").symlink_to(precious)
    write(Manifest(out), targets)
    assert precious.read_text() == "precious"
    assert not entry.is_symlink()
    assert Manifest(out).covers(PROVENANCE, targets)


@pytest.mark.timeout(20)
def test_a_pipe_among_the_entries_is_not_waited_for(out: Path, targets: list[Path]) -> None:
    write(Manifest(out), targets)
    os.mkfifo(out / FOLDER / "a.json")
    assert Manifest(out).covers(PROVENANCE, targets)


@pytest.mark.parametrize("size", [5 << 20, 1 << 40])
def test_a_huge_entry_is_not_read(out: Path, targets: list[Path], size: int) -> None:
    write(Manifest(out), targets)
    with (out / FOLDER / "a.json").open("wb") as file:
        file.truncate(size)
    assert Manifest(out).covers(PROVENANCE, targets)


@pytest.mark.parametrize("name", ["part", "json"])
def test_a_folder_with_the_name_of_an_entry_is_named(
    out: Path, targets: list[Path], entry: Path, name: str
) -> None:
    (entry.with_suffix(f".{name}") / "mine").mkdir(parents=True)
    with pytest.raises(OutputError, match="manifest cannot be written"):
        write(Manifest(out), targets)
    assert (entry.with_suffix(f".{name}") / "mine").exists()


@pytest.mark.parametrize("kind", ["link", "file", "pipe"])
def test_what_has_the_name_of_the_manifest_is_refused_and_stays(
    out: Path, targets: list[Path], tmp_path: Path, kind: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    write(Manifest(elsewhere), [elsewhere / "a" / path.name for path in targets])
    before = sorted(elsewhere.rglob("*"))
    if kind == "link":
        (out / FOLDER).symlink_to(elsewhere / FOLDER)
    elif kind == "pipe":
        os.mkfifo(out / FOLDER)
    else:
        (out / FOLDER).touch()
    manifest = Manifest(out)
    assert manifest.made(seen(targets)) == frozenset()
    for fail in (manifest.check, lambda: write(manifest, targets)):
        with pytest.raises(OutputError, match="manifest cannot be written") as caught:
            fail()
        assert caught.value.path == out / FOLDER
        assert "Remove it" in caught.value.remedy
    assert sorted(elsewhere.rglob("*")) == before


@pytest.mark.timeout(20)
def test_a_pipe_in_the_place_of_a_stem_is_not_compared(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "vocals.wav")
    assert not has_content(tmp_path / "vocals.wav", Content(size=0, sha256=""))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["pipe", "link to a pipe"])
def test_a_pipe_in_the_place_of_a_stem_of_an_earlier_run_is_not_read(
    tmp_path: Path, out: Path, targets: list[Path], kind: str
) -> None:
    write(Manifest(out), targets)
    targets[0].unlink()
    if kind == "pipe":
        os.mkfifo(targets[0])
    else:
        os.mkfifo(tmp_path / "pipe")
        targets[0].symlink_to(tmp_path / "pipe")
    staged = {path: tmp_path / path.name for path in targets}
    for path in staged.values():
        path.write_bytes(b"new")
    announced = Manifest(out).announce(PROVENANCE, staged)
    assert set(announced.replaced) == {"a/high.wav"}


@pytest.mark.parametrize("name", [".stemdock-notes", ".stemdock-mynotes", ".stemdock-my_diary2"])
def test_a_folder_of_the_user_with_a_name_like_ours_stays(out: Path, name: str) -> None:
    (out / name).mkdir()
    (out / name / "diary.txt").write_text("mine")
    remove_abandoned(out)
    assert [path.name for path in (out / name).iterdir()] == ["diary.txt"]


def _abandoned(out: Path) -> Path:
    """A hidden folder as a killed run leaves it."""
    with staging(out) as folder:
        path = folder
    path.mkdir()
    (path / "vocals.wav").write_text("half")
    return path


def _link_folder(path: Path, elsewhere: Path) -> None:
    (path / "vocals.wav").unlink()
    path.rmdir()
    path.symlink_to(elsewhere)


def _link_lock(path: Path, elsewhere: Path) -> None:
    (path / ".lock").symlink_to(elsewhere / "lock")


def _link_existing_lock(path: Path, elsewhere: Path) -> None:
    (path / ".lock").symlink_to(elsewhere / "keep")


def _pipe_lock(path: Path, _: Path) -> None:
    os.mkfifo(path / ".lock")


def _folder_lock(path: Path, _: Path) -> None:
    (path / ".lock").mkdir()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("plant", [_link_folder, _link_lock, _link_existing_lock, _pipe_lock, _folder_lock])
def test_what_only_looks_like_a_killed_run_stays(
    out: Path, tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "keep").write_text("precious")
    path = _abandoned(out)
    plant(path, elsewhere)
    remove_abandoned(out)
    assert os.path.lexists(path)
    assert [(each.name, each.read_text()) for each in elsewhere.iterdir()] == [("keep", "precious")]


def test_what_a_killed_run_left_goes(out: Path) -> None:
    path = _abandoned(out)
    (path / ".lock").touch()
    remove_abandoned(out)
    assert not path.exists()


def test_the_manifest_of_another_user_tells_nothing(out: Path, targets: list[Path]) -> None:
    if os.geteuid():
        pytest.skip("only root can give files to other users")
    write(Manifest(out), targets)
    assert find_history(targets).facts["model"] == "small"
    os.chown(out / FOLDER, 65_534, 65_534)
    assert find_history(targets).facts == {}
