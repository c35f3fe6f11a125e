"""Processes that are killed, that meet, and that find no room."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stemdock.cli.main import run
from stemdock_models.errors import DiskFullError
from stemdock_models.store import Store
from support.release_server import Fault
from support.small_model import file_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stemdock import Plugins
    from stemdock_models.fetching import Fetcher
    from support.release_server import ReleaseServer

pytestmark = pytest.mark.slow

DRIVER = Path(__file__).with_name("driver.py")


def start(card: Path, plan: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, DRIVER, card, plan, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def mine(plugins: Plugins, narrow: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """A model that was there before."""
    command = ["models", "add", str(narrow), "--name", "mine", "--config", str(narrow / "config.json")]
    assert run(command, plugins) == 0
    capsys.readouterr()
    return "mine"


def count_changes(card: Path, *arguments: str) -> list[str]:
    """Runs a command and returns the changes that it made in the store, one line each."""
    process = start(card, "count", *arguments)
    _, output = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return [line for line in output.splitlines() if line.startswith("change ")]


def kill_at(point: int, card: Path, *arguments: str) -> None:
    """Runs a command and kills it before one of its changes."""
    process = start(card, f"kill:{point}", *arguments)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL


def test_after_a_kill_at_any_change_the_store_works_and_the_next_pull_removes_what_was_left(
    card: Path, store: Store, mine: str, plugins: Plugins, assert_intact: Callable[..., None]
) -> None:
    # filelock makes the files of its locks in the first run. Every later run makes the same changes.
    assert run(["models", "pull", "4stems"], plugins) == 0
    shutil.rmtree(store.folder / "4stems")
    changes = count_changes(card, "models", "pull", "4stems")
    placed = next(i for i, line in enumerate(changes) if "os.rename" in line and "4stems.json" in line)
    cleaning = {i for i, line in enumerate(changes) if i > placed and "os.remove" in line}
    assert any(".downloads" in changes[i] for i in cleaning)
    points = {*range(0, len(changes), max(1, len(changes) // 7)), placed - 1, placed, *cleaning}
    for point in sorted(points):
        shutil.rmtree(store.folder / "4stems")
        kill_at(point, card, "models", "pull", "4stems")
        entries, faults = store.scan()
        assert faults == []
        # The archive is removed only when the model is there.
        assert {entry.name for entry in entries} == ({mine, "4stems"} if point > placed else {mine})
        assert run(["models", "verify"], plugins) == 0
        assert run(["models", "pull", "4stems"], plugins) == 0
        assert_intact(mine, "4stems")
        assert list((store.folder / ".downloads").iterdir()) == []


def test_the_archive_that_a_killed_pull_left_is_removed_by_a_task_on_any_model(
    card: Path, store: Store, narrow: Path, plugins: Plugins, assert_intact: Callable[..., None]
) -> None:
    assert run(["models", "pull", "4stems"], plugins) == 0
    shutil.rmtree(store.folder / "4stems")
    changes = count_changes(card, "models", "pull", "4stems")
    archive = store.folder / ".downloads" / "4stems.tar.gz"
    point = next(i for i, line in enumerate(changes) if "os.remove" in line and archive.name in line)
    shutil.rmtree(store.folder / "4stems")
    kill_at(point, card, "models", "pull", "4stems")
    assert [entry.name for entry in store.scan()[0]] == ["4stems"]
    assert archive.exists()
    # An archive that is needed, or that a task works on, stays.
    needed = archive.with_name("5stems.tar.gz")
    needed.write_bytes(b"a part of it")
    add = ["models", "add", str(narrow), "--name", "mine", "--config", str(narrow / "config.json")]
    with store.scratch("4stems", on_wait=lambda: None):
        assert run(add, plugins) == 0
        assert archive.exists()
    assert run([*add, "--overwrite"], plugins) == 0
    assert [path.name for path in needed.parent.iterdir()] == [needed.name]
    assert_intact("4stems", "mine")


def test_after_a_kill_while_removing_the_next_task_on_any_model_removes_the_rest(
    card: Path, store: Store, mine: str, narrow: Path, plugins: Plugins, assert_intact: Callable[..., None]
) -> None:
    add = ["models", "add", str(narrow), "--config", str(narrow / "config.json"), "--overwrite"]
    add_other = [*add, "--name", "other"]
    assert run(add_other, plugins) == 0
    n_models = []
    changes = count_changes(card, "models", "remove", "other")
    for point in range(len(changes)):
        assert run(add_other, plugins) == 0
        kill_at(point, card, "models", "remove", "other")
        entries, faults = store.scan()
        assert faults == []
        n_models.append(len(entries))
        assert run([*add, "--name", mine], plugins) == 0
        assert_intact(*(entry.name for entry in entries))
        folders = {path.name for path in store.folder.iterdir() if not path.name.startswith(".")}
        assert folders == {entry.name for entry in entries}
    assert n_models == sorted(n_models, reverse=True)
    assert set(n_models) == {1, 2}


def test_killed_while_replacing_the_old_or_the_new_model_is_there(
    card: Path, store: Store, mine: str, narrow: Path, plugins: Plugins
) -> None:
    (old,) = store.scan()[0]
    other = narrow.with_name("5stems-narrow")
    command = ["models", "add", str(other), "--name", mine, "--config", str(other / "config.json")]
    command.append("--overwrite")
    n_stems = []
    for point, change in enumerate(count_changes(card, *command)):
        if f"{mine}.onnx" not in change and f"{mine}.json" not in change and file_of(old).name not in change:
            continue
        shutil.rmtree(store.folder)
        again = ["models", "add", str(narrow), "--name", mine, "--config", str(narrow / "config.json")]
        assert run(again, plugins) == 0
        kill_at(point, card, *command)
        assert run(["models", "verify", mine], plugins) == 0
        (entry,) = store.scan()[0]
        n_stems.append(len(entry.stems))
        assert run(command, plugins) == 0
        assert len(list((store.folder / mine).iterdir())) == 2
    assert n_stems == sorted(n_stems)
    assert set(n_stems) == {4, 5}


def test_killed_while_downloading_goes_on_where_it_was(
    card: Path, server: ReleaseServer, archive: bytes, plugins: Plugins, assert_intact: Callable[..., None]
) -> None:
    server.faults = [Fault(stall_at=len(archive) // 2)]
    process = start(card, "run", "models", "pull", "4stems")
    assert server.stalled.wait(60)
    path = Path(os.environ["STEMDOCK_MODELS"]) / ".downloads" / "4stems.tar.gz"
    while not (path.exists() and path.stat().st_size > len(archive) // 3):
        assert process.poll() is None
    process.kill()
    process.communicate(timeout=60)
    n_bytes = path.stat().st_size
    assert run(["models", "pull", "4stems"], plugins) == 0
    assert server.requests[-1].range == f"bytes={n_bytes}-"
    assert_intact("4stems")


def test_two_at_once_give_one_good_model(
    card: Path, server: ReleaseServer, archive: bytes, assert_intact: Callable[..., None]
) -> None:
    server.faults = [Fault(stall_at=len(archive) // 2)]
    first = start(card, "run", "models", "pull", "4stems")
    assert server.stalled.wait(60)
    second = start(card, "run", "models", "pull", "4stems")
    assert second.stderr is not None
    assert "waiting for another Stemdock" in second.stderr.readline()
    server.release.set()
    outputs = [process.communicate(timeout=120) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], outputs
    assert outputs[0][0] == outputs[1][0] != ""
    assert len(server.requests) == 1
    assert_intact("4stems")


def test_removing_waits_for_a_pull_of_the_same_model(
    card: Path, server: ReleaseServer, archive: bytes, store: Store, assert_intact: Callable[..., None]
) -> None:
    server.faults = [Fault(stall_at=len(archive) // 2)]
    pull = start(card, "run", "models", "pull", "4stems")
    assert server.stalled.wait(60)
    remove = start(card, "run", "models", "remove", "4stems")
    assert remove.stderr is not None
    assert "waiting for another Stemdock" in remove.stderr.readline()
    server.release.set()
    outputs = [process.communicate(timeout=120) for process in (pull, remove)]
    assert [pull.returncode, remove.returncode] == [0, 0], outputs
    assert_intact()
    assert list((store.folder / ".downloads").iterdir()) == []


@pytest.mark.parametrize("n_bytes", [100_000, 360_000])
def test_no_room_for_a_file(
    card: Path, store: Store, plugins: Plugins, mine: str, assert_intact: Callable[..., None], n_bytes: int
) -> None:
    """A limit on the size of files: the archive has 348 kB, the checkpoint 369 kB."""
    process = start(card, f"limit:{n_bytes}", "models", "pull", "4stems")
    out, message = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    last = message.splitlines()[-1]
    assert last.startswith(f"error: {store.folder}")
    assert "no space left" in last
    assert "STEMDOCK_MODELS" in last
    assert_intact(mine)
    assert run(["models", "pull", "4stems"], plugins) == 0
    assert_intact(mine, "4stems")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a file system of some size, or gives the mounted one another size."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(size: str) -> Path:
        mounted = folder.is_mount()
        options = f"remount,size={size}" if mounted else f"size={size}"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "stemdock-test", folder], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip(f"no right to mount a file system: {done.stderr.decode().strip()}")
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("size", ["200k", "600k", "1000k"])
def test_a_full_disk(
    fetcher: Fetcher, small_disk: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, size: str
) -> None:
    """Full while downloading, unpacking, and converting."""
    store = Store(small_disk(size) / "models")
    monkeypatch.setattr(Store, "require_space", lambda *_: None)
    full = replace(fetcher, store=store)
    with pytest.raises(DiskFullError) as caught:
        full.fetch([fetcher.release.models["4stems"]])
    assert "no space left" in str(caught.value)
    assert "Free some" in caught.value.remedy
    assert store.scan() == ([], [])
    small_disk("20m")
    (entry,) = full.fetch([fetcher.release.models["4stems"]])
    assert store.scan() == ([entry], [])


def test_a_disk_that_is_too_small_is_reported_before_downloading(
    fetcher: Fetcher, server: ReleaseServer, small_disk: Callable[[str], Path]
) -> None:
    store = Store(small_disk("20m") / "models")
    with pytest.raises(DiskFullError, match=r"installing needs \d+ MB of free space, the disk has 21 MB"):
        replace(fetcher, store=store).fetch([fetcher.release.models["4stems"]])
    assert not (store.folder / ".downloads" / "4stems.tar.gz").exists()
    assert store.scan() == ([], [])
    assert len(server.requests) == 1
