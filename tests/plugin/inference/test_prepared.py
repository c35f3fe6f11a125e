from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from onnx import TensorProto, helper

from stemdock import ModelDamagedError, ModelEntry, Plugins, Separator, file_sha256, hookimpl, locked
from stemdock.card import INPUT_NAME, card_to_metadata
from stemdock.inference import runtime
from stemdock.inference.prepared import prepared_model
from stemdock.inference.session import OnnxSession
from stemdock.lib.hashing import files_checksum
from support.mixtures import recorded_case
from support.small_model import small_card

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("STEMDOCK_CACHE", str(folder))
    return folder


def stems() -> np.ndarray:
    return np.stack(list(Separator().separate(recorded_case("short")).values()))


def test_what_was_prepared_is_used_and_gives_the_same_bits(cache: Path) -> None:
    first = stems()
    written = {path.name: path.stat().st_ino for path in cache.iterdir()}
    assert written
    assert np.array_equal(stems(), first)
    assert {path.name: path.stat().st_ino for path in cache.iterdir()} == written


PREPARING = """
import sys
sys.stdin.read()
from stemdock import Separator
Separator()
"""


def test_processes_that_start_together_prepare_a_model_once(cache: Path) -> None:
    first = stems()
    names = {path.name for path in cache.iterdir()}
    for path in cache.iterdir():
        shutil.rmtree(path)
    processes = [subprocess.Popen([sys.executable, "-c", PREPARING], stdin=subprocess.PIPE) for _ in range(4)]
    for process in processes:
        assert process.stdin
        process.stdin.close()
    assert [process.wait(120) for process in processes] == [0] * 4
    assert len(list(cache.iterdir())) == len(names)
    assert np.array_equal(stems(), first)


def test_a_process_that_has_stopped_is_not_waited_for(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir(mode=0o700)
    monkeypatch.setattr("stemdock.inference.prepared._LONGEST_WAIT", 0.1)
    with locked(cache / ".preparing.lock"):
        kept = prepared_model("sha256", "runtime 1").make(lambda staged: staged.write_bytes(b"prepared"))
        assert kept.read_bytes() == b"prepared"


@pytest.mark.parametrize("name", ["model.onnx", "weights.bin"])
@pytest.mark.parametrize("damage", ["bit", "cut", "empty", "missing"])
def test_a_damaged_copy_is_made_again(cache: Path, damage: str, name: str) -> None:
    first = stems()
    sizes = sorted(path.stat().st_size for path in cache.glob("*/weights.bin"))
    assert len(sizes) == 2
    for path in list(cache.glob(f"*/{name}")):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.unlink()
        if damage != "missing":
            path.write_bytes({"bit": bytes(data), "cut": bytes(data[:1000]), "empty": b""}[damage])
    assert np.array_equal(stems(), first)
    # The names in a graph are not as long every time.
    assert sorted(path.stat().st_size for path in cache.glob("*/weights.bin")) == sizes
    assert len(list(cache.glob("*/model.onnx"))) == 2


def test_where_nothing_can_be_kept_it_works_all_the_same(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    assert stems().shape == (2, 500, 2)


def test_only_those_used_last_are_kept(cache: Path) -> None:
    places = []
    for number in range(10):
        place = prepared_model(f"sha256 {number}", "runtime 1")
        assert place.make(lambda staged: staged.write_bytes(b"prepared")).is_file()
        places.append(place)
        for path in cache.iterdir():
            # As if all this had been long ago, for times of files are coarse.
            os.utime(path, (path.stat().st_mtime - 100,) * 2)
        assert places[0].find() is not None
    assert [place.find() is not None for place in places] == [True, False, False] + [True] * 7
    assert len(list(cache.iterdir())) == 8


def test_what_a_killed_process_left_is_removed(cache: Path) -> None:
    cache.mkdir(mode=0o700)
    for name, age in (("0" * 16, 4000), ("1" * 16, 0)):
        (cache / f".{name}").mkdir()
        (cache / f".{name}" / "model.onnx").write_bytes(b"half of it")
        (cache / f".{name}.onnx").write_bytes(b"half of it")
        for path in (cache / f".{name}", cache / f".{name}.onnx"):
            os.utime(path, (time.time() - age,) * 2)
    kept = prepared_model("sha256", "runtime 1").make(lambda staged: staged.write_bytes(b"prepared"))
    left = {f".{'1' * 16}", f".{'1' * 16}.onnx", kept.parent.name}
    assert {path.name for path in cache.iterdir()} == left


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_model_that_cannot_be_prepared_leaves_nothing(cache: Path, error: type[BaseException]) -> None:
    def fail(staged: Path) -> None:
        staged.write_bytes(b"half of it")
        raise error

    with pytest.raises(error):
        prepared_model("sha256", "runtime 1").make(fail)
    assert list(cache.iterdir()) == []


def test_models_of_earlier_versions_are_removed_and_other_files_are_not(cache: Path) -> None:
    cache.mkdir(mode=0o700)
    (cache / f"{'0' * 16}-{'1' * 64}.onnx").write_bytes(b"from an earlier version")
    (cache / f"{'0' * 32}-{'1' * 64}.onnx").write_bytes(b"from a later one")
    others = [cache / name for name in ("own.onnx", ".own.onnx", "notes.txt")]
    for path in others:
        path.write_bytes(b"not Stemdock's")
        os.utime(path, (0, 0))
    kept = [
        prepared_model(f"sha256 {number}", "runtime 1").make(lambda staged: staged.write_bytes(b"prepared"))
        for number in range(9)
    ]
    assert {*cache.iterdir()} == {*others, *(path.parent for path in kept[1:])}


@pytest.mark.usefixtures("cache")
def test_another_runtime_or_content_has_another_place() -> None:
    identities = [("sha256", "runtime 1"), ("sha256", "runtime 2"), ("another sha256", "runtime 1")]
    assert len({prepared_model(*identity).key for identity in identities}) == 3


def write_model(path: Path, factor: float) -> ModelEntry:
    """A model that multiplies the mixture by a number; all of them have the same size."""
    card = small_card(name="own")
    shape = ["batch", card.n_frames, card.n_bins, card.n_channels]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Mul", [INPUT_NAME, "factor"], [stem]) for stem in card.stems],
        "network",
        [value(INPUT_NAME, TensorProto.FLOAT, shape)],
        [value(stem, TensorProto.FLOAT, shape) for stem in card.stems],
        [helper.make_tensor("factor", TensorProto.FLOAT, [1], [factor])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, card_to_metadata(card))
    path.write_bytes(model.SerializeToString())
    os.utime(path, ns=(0, 0))
    return ModelEntry.from_card(card, path=path, sha256=file_sha256(path))


def first_estimate(entry: ModelEntry, *, path: Path | None = None) -> float:
    """What the network makes of a magnitude of 1."""
    assert entry.card
    session = OnnxSession(path or entry.path or Path(), n_bins=entry.card.n_bins, sha256=entry.sha256)
    magnitude = np.ones((1, entry.card.n_frames, entry.card.n_bins, entry.card.n_channels), np.float32)
    return float(session.run(magnitude)[0][0, 0, 0, 0])


@pytest.mark.parametrize("in_place", [True, False])
def test_other_weights_of_the_same_size_and_time_are_prepared_again(
    cache: Path, tmp_path: Path, *, in_place: bool
) -> None:
    path = tmp_path / "own.onnx"
    assert first_estimate(write_model(path, 2.0)) == 2
    size = path.stat().st_size
    entry = write_model(path if in_place else tmp_path / "new.onnx", 3.0)
    if not in_place:
        (tmp_path / "new.onnx").replace(path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (size, 0)
    assert first_estimate(entry, path=path) == 3
    assert len(list(cache.iterdir())) == 2


class Offering:
    """A plug-in with one model, which onnxruntime runs."""

    def __init__(self, entry: ModelEntry) -> None:
        self.entry = entry

    @hookimpl
    def stemdock_models(self) -> list[ModelEntry]:
        return [self.entry]


@pytest.mark.parametrize("is_prepared", [True, False])
@pytest.mark.parametrize("damage", ["missing", "changed", "cut", "empty"])
def test_a_damaged_file_is_noticed_whether_or_not_it_is_read(
    cache: Path, tmp_path: Path, damage: str, *, is_prepared: bool
) -> None:
    path = tmp_path / "own.onnx"
    plugins = Plugins()
    plugins.register(Offering(write_model(path, 2.0)), "offering")
    if is_prepared:
        Separator("own", plugins=plugins)
        assert list(cache.iterdir())
    kept = set(cache.rglob("*"))
    if damage == "missing":
        path.unlink()
    elif damage == "changed":
        write_model(path, 3.0)
    else:
        path.write_bytes(b"" if damage == "empty" else path.read_bytes()[:-100])
    with pytest.raises(ModelDamagedError) as caught:
        Separator("own", plugins=plugins)
    assert damage == "missing" or "sha256" in str(caught.value)
    assert caught.value.remedy == "Install the model again."
    assert set(cache.rglob("*")) == kept


@pytest.mark.parametrize("is_kept", [True, False])
def test_onnxruntime_reads_no_file_that_is_not_confirmed(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_kept: bool
) -> None:
    entry = write_model(tmp_path / "own.onnx", 2.0)
    opened: list[object] = []
    monkeypatch.setattr(runtime, "_open", lambda *arguments: opened.append(arguments))

    def refuse() -> None:
        raise ModelDamagedError("own", "is damaged", remedy="Install it again.")

    assert entry.path
    with pytest.raises(ModelDamagedError, match="is damaged"):
        OnnxSession(entry.path, sha256=entry.sha256 if is_kept else "", confirm=refuse)
    assert opened == []
    assert list(cache.rglob("*")) == []


def test_a_model_that_changes_while_it_is_prepared_is_not_kept(cache: Path, tmp_path: Path) -> None:
    entry = write_model(tmp_path / "own.onnx", 2.0)
    write_model(tmp_path / "own.onnx", 3.0)  # after the sha256 was computed
    assert first_estimate(entry) == 3
    assert list(cache.iterdir()) == []


def plant(cache: Path, tmp_path: Path) -> ModelEntry:
    """Another user's network in the place of a model's prepared form. Its name has its checksum."""
    entry = write_model(tmp_path / "own.onnx", 2.0)
    assert first_estimate(entry) == 2
    (kept,) = cache.iterdir()
    planted = write_model(tmp_path / "planted.onnx", 3.0)
    shutil.rmtree(kept)
    assert planted.path
    other = cache / f"{kept.name[:32]}-{files_checksum([planted.path])}"
    other.mkdir(mode=0o700)
    (tmp_path / "planted.onnx").rename(other / "model.onnx")
    return entry


def make_link(cache: Path) -> None:
    cache.rename(cache.with_name("elsewhere"))
    cache.symlink_to("elsewhere")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no owners and modes of this kind")
@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(lambda cache: cache.chmod(0o777), id="world"),
        pytest.param(lambda cache: cache.chmod(0o770), id="group"),
        pytest.param(make_link, id="link"),
        pytest.param(
            lambda cache: os.chown(cache, 12345, -1),
            id="owner",
            marks=pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root"),
        ),
    ],
)
def test_a_folder_that_others_can_write_is_not_used(
    cache: Path, tmp_path: Path, attack: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    entry = plant(cache, tmp_path)
    assert first_estimate(entry) == 3  # the planted network would run
    attack(cache)
    names = sorted(path.name for path in cache.iterdir())
    caplog.clear()
    assert first_estimate(entry) == 2
    assert sorted(path.name for path in cache.iterdir()) == names
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert str(cache) in record.getMessage()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of this kind")
@pytest.mark.parametrize("attack", ["mode", "link", "owner"])
@pytest.mark.parametrize("is_folder", [True, False])
def test_a_model_of_others_is_replaced(cache: Path, tmp_path: Path, attack: str, *, is_folder: bool) -> None:
    entry = plant(cache, tmp_path)
    (folder,) = cache.iterdir()
    planted = folder if is_folder else folder / "model.onnx"
    if attack == "mode":
        planted.chmod(0o777 if is_folder else 0o666)
    elif attack == "link":
        planted.rename(tmp_path / "elsewhere")
        planted.symlink_to(tmp_path / "elsewhere")
    elif os.geteuid() == 0:
        os.chown(planted, 12345, -1)
    else:
        pytest.skip("needs root")
    assert first_estimate(entry) == 2
    assert folder not in list(cache.iterdir())
    assert not (tmp_path / "elsewhere").exists() or attack == "link"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of this kind")
def test_kept_models_are_private_whatever_the_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "new" / "cache"
    monkeypatch.setenv("STEMDOCK_CACHE", str(cache))
    before = os.umask(0)
    try:
        first_estimate(write_model(tmp_path / "own.onnx", 2.0))
    finally:
        os.umask(before)
    (kept,) = cache.iterdir()
    modes = [oct(path.stat().st_mode & 0o777) for path in (cache.parent, cache, kept, *kept.iterdir())]
    assert modes == ["0o700", "0o700", "0o700", "0o600"]
