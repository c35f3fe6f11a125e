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

from release_server import Fault
from stemdock.cli.main import run
from stemdock_models.errors import DiskFullError
from stemdock_models.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from release_server import ReleaseServer
    from stemdock import Plugins
    from stemdock_models.hub import Hub

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


def test_killed_at_any_change_the_store_works_and_the_next_pull_ends_well(
    card: Path, store: Store, mine: str, plugins: Plugins, assert_intact: Callable[..., None]
) -> None:
    counting = start(card, "count", "models", "pull", "4stems")
    _, told = counting.communicate(timeout=120)
    assert counting.returncode == 0, told
    changes = [line for line in told.splitlines() if line.startswith("change ")]
    placed = next(i for i, line in enumerate(changes) if "os.rename" in line and "4stems.json" in line)
    points = {*range(0, len(changes), max(1, len(changes) // 7)), placed - 1, placed, placed + 1}
    for point in sorted(points):
        shutil.rmtree(store.folder / "4stems")
        process = start(card, f"kill:{point}", "models", "pull", "4stems")
        process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL
        entries, faults = store.scan()
        assert faults == []
        assert {entry.name for entry in entries} in ({mine}, {mine, "4stems"})
        assert run(["models", "verify"], plugins) == 0
        assert run(["models", "pull", "4stems"], plugins) == 0
        assert_intact(mine, "4stems")


def test_killed_while_replacing_the_old_or_the_new_model_is_there(
    card: Path, store: Store, mine: str, narrow: Path, plugins: Plugins
) -> None:
    (old,) = store.scan()[0]
    other = narrow.with_name("5stems-narrow")
    command = ["models", "add", str(other), "--name", mine, "--config", str(other / "config.json")]
    command.append("--overwrite")
    counting = start(card, "count", *command)
    _, told = counting.communicate(timeout=120)
    changes = [line for line in told.splitlines() if line.startswith("change ")]
    n_stems = []
    for point, change in enumerate(changes):
        if f"{mine}.onnx" not in change and f"{mine}.json" not in change and old.path.name not in change:
            continue
        shutil.rmtree(store.folder)
        again = ["models", "add", str(narrow), "--name", mine, "--config", str(narrow / "config.json")]
        assert run(again, plugins) == 0
        process = start(card, f"kill:{point}", *command)
        process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL
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
    hub: Hub, small_disk: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, size: str
) -> None:
    """Full while downloading, unpacking, and converting."""
    store = Store(small_disk(size) / "models")
    monkeypatch.setattr(Store, "require_space", lambda *_: None)
    full = replace(hub, store=store)
    with pytest.raises(DiskFullError) as caught:
        full.fetch([hub.release.models["4stems"]])
    assert "no space left" in str(caught.value)
    assert "Free some" in caught.value.remedy
    assert store.scan() == ([], [])
    small_disk("20m")
    (entry,) = full.fetch([hub.release.models["4stems"]])
    assert store.scan() == ([entry], [])


def test_a_disk_that_is_too_small_is_told_before_downloading(
    hub: Hub, server: ReleaseServer, small_disk: Callable[[str], Path]
) -> None:
    store = Store(small_disk("20m") / "models")
    with pytest.raises(DiskFullError, match="MB are needed there for a while, its disk has 21 MB"):
        replace(hub, store=store).fetch([hub.release.models["4stems"]])
    assert not (store.folder / ".downloads" / "4stems.tar.gz").exists()
    assert store.scan() == ([], [])
    assert len(server.requests) == 1
