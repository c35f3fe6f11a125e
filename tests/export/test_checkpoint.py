from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from stemdock_export.checkpoint import find_checkpoint, read_variables
from stemdock_export.config import load_config
from stemdock_export.errors import CheckpointError, ExtraMissingError, VariableError
from stemdock_export.unet import describe_network

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from stemdock_export.config import SpleeterConfig


@pytest.fixture
def folder(data: Path, tmp_path: Path) -> Path:
    return shutil.copytree(data / "checkpoints" / "4stems-narrow", tmp_path / "4stems")


def test_a_released_folder(folder: Path) -> None:
    checkpoint = find_checkpoint(folder)
    assert checkpoint.prefix == folder / "model"
    assert checkpoint.data == (folder / "model.data-00000-of-00001",)
    assert checkpoint.sha256() == hashlib.sha256(checkpoint.data[0].read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "path", ["/home/someone/4stems/step-300", "C:\\\\models\\\\4stems\\\\step-300", "step-300", "./step-300"]
)
def test_the_latest_checkpoint_is_found_even_if_the_folder_was_moved(folder: Path, path: str) -> None:
    for file in list(folder.glob("model.*")):
        shutil.copy(file, folder / file.name.replace("model", "step-300"))
    (folder / "checkpoint").write_text(
        f'model_checkpoint_path: "{path}"\nall_model_checkpoint_paths: "model"\n', encoding="utf-8"
    )
    assert find_checkpoint(folder).prefix == folder / "step-300"


def test_a_single_checkpoint_needs_no_state_file(folder: Path) -> None:
    (folder / "checkpoint").unlink()
    assert find_checkpoint(folder).prefix == folder / "model"


def test_several_checkpoints_need_a_state_file(folder: Path) -> None:
    shutil.copy(folder / "model.index", folder / "other.index")
    (folder / "checkpoint").unlink()
    with pytest.raises(CheckpointError, match=r"contains several checkpoints \(model, other\)"):
        find_checkpoint(folder)


def test_shards_are_hashed_one_after_the_other(folder: Path) -> None:
    whole = folder / "model.data-00000-of-00001"
    content = whole.read_bytes()
    (folder / "model.data-00000-of-00002").write_bytes(content[:1000])
    (folder / "model.data-00001-of-00002").write_bytes(content[1000:])
    whole.unlink()
    checkpoint = find_checkpoint(folder)
    assert len(checkpoint.data) == 2
    assert checkpoint.sha256() == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("lost", ["model.index", "model.data-00000-of-00001"])
def test_a_lost_file_is_named(folder: Path, lost: str) -> None:
    (folder / lost).unlink()
    with pytest.raises(CheckpointError, match="file not found") as caught:
        find_checkpoint(folder)
    assert caught.value.path == folder / lost


def test_a_lost_shard_is_named(folder: Path) -> None:
    (folder / "model.data-00000-of-00001").rename(folder / "model.data-00001-of-00002")
    with pytest.raises(CheckpointError) as caught:
        find_checkpoint(folder)
    assert caught.value.path == folder / "model.data-00000-of-00002"


def test_a_folder_without_a_checkpoint_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="folder not found"):
        find_checkpoint(tmp_path / "missing")
    with pytest.raises(CheckpointError, match="is not a folder"):
        find_checkpoint(folder / "model.index")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match="contains no checkpoint"):
        find_checkpoint(tmp_path / "empty")
    (folder / "checkpoint").write_text("nothing of the kind", encoding="utf-8")
    with pytest.raises(CheckpointError, match="does not name a checkpoint"):
        find_checkpoint(folder)


def test_without_tensorflow_the_remedy_is_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorflow", None)
    network = describe_network(load_config(str(folder / "config.json")))
    with pytest.raises(ExtraMissingError, match="tensorflow") as caught:
        read_variables(find_checkpoint(folder), network)
    assert "stemdock[export]" in caught.value.remedy


@pytest.mark.export
def test_every_variable_is_read(
    small_checkpoint: Path, small_config: SpleeterConfig, make_values: Callable[..., Mapping[str, Any]]
) -> None:
    values = read_variables(find_checkpoint(small_checkpoint), describe_network(small_config))
    expected = make_values(small_config)
    assert values.keys() == expected.keys()
    assert all(np.array_equal(values[name], expected[name]) for name in expected)


@pytest.mark.export
def test_counters_and_optimizer_slots_are_ignored(
    small_config: SpleeterConfig,
    make_values: Callable[..., Mapping[str, Any]],
    write_checkpoint: Callable[[Path, Mapping[str, Any]], Path],
    tmp_path: Path,
) -> None:
    values = make_values(small_config)
    slots = {"conv2d/kernel/Adam": values["conv2d/kernel"], "beta1_power": np.float32(0.9), "global_step": 7}
    checkpoint = find_checkpoint(write_checkpoint(tmp_path, {**values, **slots}))
    assert read_variables(checkpoint, describe_network(small_config)).keys() == values.keys()


@pytest.mark.export
@pytest.mark.parametrize(
    ("config", "name", "expected", "found"),
    [
        ("5stems", "conv2d/kernel", (5, 5, 2, 16), [5, 5, 2, 4]),
        ("5stems-narrow", "conv2d_28/kernel", (5, 5, 2, 4), None),
        ("2stems-narrow", "batch_normalization_24/beta", None, [4]),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused_by_the_first_variable(
    folder: Path, config: str, name: str, expected: tuple[int, ...] | None, found: list[int] | None
) -> None:
    count, _, narrow = config.partition("-")
    text = (folder / "config.json").read_text(encoding="utf-8")
    if narrow:
        stems = str(list(load_config(count).stems)).replace("'", '"')
        head, _, rest = text.partition('"instrument_list": [')
        text = f'{head}"instrument_list": {stems}{rest.partition("]")[2]}'
        (folder / "config.json").write_text(text, encoding="utf-8")
    network = describe_network(load_config(str(folder / "config.json") if narrow else config))
    with pytest.raises(VariableError) as caught:
        read_variables(find_checkpoint(folder), network)
    assert (caught.value.name, caught.value.expected, caught.value.found) == (name, expected, found)
    assert caught.value.n_others > 0
    assert name in str(caught.value)


@pytest.mark.export
@pytest.mark.parametrize("damage", ["cut index", "cut data", "changed data", "empty index"])
def test_damage_is_noticed(folder: Path, damage: str) -> None:
    what, which = damage.split()
    path = next(folder.glob(f"model.{which}*"))
    content = bytearray(path.read_bytes())
    if what == "changed":
        content[len(content) // 2] ^= 1
    path.write_bytes(content[: {"cut": len(content) // 2, "changed": None, "empty": 0}[what]])
    network = describe_network(load_config(str(folder / "config.json")))
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_variables(find_checkpoint(folder), network)
