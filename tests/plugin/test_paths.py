"""Every public function that takes a path takes it as a string and as any path object, too."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import stemdock
from support.small_model import small_card, write_identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock.lib.arguments import StrPath


class PathLike:
    """A path of another library."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return self._path


Form = type[str] | type[PathLike] | type[Path]


@pytest.fixture(params=[str, PathLike, Path])
def form(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Form:
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"content")
    Path("other").write_bytes(b"content")
    form: Form = request.param
    return form


def test_files_are_written(form: Form) -> None:
    with stemdock.atomic_file(form("new"), part=form(".part")) as staged:
        assert staged == Path(".part")
        staged.write_text("new")
    stemdock.write_atomically(form("written"), b"new", durable=True, part=form(".part"))
    stemdock.move_all_to_place({form("new"): form("moved")}, durable=True)
    assert [Path(name).read_text("utf-8") for name in ("written", "moved")] == ["new", "new"]
    stemdock.flush_folder(form("."))


def test_hashes(form: Form) -> None:
    assert stemdock.file_sha256(form("file")) == sha256(b"content").hexdigest()
    assert stemdock.files_sha256([form("file"), form("other")]) == sha256(b"contentcontent").hexdigest()


@pytest.mark.parametrize(
    "make", [stemdock.make_folder, stemdock.make_own_folder, stemdock.make_private_folder]
)
def test_folders_are_made(make: Callable[[StrPath], None], form: Form) -> None:
    make(form(os.path.join("a", "b")))  # noqa: PTH118  a text on purpose
    assert Path("a", "b").is_dir()


def test_permissions(form: Form) -> None:
    stemdock.make_private_folder(form("private"))
    assert stemdock.is_private_folder(form("private"))
    stemdock.deny_others_writing(form("file"))
    assert stemdock.is_private_file(form("file"))


def test_locks(form: Form) -> None:
    with stemdock.locked(form("lock")) as held:
        assert held
    with stemdock.try_locked(form("lock")) as held:
        assert held


def test_hidden_folders(form: Form) -> None:
    with stemdock.staging(form("out")) as hidden:
        assert hidden.parent == Path("out")
    stemdock.remove_abandoned(form("out"))


def test_models(form: Form) -> None:
    write_identity(Path("model.onnx"), small_card())
    plugins = stemdock.Plugins()
    path = form("model.onnx")
    assert stemdock.plain_name(path) == "model.onnx"
    entry = stemdock.find_entry(path, plugins)
    stemdock.verify_model(entry)
    assert stemdock.open_model(path, plugins).entry == entry
    assert stemdock.OnnxSession(path).card == small_card()
    given = stemdock.ModelEntry.from_card(small_card(), path=path, sha256=entry.sha256)
    assert given.path == Path("model.onnx")
    values = {"name": "m", "stems": ("low",), "sample_rate": 8000, "sha256": "0"}
    assert stemdock.ModelEntry(**values, path=path).path == Path("model.onnx")  # type: ignore[arg-type]


def test_errors(form: Form) -> None:
    path = form("x")
    errors = (
        stemdock.AudioFileError(path, "is damaged", remedy=""),
        stemdock.AudioFileNotFoundError(path),
        stemdock.OutputError(path, "is full", remedy=""),
        stemdock.OutputExistsError(path),
        stemdock.OutputConflictError(path, form("song")),
    )
    assert {error.path for error in errors} == {Path("x")}
    assert all(str(error).startswith("x: ") for error in errors)
    assert errors[-1].source == Path("song")
    assert str(errors[-1]).endswith("two stems of song")
