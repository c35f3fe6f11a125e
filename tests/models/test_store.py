"""Models that are missing, damaged or contradict their card are refused, with a remedy."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stemdock import OnnxSession, Separator, locked
from stemdock.cli.main import run
from stemdock.errors import (
    CancelledError,
    ModelContractError,
    ModelDamagedError,
    ModelNotFoundError,
    ModelNotInstalledError,
)
from stemdock_models.store import default_store
from support.small_model import file_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock import ModelEntry, Plugins
    from stemdock_models.fetching import Fetcher
    from stemdock_models.store import Store

pytestmark = pytest.mark.slow


@pytest.fixture
def pulled(plugins: Plugins, store: Store, capsys: pytest.CaptureFixture[str]) -> ModelEntry:
    assert run(["models", "pull", "4stems"], plugins) == 0
    capsys.readouterr()
    (entry,) = store.scan()[0]
    return entry


def change_description(entry: ModelEntry, change: Callable[[dict[str, Any]], None]) -> None:
    path = file_of(entry).with_name("model.json")
    description = json.loads(path.read_text())
    change(description)
    path.write_text(json.dumps(description))


@pytest.mark.parametrize("task", ["publish", "remove"])
def test_nobody_writes_while_another_process_does(
    pulled: ModelEntry, store: Store, task: str, assert_intact: Callable[..., None], tmp_path: Path
) -> None:
    card = OnnxSession(file_of(pulled)).card
    model = Path(shutil.copy(file_of(pulled), tmp_path / "model.onnx"))
    work: Callable[[], object] = (
        partial(store.publish, model, card, pulled.sha256, "elsewhere", on_wait=cancel)
        if task == "publish"
        else partial(store.remove, "4stems", on_wait=cancel)
    )
    with locked(store._lock, on_wait=pytest.fail), pytest.raises(CancelledError):
        work()
    assert model.exists()
    assert_intact("4stems")


def cancel() -> None:
    raise CancelledError


@pytest.mark.parametrize("harm", ["truncated", "altered", "gone"])
def test_a_damaged_file_is_refused_until_it_is_pulled_again(
    plugins: Plugins,
    pulled: ModelEntry,
    harm: str,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = file_of(pulled).read_bytes()
    half = len(content) // 2
    if harm == "gone":
        file_of(pulled).unlink()
    else:
        file_of(pulled).write_bytes(
            content[:half] + (b"" if harm == "truncated" else b"?" + content[half + 1 :])
        )
    with pytest.raises(ModelDamagedError) as caught:
        Separator("4stems", plugins=plugins)
    assert caught.value.remedy == "Download it again with: plugin-cli models pull 4stems"
    for command in (["verify"], ["verify", "4stems"], ["path", "4stems"]):
        assert run(["models", *command], plugins) == 1
        assert "models pull 4stems" in capsys.readouterr().err
    assert run(["models", "pull", "4stems"], plugins) == 0
    assert_intact("4stems")


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values["card"].update(stems=["vocals", "bass", "drums", "other"]),
        lambda values: values["card"].update(separation_exponent=1.0),
        lambda values: values["card"].update(mask_extension="average"),
    ],
)
def test_a_description_that_contradicts_the_model_is_refused(
    plugins: Plugins, pulled: ModelEntry, change: Callable[[dict[str, Any]], None]
) -> None:
    change_description(pulled, change)
    with pytest.raises(ModelContractError, match="differs from that of its entry") as caught:
        Separator("4stems", plugins=plugins)
    assert "models pull 4stems" in caught.value.remedy


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.pop("sha256"),
        lambda values: values["card"].update(name="5stems"),
        lambda values: values["card"].update(card_version=99),
        lambda values: values["card"].update(n_bins=1000),
        lambda values: values.update(file="../other.onnx"),
        lambda values: values.update(card=[]),
    ],
)
def test_an_unusable_description_is_a_fault_of_that_model_alone(
    plugins: Plugins,
    pulled: ModelEntry,
    narrow: Path,
    change: Callable[[dict[str, Any]], None],
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = str(narrow / "config.json")
    assert run(["models", "add", str(narrow), "--name", "mine", "--config", config], plugins) == 0
    change_description(pulled, change)
    capsys.readouterr()
    with pytest.raises(ModelNotInstalledError):
        Separator("4stems", plugins=plugins)
    assert Separator("mine", plugins=plugins).model == "mine"
    assert run(["models", "verify"], plugins) == 1
    captured = capsys.readouterr()
    assert "mine: ok" in captured.out
    assert "plugin-cli models remove 4stems" in captured.err
    assert run(["doctor"], plugins) == 1
    lines = capsys.readouterr().out.splitlines()
    (line,) = (line for line in lines if line.startswith("failure"))
    assert line.startswith("failure model 4stems: ")
    assert "Remove it with plugin-cli models remove 4stems" in line
    assert any(line.startswith("ok      model mine: ") for line in lines)
    assert run(["models", "list"], plugins) == 0
    assert "damaged" in capsys.readouterr().out
    assert run(["models", "remove", "4stems"], plugins) == 0
    assert_intact("mine")


@pytest.mark.parametrize("text", ["[]", "[" * 100_000])
def test_an_unusable_description_does_not_stop_a_pull_from_the_same_archive(
    plugins: Plugins, pulled: ModelEntry, text: str
) -> None:
    file_of(pulled).with_name("model.json").write_text(text)
    assert run(["models", "pull", "4stems-16kHz"], plugins) == 0


def test_the_store_of_an_unfinished_model_is_none(plugins: Plugins, pulled: ModelEntry) -> None:
    file_of(pulled).with_name("model.json").unlink()
    with pytest.raises(ModelNotInstalledError):
        Separator("4stems", plugins=plugins)
    assert run(["models", "pull", "4stems"], plugins) == 0
    assert Separator("4stems", plugins=plugins).model == "4stems"


def test_a_file_in_place_of_the_folder_takes_no_embedded_model_away(
    plugins: Plugins, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.folder.write_text("")
    assert [entry.name for entry in plugins.models()] == ["2stems"]
    assert run(["models", "pull", "4stems"], plugins) == 1
    assert f"error: {store.folder}" in capsys.readouterr().err
    assert run(["models", "verify"], plugins) == 1
    assert "Check its permissions" in capsys.readouterr().err


def test_removing(
    plugins: Plugins, store: Store, pulled: ModelEntry, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = store.download_path("4stems.tar.gz")
    begun.parent.mkdir(exist_ok=True)
    begun.write_bytes(b"begun")
    assert run(["models", "remove", "4stems"], plugins) == 0
    assert not file_of(pulled).parent.exists()
    assert not begun.exists()
    for name, remedy in (
        ("4stems", "4stems: is not installed. List all models with: plugin-cli models list\n"),
        ("6stems", "6stems: no such model. List all models with: plugin-cli models list\n"),
        ("2stems", "Uninstall that package"),
        ("../models", "Choose a name"),
    ):
        assert run(["models", "remove", name], plugins) == 1
        assert remedy in capsys.readouterr().err


def leave_download(store: Store) -> list[Path]:
    """Files as a pull leaves them that is killed before it removes them."""
    archive = store.download_path("4stems.tar.gz")
    archive.parent.mkdir(exist_ok=True)
    left = [archive, archive.with_name("4stems.tar.gz.json")]
    for path in left:
        path.write_bytes(b"{}")
    return left


@pytest.mark.parametrize("command", ["pull 4stems", "pull 4stems-16kHz", "add", "remove 4stems"])
def test_every_command_on_a_model_removes_what_is_left_of_its_download(
    plugins: Plugins, store: Store, pulled: ModelEntry, narrow: Path, command: str
) -> None:
    left = leave_download(store)
    arguments = command.split()
    if command == "add":
        arguments += [str(narrow), "--name", pulled.name, "--overwrite"]
    assert run(["models", *arguments], plugins) == 0
    assert [path for path in left if path.exists()] == []


def test_a_model_of_ones_own_leaves_the_download_of_a_released_one_alone(
    plugins: Plugins, store: Store, pulled: ModelEntry, narrow: Path
) -> None:
    left = leave_download(store)
    command = ["models", "add", str(narrow), "--name", "mine", "--config", str(narrow / "config.json")]
    assert run(command, plugins) == 0
    assert run(["models", "remove", "mine"], plugins) == 0
    assert all(path.exists() for path in [*left, file_of(pulled)])


def test_every_task_removes_model_files_that_no_description_names_and_nothing_else(
    plugins: Plugins, store: Store, pulled: ModelEntry, narrow: Path
) -> None:
    replaced = file_of(pulled).with_name("0123456789abcdef.onnx")
    removed = store.folder / "removed" / "0123456789abcdef.onnx"
    damaged = store.folder / "damaged" / "0123456789abcdef.onnx"
    foreign = [
        store.folder / "notes.txt",
        store.folder / "photos" / "mine.jpg",
        file_of(pulled).with_name("notes"),
    ]
    for path in (replaced, removed, damaged, damaged.with_name("model.json"), *foreign):
        path.parent.mkdir(exist_ok=True)
        path.write_text("?")
    command = ["models", "add", str(narrow), "--name", "mine", "--config", str(narrow / "config.json")]
    assert run(command, plugins) == 0
    assert not replaced.exists()
    assert not removed.parent.exists()
    assert all(path.exists() for path in (file_of(pulled), damaged, *foreign))


def test_a_folder_that_is_not_a_model_is_not_removed(
    plugins: Plugins, pulled: ModelEntry, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = file_of(pulled).parents[1] / "photos" / "mine.jpg"
    photo.parent.mkdir()
    photo.write_text("?")
    assert run(["models", "remove", "photos"], plugins) == 1
    assert "photos: no such model. Choose one of 4stems.\n" in capsys.readouterr().err
    assert photo.exists()


def test_an_installed_model_counts_before_the_embedded_one(plugins: Plugins, pulled: ModelEntry) -> None:
    embedded = Separator("2stems", plugins=plugins).entry
    command = ["models", "add", str(pulled.path), "--name", "2stems"]
    assert run(command, plugins) == 1
    assert run([*command, "--overwrite"], plugins) == 0
    assert Separator("2stems", plugins=plugins).stems == ("vocals", "drums", "bass", "other")
    assert run(["models", "remove", "2stems"], plugins) == 0
    assert Separator("2stems", plugins=plugins).entry == embedded


def test_the_platforms_folder_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STEMDOCK_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert default_store().folder.name == "models"
    assert "stemdock" in default_store().folder.parts
    assert default_store().scan() == ([], [])


@pytest.mark.parametrize("left", ["nothing", ".probe only", "no data", "no index"])
def test_absent_weights_never_become_a_model(
    plugins: Plugins,
    narrow: Path,
    tmp_path: Path,
    left: str,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Spleeter takes such a folder for a downloaded model, and gives the mixture for every stem."""
    folder = tmp_path / "4stems"
    shutil.copytree(narrow, folder)
    for path in folder.iterdir():
        keep = {"no data": ".data-" not in path.name, "no index": path.suffix != ".index"}.get(left, False)
        if not keep:
            path.unlink()
    if left == ".probe only":
        (folder / ".probe").write_text("OK")
    assert run(["models", "add", str(folder)], plugins) == 1
    assert "Unpack" in capsys.readouterr().err or left == "nothing"
    assert_intact()
    with pytest.raises(ModelNotInstalledError):
        Separator("4stems", plugins=plugins)


def test_an_empty_model_folder_is_no_model(plugins: Plugins, store: Store) -> None:
    (store.folder / "4stems").mkdir(parents=True)
    (store.folder / "mine").mkdir()
    with pytest.raises(ModelNotInstalledError):
        Separator("4stems", plugins=plugins)
    with pytest.raises(ModelNotFoundError):
        Separator("mine", plugins=plugins)


def test_pulling_what_is_embedded_installs_it_all_the_same(fetcher: Fetcher, plugins: Plugins) -> None:
    """The embedded model has its weights in 16 bits; who pulls it wants all of them."""
    released = replace(fetcher.release.models["4stems"], name="2stems")
    release = replace(fetcher.release, models={"2stems": released})
    (entry,) = replace(fetcher, release=release).fetch([released])
    assert [each.path for each in plugins.models() if each.name == "2stems"] == [entry.path]


def test_a_model_is_found_by_its_name_if_its_file_is_whole(store: Store, pulled: ModelEntry) -> None:
    assert pulled.path is not None
    assert store.find(pulled.name) == pulled
    assert store.find(f"{pulled.name}-16kHz") is None
    content = pulled.path.read_bytes()
    pulled.path.write_bytes(content[:-1])
    assert store.find(pulled.name) is None
