"""What the store keeps is changed by its user only, and nothing behind a link is changed at all."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from stemdock.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock import Plugins
    from stemdock_models.store import Store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="no permissions, and links need a privilege"),
]


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Files get all permissions that are not in the mask."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def written_by_others(folder: Path) -> list[Path]:
    return [path for path in (folder, *folder.rglob("*")) if stat.S_IMODE(path.stat().st_mode) & 0o022]


def test_nobody_else_may_write_into_the_store(plugins: Plugins, store: Store) -> None:
    with umask(0):
        assert run(["models", "pull", "4stems"], plugins) == 0
    assert (store.folder / "4stems").is_dir()
    assert written_by_others(store.folder) == []


def test_scratch_folders_are_closed_to_others(store: Store) -> None:
    with umask(0), store.scratch("key", on_wait=lambda: None) as folder:
        assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)] == [0o700] * 2
        assert written_by_others(store.folder) == []


def test_downloads_are_closed_to_others(
    plugins: Plugins, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is left there after a conversion that failed.
    monkeypatch.setattr("stemdock_models.fetching.remove_download", lambda _: None)
    with umask(0):
        assert run(["models", "pull", "4stems"], plugins) == 0
    assert stat.S_IMODE((store.folder / ".downloads").stat().st_mode) == 0o700


def test_a_description_that_others_could_write_is_closed(plugins: Plugins, store: Store) -> None:
    assert run(["models", "pull", "4stems"], plugins) == 0
    (store.folder / "4stems" / "model.json").chmod(0o666)
    for path in (store.folder / "4stems").glob("*.onnx"):
        path.write_bytes(b"damaged")
    assert run(["models", "pull", "4stems"], plugins) == 0
    assert written_by_others(store.folder) == []


def test_nothing_behind_a_link_is_changed(
    plugins: Plugins, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "0123456789abcdef.onnx").write_text("mine")
    store.folder.mkdir(parents=True)
    (store.folder / "4stems").symlink_to(elsewhere)
    assert run(["models", "pull", "4stems"], plugins) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert f"{store.folder / '4stems'}: is a link" in error
    assert "Remove the link" in error
    assert [path.name for path in elsewhere.iterdir()] == ["0123456789abcdef.onnx"]
    (store.folder / "4stems").unlink()
    (store.folder / "other").symlink_to(elsewhere)
    assert run(["models", "pull", "4stems"], plugins) == 0
    assert [path.name for path in elsewhere.iterdir()] == ["0123456789abcdef.onnx"]
