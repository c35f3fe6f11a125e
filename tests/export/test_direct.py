"""The direct converter: whether it gives the same models as the reference converter, and what it refuses."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest

import stemdock_export.exporting
from stemdock.card import INPUT_NAME
from stemdock.errors import OutputError, OutputExistsError
from stemdock.inference.session import OnnxSession
from stemdock_export.bundle import Bundle
from stemdock_export.cards import make_card
from stemdock_export.checkpoint import find_checkpoint, read_variables
from stemdock_export.config import load_config
from stemdock_export.direct import DirectConverter
from stemdock_export.errors import CheckpointError, ExtraMissingError, SelfCheckError, VariableError
from stemdock_export.exporting import ExportedModel, export_checkpoint
from stemdock_export.figures import compare
from stemdock_export.model_file import finish_model, write_model
from stemdock_export.onnx_network import build_model
from stemdock_export.tf_conversion import convert_graph
from stemdock_export.tf_network import build_graph
from stemdock_export.unet import describe_network
from support.tf_bundle import seeded_values, write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock_export.config import SpleeterConfig

pytestmark = pytest.mark.slow

ACTIVATIONS = [("ELU", "ELU"), ("LeakyReLU", "ReLU"), ("ReLU", "LeakyReLU")]
CONVERT = """
import sys
from pathlib import Path
from stemdock_export.config import load_config
from stemdock_export.direct import DirectConverter
from stemdock_export.exporting import export_checkpoint
export_checkpoint(Path(sys.argv[1]), load_config(sys.argv[2]), Path(sys.argv[3]), converter=DirectConverter())
assert not {"tensorflow", "tf2onnx"} & set(sys.modules)
"""
MEASURE = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-c", *sys.argv[1:]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""A process of its own, since children start with the peak of their parent, and pytest's is high."""


def convert(directory: Path, config: SpleeterConfig, output: Path, **options: Any) -> ExportedModel:
    return export_checkpoint(directory, config, output, converter=DirectConverter(), **options)


@pytest.fixture(scope="module")
def checkpoint(small_config: SpleeterConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("direct"), seeded_values(small_config))


@pytest.fixture(scope="module")
def full_width(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Seeded checkpoints as large as the released ones."""
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            values = seeded_values(load_config(name))
            made[name] = write_bundle(
                tmp_path_factory.mktemp(name), {**values, "global_step": np.array(0, np.int64)}
            )
        return made[name]

    return make


def require_equal_models(directory: Path, config: SpleeterConfig, folder: Path) -> None:
    """Converts with both converters; weights must be identical, and estimates equal within 120 dB."""
    found, network = find_checkpoint(directory), describe_network(config)
    graph = build_graph(config, network, read_variables(found, network))
    card = make_card(config, found, folder / "model.onnx", name="", licence="", exporter="tests 1")
    shape = (2, config.n_frames, config.n_bins, config.n_channels)
    mixture = np.random.default_rng(3).rayleigh(3, shape).astype(np.float32)
    runs, layers = [], []
    for model in (convert_graph(graph, network), build_model(config, network, Bundle(found).read)):
        layers.append(layers_of(model))
        finish_model(model, card)
        write_model(model, folder / "model.onnx")
        runs.append(OnnxSession(folder / "model.onnx").run(mixture))
    assert layers[0] == layers[1]
    for reference, direct in zip(*runs, strict=True):
        assert compare(reference, direct)[0] >= 120


def layers_of(model: Any) -> dict[str, Any]:
    """Of each layer with weights: its attributes and the bytes of its weights."""
    constants = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    return {
        node.name: (
            node.op_type,
            {
                each.name: onnx.helper.get_attribute_value(each)
                for each in node.attribute
                # Explicit in one model, the default in the other.
                if each.name not in {"auto_pad", "group"}
            },
            [(constants[name].shape, constants[name].tobytes()) for name in node.input[1:]],
        )
        for node in model.graph.node
        if node.op_type in {"Conv", "ConvTranspose", "BatchNormalization"}
    }


@pytest.mark.export
@pytest.mark.parametrize("mask_function", ["unet.unet", "unet.softmax_unet"])
@pytest.mark.parametrize("activations", ACTIVATIONS)
@pytest.mark.parametrize("n_bins", [64, 128])
def test_both_converters_agree_for_every_kind_of_network(
    checkpoint: Path,
    small_config: SpleeterConfig,
    mask_function: Any,
    activations: tuple[Any, Any],
    n_bins: int,
    tmp_path: Path,
) -> None:
    conv, deconv = activations
    config = dataclasses.replace(
        small_config,
        mask_function=mask_function,
        conv_activation=conv,
        deconv_activation=deconv,
        n_bins=n_bins,
    )
    require_equal_models(checkpoint, config, tmp_path)


@pytest.mark.export
@pytest.mark.parametrize("name", ["4stems-narrow", "5stems-narrow"])
def test_both_converters_agree_for_spleeter_s_own_checkpoints(data: Path, name: str, tmp_path: Path) -> None:
    folder = data / "checkpoints" / name
    require_equal_models(folder, load_config(str(folder / "config.json")), tmp_path)


@pytest.mark.export
@pytest.mark.parametrize("name", ["2stems", "2stems-16kHz"])
def test_both_converters_agree_for_the_genuine_checkpoint(
    genuine_checkpoint: Path, name: str, tmp_path: Path
) -> None:
    require_equal_models(genuine_checkpoint, load_config(name), tmp_path)


@pytest.mark.export
@pytest.mark.parametrize(("name", "n_gigabytes"), [("4stems", 9), ("5stems", 12)])
def test_both_converters_agree_at_full_width(
    full_width: Callable[[str], Path], name: str, n_gigabytes: int, tmp_path: Path
) -> None:
    # tf2onnx copies the whole graph before each of its optimizations.
    if os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < 1.2e9 * n_gigabytes:
        pytest.skip(f"the reference converter takes {n_gigabytes} GB of memory here")
    # Short segments save time, and the weights do not depend on them.
    config = dataclasses.replace(load_config(name), n_frames=64)
    require_equal_models(full_width(name), config, tmp_path)


@pytest.mark.parametrize("name", ["4stems", "5stems-16kHz"])
def test_full_width_fits_into_a_gigabyte(
    full_width: Callable[[str], Path], name: str, tmp_path: Path
) -> None:
    output = tmp_path / "model.onnx"
    checkpoint = full_width(name.removesuffix("-16kHz"))
    command = [sys.executable, "-c", MEASURE, CONVERT, str(checkpoint), name, str(output)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    n_kilobytes = int(done.stdout) // (1024 if sys.platform == "darwin" else 1)
    assert n_kilobytes < 1e9 / 1024
    assert output.stat().st_size > 150e6


def test_the_written_model_is_described(
    checkpoint: Path, small_config: SpleeterConfig, tmp_path: Path
) -> None:
    steps: list[str] = []
    output = tmp_path / "mine.onnx"
    converted = convert(checkpoint, small_config, output, licence="CC0, me", on_step=steps.append)
    assert list(tmp_path.iterdir()) == [output]
    content = output.read_bytes()
    assert (converted.path, converted.n_bytes, converted.figures) == (output, len(content), ())
    assert converted.sha256 == hashlib.sha256(content).hexdigest()
    assert steps == [f"reading {checkpoint / 'model'}", "converting", "checking the model"]
    card = OnnxSession(output).card
    assert card == converted.card
    assert (card.name, card.stems, card.licence) == ("mine", ("voice", "rest"), "CC0, me")
    assert "(direct" in card.exporter
    assert card.checkpoint_sha256 == find_checkpoint(checkpoint).sha256()


def test_the_same_checkpoint_gives_the_same_file(
    checkpoint: Path, small_config: SpleeterConfig, tmp_path: Path
) -> None:
    first, second = (convert(checkpoint, small_config, tmp_path / f"{run}.onnx", name="one") for run in "ab")
    assert first.sha256 == second.sha256


def test_the_released_checkpoint_is_known(genuine_checkpoint: Path, tmp_path: Path) -> None:
    converted = convert(genuine_checkpoint, load_config("2stems"), tmp_path / "model.onnx")
    assert (converted.card.name, converted.card.licence) == ("2stems", "MIT, Deezer SA")


def test_stems_may_have_the_names_of_graph_parts(
    checkpoint: Path, small_config: SpleeterConfig, tmp_path: Path
) -> None:
    for mask_function in ("unet.unet", "unet.softmax_unet"):
        config = dataclasses.replace(
            small_config, stems=("masks", "one"), mask_function=mask_function, source=mask_function
        )
        converted = convert(checkpoint, config, tmp_path / f"{mask_function}.onnx")
        assert converted.card.stems == ("masks", "one")


def test_an_existing_model_is_kept_unless_asked(
    checkpoint: Path, small_config: SpleeterConfig, tmp_path: Path
) -> None:
    output = tmp_path / "model.onnx"
    output.write_text("precious", encoding="utf-8")
    with pytest.raises(OutputExistsError):
        convert(checkpoint, small_config, output)
    assert output.read_text(encoding="utf-8") == "precious"
    convert(checkpoint, small_config, output, overwrite=True)
    assert OnnxSession(output).card.name == "model"


@pytest.mark.parametrize(
    ("failure", "expected"),
    [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "No space left on device"), OutputError)],
)
def test_nothing_is_left_of_a_failed_conversion(
    checkpoint: Path,
    small_config: SpleeterConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    expected: type[BaseException],
) -> None:
    def fail(_: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise failure

    monkeypatch.setattr(stemdock_export.exporting, "write_model", fail)
    with pytest.raises(expected):
        convert(checkpoint, small_config, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_damaged_data_is_refused(small_config: SpleeterConfig, tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "checkpoint", seeded_values(small_config))
    path = folder / "model.data-00000-of-00001"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="its checksum is wrong"):
        convert(folder, small_config, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == [folder]


def test_the_wrong_configuration_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(VariableError, match=r"conv2d/kernel .*; \d+ more variables do not match"):
        convert(data / "checkpoints" / "4stems-narrow", load_config("4stems"), tmp_path / "x.onnx")
    folder = data / "checkpoints" / "5stems-narrow"
    config = load_config(str(folder / "config.json"))
    with pytest.raises(VariableError, match="does not exist in the configured network"):
        convert(folder, dataclasses.replace(config, stems=config.stems[:4]), tmp_path / "x.onnx")


@pytest.mark.parametrize(
    ("value", "reason"),
    [(0, "all stems get the same estimates"), (np.nan, "returned invalid values for voice")],
)
def test_weights_that_do_not_separate_are_refused(
    small_config: SpleeterConfig, value: float, reason: str, tmp_path: Path
) -> None:
    # With missing weights, Spleeter makes stems that are all the same.
    values = {name: np.full_like(each, value) for name, each in seeded_values(small_config).items()}
    folder = write_bundle(tmp_path / "checkpoint", values)
    with pytest.raises(SelfCheckError, match=reason) as caught:
        convert(folder, small_config, tmp_path / "model.onnx")
    assert caught.value.checkpoint == folder / "model"
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("package", ["onnx", "google_crc32c"])
def test_a_missing_package_is_named(
    checkpoint: Path,
    small_config: SpleeterConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExtraMissingError, match=package):
        convert(checkpoint, small_config, tmp_path / "model.onnx")


def test_the_graph_has_the_inputs_and_outputs_of_the_runtime(
    checkpoint: Path, small_config: SpleeterConfig
) -> None:
    network = describe_network(small_config)
    graph = build_model(small_config, network, Bundle(find_checkpoint(checkpoint)).read).graph

    def shape(value: Any) -> list[Any]:
        return [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]

    segment = ["n_segments", 64, 128, 2]
    assert [(value.name, shape(value)) for value in graph.input] == [(INPUT_NAME, segment)]
    assert [(value.name, shape(value)) for value in graph.output] == [("voice", segment), ("rest", segment)]
    names = [node.name for node in graph.node]
    assert len(set(names)) == len(names)
    assert "Sigmoid" not in {node.op_type for node in graph.node}
