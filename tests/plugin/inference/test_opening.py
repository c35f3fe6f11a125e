"""The embedded model and the contract between a file, its card and its entry."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from stemdock import ModelEntry, Plugins, hookimpl, load_plugins
from stemdock.card import INPUT_NAME, card_from_metadata, card_to_metadata
from stemdock.errors import ModelContractError, ModelDamagedError, ModelNotInstalledError
from stemdock.inference.finding import find_entry, verify_model
from stemdock.inference.opening import open_model
from stemdock.inference.session import OnnxSession
from support.small_model import small_card


@pytest.fixture(scope="module")
def embedded() -> ModelEntry:
    (entry,) = (entry for entry in load_plugins().models() if entry.name == "2stems")
    return entry


def write_model(path: Path, metadata: dict[str, str], outputs: tuple[str, ...] = ("low", "high")) -> Path:
    shape = ["segments", 64, 64, 2]
    graph = helper.make_graph(
        [helper.make_node("Identity", [INPUT_NAME], [name]) for name in outputs],
        "test",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def test_the_embedded_model_is_whole_and_says_what_it_is(embedded: ModelEntry) -> None:
    verify_model(embedded)
    card = embedded.card
    assert card
    assert embedded.path
    assert card.stems == ("vocals", "accompaniment")
    assert (card.sample_rate, card.n_frames, card.n_bins, card.n_channels) == (44100, 512, 1024, 2)
    assert card.checkpoint_sha256 == "7747f9fd2c782306dbec1504360fbb645a097a48446f23486c3ff9c89bc11788"
    assert "Deezer" in card.licence
    assert embedded.path.stat().st_size < 42e6


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_truncated_model_is_refused(embedded: ModelEntry, tmp_path: Path, share: float) -> None:
    assert embedded.path
    data = embedded.path.read_bytes()
    path = tmp_path / "2stems.onnx"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ModelDamagedError):
        open_model(path, Plugins())


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege, and there are no pipes")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("folder", "a folder"),
        ("pipe", "a pipe"),
        ("/dev/zero", "a device"),
        ("dangling", "a link to nowhere, which does not exist"),
        ("loop", "a link that leads to itself"),
    ],
)
@pytest.mark.timeout(20)  # opening a pipe would wait for ever
def test_what_is_not_a_file_is_named(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("dangling").symlink_to("nowhere")
    Path("loop").symlink_to("loop")
    for find in (
        lambda: find_entry(name, Plugins()),
        lambda: open_model(Path(name), Plugins()),
        lambda: OnnxSession(name),
        lambda: verify_model(ModelEntry.from_card(small_card(), path=Path(name), sha256="0")),
    ):
        with pytest.raises(ModelDamagedError, match=f"{name}:? is {kind}, not a model") as caught:
            find()
    assert caught.value.remedy == "Install the model again."


def test_a_folder_called_like_a_model_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("4stems").mkdir()
    with pytest.raises(ModelNotInstalledError):
        find_entry("4stems", load_plugins())


def test_a_model_of_ours_opens_by_its_path(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", card_to_metadata(small_card()))
    assert open_model(path, Plugins()).entry.card == small_card()


def test_a_model_without_a_card_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", {"author": "somebody"})
    with pytest.raises(ModelContractError, match="no Stemdock model card"):
        open_model(path, Plugins())


@pytest.mark.parametrize("outputs", [("high", "low", "rest"), ("low", "hihg")])
def test_a_graph_that_contradicts_its_card_is_refused(tmp_path: Path, outputs: tuple[str, ...]) -> None:
    path = write_model(tmp_path / "m.onnx", card_to_metadata(small_card()), outputs)
    with pytest.raises(ModelContractError, match="its graph has"):
        open_model(path, Plugins())


def test_a_file_that_contradicts_its_entry_is_refused(embedded: ModelEntry) -> None:
    class Liar:
        @hookimpl
        def stemdock_models(self) -> list[ModelEntry]:
            assert embedded.card
            stems = ("accompaniment", "vocals")
            return [replace(embedded, stems=stems, card=replace(embedded.card, stems=stems))]

    plugins = Plugins()
    plugins.register(Liar(), "liar")
    with pytest.raises(ModelContractError, match="differs from that of its entry"):
        open_model("2stems", plugins)


def test_a_card_survives_its_metadata() -> None:
    assert card_from_metadata({**card_to_metadata(small_card()), "foreign": "x"}, "m") == small_card()


@pytest.mark.parametrize(
    ("key", "text", "reason"),
    [
        ("stemdock.card_version", "2", "has version 2"),
        ("stemdock.n_bins", '"64"', "n_bins"),
        ("stemdock.n_bins", "65", "65 bins"),
        ("stemdock.n_frames", "0", "0 frames"),
        ("stemdock.hop_length", "128", "4 hops"),
        ("stemdock.mask_extension", '"wrap"', "wrap"),
        ("stemdock.stems", '["low"]', "at least 2"),
        ("stemdock.stems", '["low", "low"]', "twice"),
        ("stemdock.sample_rate", "nonsense", "unusable"),
    ],
)
def test_an_unusable_card_is_refused(key: str, text: str, reason: str) -> None:
    with pytest.raises(ModelContractError, match=reason):
        card_from_metadata({**card_to_metadata(small_card()), key: text}, "m")


_WATCHED_IMPORTS = """
import sys
from stemdock import load_plugins
from stemdock.inference import opening
assert "numpy" not in sys.modules
imported = opening.import_module
def watched(name):
    if name != "numpy":
        print("numpy" in sys.modules)
    return imported(name)
opening.import_module = watched
opening.open_model("2stems", load_plugins())
"""


def test_numpy_is_loaded_before_two_threads_import_it() -> None:
    """Otherwise onnxruntime can find it half loaded."""
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED_IMPORTS], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"
