"""The contents of a model file, and whether the parity check finds wrong models."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from stemdock.card import INPUT_NAME, ModelCard, card_from_metadata
from stemdock_export.checkpoint import find_checkpoint, read_variables
from stemdock_export.errors import ParityError
from stemdock_export.figures import StemFigures, compare
from stemdock_export.model_file import finish_model
from stemdock_export.parity import measure_parity, require_parity
from stemdock_export.signals import parity_signals
from stemdock_export.tf_conversion import convert_graph
from stemdock_export.tf_network import build_graph
from stemdock_export.unet import describe_network

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from stemdock_export.config import SpleeterConfig

_CARD = ModelCard(
    name="small",
    stems=("voice", "rest"),
    sample_rate=8000,
    n_channels=2,
    frame_length=256,
    hop_length=64,
    n_frames=64,
    n_bins=128,
    separation_exponent=2.0,
    mask_extension="zeros",
    licence="none",
    checkpoint_sha256="0",
    exporter="test",
)


@pytest.fixture(scope="module")
def build(small_checkpoint: Path) -> Callable[[SpleeterConfig], Any]:
    def make(config: SpleeterConfig) -> Any:
        network = describe_network(config)
        return build_graph(config, network, read_variables(find_checkpoint(small_checkpoint), network))

    return make


@pytest.fixture(scope="module")
def convert(build: Callable[[SpleeterConfig], Any]) -> Callable[[SpleeterConfig], Any]:
    def make(config: SpleeterConfig) -> Any:
        model = convert_graph(build(config), describe_network(config))
        finish_model(model, _CARD)
        return model

    return make


@pytest.fixture(scope="module")
def model(convert: Callable[[SpleeterConfig], Any], small_config: SpleeterConfig) -> Any:
    return convert(small_config)


@pytest.fixture(scope="module")
def model_path(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.export
def test_inputs_and_outputs_are_the_card_s(model: Any) -> None:
    def shape(value: Any) -> list[Any]:
        return [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]

    segment = ["n_segments", 64, 128, 2]
    assert {value.name: shape(value) for value in model.graph.input} == {INPUT_NAME: segment}
    assert {value.name: shape(value) for value in model.graph.output} == {"voice": segment, "rest": segment}
    assert [value.name for value in model.graph.output] == ["voice", "rest"]
    metadata = {each.key: each.value for each in model.metadata_props}
    assert card_from_metadata(metadata, "small") == _CARD


@pytest.mark.export
def test_no_node_is_idle(model: Any) -> None:
    kinds = [node.op_type for node in model.graph.node]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "Transpose": 3,  # the mixture's, and one a stem
        "Conv": 14,
        "ConvTranspose": 12,
        "BatchNormalization": 22,
        "Elu": 22,
        "Concat": 10,
        **dict.fromkeys(("Neg", "Exp", "Add", "Reciprocal", "Mul"), 2),
    }


@pytest.mark.export
def test_the_head_is_one_dilated_convolution(model: Any) -> None:
    nodes = {node.name: node for node in model.graph.node}
    attributes = {each.name: list(each.ints) for each in nodes["voice/head/Conv"].attribute}
    assert (attributes["dilations"], attributes["pads"]) == ([2, 2], [3, 3, 3, 3])
    attributes = {each.name: list(each.ints) for each in nodes["rest/decoder_6/ConvTranspose"].attribute}
    assert (attributes["strides"], attributes["pads"]) == ([2, 2], [1, 1, 2, 2])


@pytest.mark.export
def test_names_contain_stem_level_and_role(model: Any) -> None:
    names = [node.name for node in model.graph.node]
    assert len(set(names)) == len(names)
    assert {name.split("/")[0] for name in names} == {"voice", "rest", INPUT_NAME, "masks"}
    constants = {constant.name for constant in model.graph.initializer}
    assert "voice/encoder_1/Conv/kernel" in constants
    assert "rest/decoder_2/BatchNormalization/gamma" in constants


@pytest.mark.export
def test_weights_are_the_checkpoint_s_bit_for_bit(
    model: Any, small_config: SpleeterConfig, make_values: Callable[..., Mapping[str, Any]]
) -> None:
    from onnx import numpy_helper  # noqa: PLC0415

    constants = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    values = make_values(small_config)
    for name, variable in (
        ("voice/encoder_1/Conv/kernel", "conv2d/kernel"),
        ("rest/encoder_1/Conv/kernel", "conv2d_7/kernel"),
        ("rest/decoder_1/ConvTranspose/kernel", "conv2d_transpose_6/kernel"),
    ):
        np.testing.assert_array_equal(constants[name], values[variable].transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(
        constants["rest/decoder_1/BatchNormalization/variance"],
        values["batch_normalization_18/moving_variance"],
    )


@pytest.mark.export
@pytest.mark.parametrize("mask_function", ["unet.unet", "unet.softmax_unet"])
@pytest.mark.parametrize("activations", [("ELU", "ELU"), ("LeakyReLU", "ReLU"), ("ReLU", "LeakyReLU")])
def test_every_kind_of_network_keeps_parity(
    build: Callable[[SpleeterConfig], Any],
    small_config: SpleeterConfig,
    mask_function: Any,
    activations: tuple[Any, Any],
    tmp_path: Path,
) -> None:
    conv, deconv = activations
    config = dataclasses.replace(
        small_config, mask_function=mask_function, conv_activation=conv, deconv_activation=deconv
    )
    network, graph = describe_network(config), build(config)
    model = convert_graph(graph, network)
    finish_model(model, _CARD)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    figures = measure_parity(graph, network, config, path)
    require_parity(figures, "float32")
    assert {(each.signal, each.stem) for each in figures} == {
        (signal, stem) for signal in ("music", "noise", "silence") for stem in ("voice", "rest")
    }
    assert {each.quantity for each in figures} == {"estimate", "masked", "batch"}


@pytest.mark.export
@pytest.mark.parametrize(
    "change",
    [
        {"conv_activation": "LeakyReLU"},
        {"deconv_activation": "ReLU"},
        {"mask_function": "unet.softmax_unet"},
    ],
)
def test_parity_sees_a_network_of_another_kind(
    build: Callable[[SpleeterConfig], Any],
    small_config: SpleeterConfig,
    model_path: Path,
    change: dict[str, Any],
) -> None:
    other = dataclasses.replace(small_config, **change)
    figures = measure_parity(build(other), describe_network(other), other, model_path)
    with pytest.raises(ParityError) as caught:
        require_parity(figures, "int16")
    assert caught.value.worst.snr < 60
    assert caught.value.figures == figures


@pytest.mark.export
def test_rejected_magnitudes_are_shared_as_tensorflow_shares_them() -> None:
    # Logits around -40, where an approximate sigmoid is 0 and a ratio mask would be arbitrary.
    onnx = pytest.importorskip("onnx")
    from stemdock_export.tidying import spell_out_sigmoids  # noqa: PLC0415

    helper = onnx.helper
    values = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [5]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Sigmoid", ["x"], ["y"])], "sigmoid", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    spell_out_sigmoids(model)
    onnx.checker.check_model(model, full_check=True)
    import onnxruntime  # noqa: PLC0415

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    logits = np.array([-80, -40, 0, 5, 100], np.float32)
    (result,) = session.run(None, {"x": logits})
    np.testing.assert_allclose(result, 1 / (1 + np.exp(-logits.astype(np.float64))), rtol=1e-6)


def _figures(snr: float) -> StemFigures:
    return StemFigures(signal="music", quantity="estimate", stem="voice", snr=snr, max_error=0.1)


@pytest.mark.parametrize(("snr", "weights"), [(89.9, "float32"), (74.9, "int16"), (float("nan"), "int16")])
def test_the_floor_holds(snr: float, weights: Any) -> None:
    with pytest.raises(ParityError, match="voice") as caught:
        require_parity([_figures(120.0), _figures(snr)], weights)
    assert len(caught.value.figures) == 2


@pytest.mark.parametrize(("snr", "weights"), [(90.0, "float32"), (75.0, "int16"), (float("inf"), "float32")])
def test_figures_at_the_floor_pass(snr: float, weights: Any) -> None:
    require_parity([_figures(snr)], weights)


def test_figures_of_known_differences() -> None:
    reference = np.array([3.0, -4.0], np.float32)
    assert compare(reference, reference) == (float("inf"), 0.0)
    snr, max_error = compare(reference, np.array([3.0, -3.5], np.float32))
    assert snr == pytest.approx(20.0)
    assert max_error == pytest.approx(0.125)
    assert compare(reference, np.array([3.0, np.nan], np.float32)) == (-np.inf, np.inf)
    assert compare(np.zeros(2, np.float32), reference) == (-np.inf, np.inf)


def test_signals_fit_the_network_and_differ(small_config: SpleeterConfig) -> None:
    signals = parity_signals(small_config)
    assert {name: magnitude.shape for name, magnitude in signals.items()} == {
        "music": (2, 64, 128, 2),
        "noise": (2, 64, 128, 2),
        "silence": (1, 64, 128, 2),
    }
    assert all(magnitude.dtype == np.float32 and (magnitude >= 0).all() for magnitude in signals.values())
    first, second = signals["music"]
    assert not np.array_equal(first, second)
    # A sine of amplitude a has the magnitude a * sum(window) / 2 = a * frame_length / 4.
    assert 0.15 * 256 / 4 < signals["music"].max() < 0.6 * 256 / 4
