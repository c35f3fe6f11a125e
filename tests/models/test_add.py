"""A model of one's own becomes a name that every host offers, by one command."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemdock import ModelEntry, Plugins, Separator, hookimpl, load_plugins
from stemdock.card import card_to_metadata
from stemdock.cli.main import run
from stemdock_models.errors import ModelNameError
from stemdock_models.names import check_free, check_name
from support.small_model import file_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock_models.store import Store
    from support.release_server import ReleaseServer

pytestmark = pytest.mark.slow


@pytest.fixture
def config(narrow: Path) -> str:
    return str(narrow / "config.json")


@pytest.fixture
def add(plugins: Plugins) -> Callable[..., int]:
    def run_add(*arguments: object) -> int:
        return run(["models", "add", *map(str, arguments)], plugins)

    return run_add


def test_a_checkpoint_and_its_json_become_a_model_of_every_host(
    add: Callable[..., int],
    plugins: Plugins,
    narrow: Path,
    config: str,
    server: ReleaseServer,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert add(narrow, "--name", "my-band", "--config", config) == 0
    capsys.readouterr()
    assert_intact("my-band")
    assert "my-band" in {entry.name for entry in load_plugins().models()}
    assert Separator("my-band").stems == ("vocals", "drums", "bass", "other")
    assert run(["models", "list", "--json"], plugins) == 0
    (row,) = (row for row in json.loads(capsys.readouterr().out) if row["name"] == "my-band")
    assert row["installed"] is True
    assert row["source"] == str(narrow)
    assert row["licence"] == "unknown"
    assert server.requests == []


def test_the_name_is_that_of_the_folder_the_archive_or_the_model(
    add: Callable[..., int],
    narrow: Path,
    archive: bytes,
    config: str,
    tmp_path: Path,
    store: Store,
    assert_intact: Callable[..., None],
) -> None:
    packed = tmp_path / "packed.tar.gz"
    packed.write_bytes(archive)
    assert add(narrow, "--config", config) == 0
    assert add(packed, "--config", config) == 0
    finished = tmp_path / "finished.onnx"
    shutil.copyfile(file_of(store.scan()[0][0]), finished)
    assert add(finished) == 1  # the card inside says 4stems-narrow, which is there
    assert add(finished, "--name", "renamed") == 0
    assert_intact("4stems-narrow", "packed", "renamed")
    (renamed,) = (entry for entry in store.scan()[0] if entry.name == "renamed")
    metadata = {each.key: each.value for each in onnx.load(renamed.path).metadata_props}
    assert metadata == card_to_metadata(renamed.card) if renamed.card else None


def test_without_a_configuration_only_released_names_will_do(
    add: Callable[..., int],
    narrow: Path,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert add(narrow) == 1
    assert "--config FILE.json" in capsys.readouterr().err
    assert_intact()
    assert add(narrow, "--name", "4stems-16kHz") == 0
    assert_intact("4stems-16kHz")


@pytest.mark.skipif(sys.platform == "win32", reason="files without content need a privilege")
@pytest.mark.timeout(60)
def test_a_file_that_no_model_can_be_is_not_copied(
    add: Callable[..., int], tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert add(path) == 1
    assert "is larger than a model can be" in capsys.readouterr().err
    assert list(store.folder.rglob("*.onnx")) == []


def test_a_wrong_configuration_is_refused(
    add: Callable[..., int],
    narrow: Path,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    for wrong in ("spleeter:4stems", str(narrow.with_name("5stems-narrow") / "config.json"), "nothing.json"):
        assert add(narrow, "--name", "mine", "--config", wrong) == 1
        assert "onfiguration" in capsys.readouterr().err
    assert_intact()


def test_a_released_archive_must_be_the_pinned_one(
    add: Callable[..., int],
    archive: bytes,
    tmp_path: Path,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    by_hand = tmp_path / "4stems.tar.gz"
    by_hand.write_bytes(archive + b"\0")
    assert add(by_hand) == 1
    message = capsys.readouterr().err
    assert "is not the released 4stems.tar.gz" in message
    assert "Download it again" in message
    assert_intact()
    by_hand.write_bytes(archive)
    assert add(by_hand) == 0
    assert add(by_hand, "--name", "4stems-16kHz") == 1
    assert "a model of this name already exists" in capsys.readouterr().err
    assert add(by_hand, "--name", "4stems-finetune") == 0
    assert "is used without a check" in capsys.readouterr().err
    assert_intact("4stems", "4stems-finetune")


def test_a_taken_name_is_refused_unless_overwritten(
    add: Callable[..., int],
    narrow: Path,
    config: str,
    store: Store,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = narrow.with_name("5stems-narrow")
    assert add(narrow, "--name", "mine", "--config", config) == 0
    for name in ("mine", "Mine", "2stems", "4STEMS"):
        assert add(other, "--name", name, "--config", other / "config.json") == 1
        assert "(--name)" in capsys.readouterr().err
    assert_intact("mine")
    assert add(other, "--name", "mine", "--config", other / "config.json", "--overwrite") == 0
    assert_intact("mine")
    assert store.scan()[0][0].stems == ("vocals", "piano", "drums", "bass", "other")


class OtherPackage:
    @hookimpl
    def stemdock_models(self) -> list[ModelEntry]:
        entry = ModelEntry(
            name="hpss", stems=("a", "b"), sample_rate=44100, version="1", source="stemdock-hpss"
        )
        return [entry]


@pytest.mark.parametrize("options", [(), ("--overwrite",)])
def test_the_model_of_another_package_is_not_replaced(
    add: Callable[..., int],
    plugins: Plugins,
    narrow: Path,
    config: str,
    options: tuple[str, ...],
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    plugins.register(OtherPackage(), "hpss")
    assert add(narrow, "--name", "hpss", "--config", config, *options) == 1
    message = "hpss: belongs to the package stemdock-hpss. Choose another name (--name)."
    assert message in capsys.readouterr().err
    assert_intact()


def test_an_embedded_model_may_be_replaced(
    add: Callable[..., int], narrow: Path, config: str, plugins: Plugins, store: Store
) -> None:
    assert add(narrow, "--name", "2stems", "--config", config, "--overwrite") == 0
    (entry,) = (entry for entry in plugins.models() if entry.name == "2stems")
    assert entry == store.scan()[0][0]


@pytest.mark.parametrize(
    "name", ["../mine", "a/b", "a\\b", ".hidden", "mine.", "CON", "nul.x", "a b", "a:b", "é", "x" * 65, "-x"]
)
def test_names_that_some_file_system_would_not_take(
    add: Callable[..., int],
    narrow: Path,
    config: str,
    name: str,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert add(narrow, f"--name={name}", "--config", config) == 1
    assert "is not a valid model name" in capsys.readouterr().err
    assert_intact()


@given(name=st.text(max_size=8) | st.from_regex(r"[\w./+-]{1,8}", fullmatch=True))
def test_a_legal_name_is_one_harmless_part_of_a_path(name: str) -> None:
    try:
        check_name(name)
    except ModelNameError:
        return
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>| \n')
    assert not name.startswith(".")
    assert not name.endswith(".")
    check_free(name, [], [name], overwrite=False)
    with pytest.raises(ModelNameError):
        check_free(name, [name], [], overwrite=False)


def test_a_model_file_takes_no_configuration(
    add: Callable[..., int], tmp_path: Path, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(tmp_path / "m.onnx", "--config", config) == 2
    assert "--config is only for checkpoints" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_pipe_is_not_taken_for_the_folder_of_a_checkpoint(
    add: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert add(tmp_path / "pipe", "--name", "mine") == 1
    assert "pipe: is neither an archive nor an .onnx model. Choose" in capsys.readouterr().err


def test_the_type_of_a_file_is_checked_before_its_configuration(
    add: Callable[..., int],
    archive: bytes,
    config: str,
    tmp_path: Path,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "t.txt"
    path.write_text("hello")
    for options in ((), ("--name", "mine", "--config", config)):
        assert add(path, *options) == 1
        assert "t.txt: is neither an archive nor an .onnx model. Choose" in capsys.readouterr().err
    path.write_bytes(archive)
    assert add(path, "--name", "mine", "--config", config) == 0
    assert_intact("mine")


@pytest.mark.parametrize("kind", ["nothing", "no card", "no model"])
def test_what_is_no_model_of_ours_is_refused(
    add: Callable[..., int],
    tmp_path: Path,
    kind: str,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "m.onnx"
    if kind == "no model":
        path.write_bytes(b"no model")
    if kind == "no card":
        value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
        graph = onnx.helper.make_graph([], "empty", [value], [value])
        onnx.save(onnx.helper.make_model(graph, ir_version=9), path)
    assert add(path, "--name", "mine") == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: ")
    assert_intact()
