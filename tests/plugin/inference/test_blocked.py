"""Prepared networks whose data stay in blocks compute the same as onnxruntime's own."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest

from stemdock import file_sha256
from stemdock.inference import blocked
from stemdock.inference.onnx_file import read_model
from stemdock.inference.runtime import load_network
from stemdock.inference.session import OnnxSession
from stemdock.types import Execution
from stemdock_export.config import parse_config
from stemdock_export.direct import DirectConverter
from stemdock_export.exporting import export_checkpoint
from support.tf_bundle import seeded_values, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = "com.microsoft.nchwc"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("STEMDOCK_CACHE", str(folder))
    return folder


def write_model(folder: Path, *, kind: str, activations: tuple[str, str], filters: list[int]) -> Path:
    """A network of Spleeter's form with other widths, in a file."""
    content = {
        "instrument_list": ["voice", "rest"], "sample_rate": 8000, "frame_length": 256, "frame_step": 64,
        "T": 64, "F": 128, "n_channels": 2, "separation_exponent": 2, "mask_extension": "zeros",
        "model": {
            "type": kind,
            "params": {
                "conv_activation": activations[0], "deconv_activation": activations[1],
                "conv_n_filters": filters,
            },
        },
    }  # fmt: skip
    config = parse_config(json.dumps(content), "small")
    write_bundle(folder / "checkpoint", seeded_values(config))
    export_checkpoint(folder / "checkpoint", config, folder / "model.onnx", converter=DirectConverter())
    return folder / "model.onnx"


def estimates(path: Path, sha256: str, magnitude: np.ndarray, **options: Any) -> list[np.ndarray]:
    session = OnnxSession(path, Execution(provider="cpu", n_threads=2), sha256=sha256, **options)
    return list(session.run(magnitude))


def magnitudes(n_bins: int = 128, n_segments: int = 1) -> np.ndarray:
    shape = (n_segments, 64, n_bins, 2)
    return np.random.default_rng(1).exponential(5, shape).astype(np.float32)


def is_close(expected: np.ndarray, found: np.ndarray) -> bool:
    """Whether the error is at -110 dB or less."""
    error = np.square(found.astype(np.float64) - expected).sum()
    return bool(error <= 1e-11 * np.square(expected, dtype=np.float64).sum())


def operators(cache: Path) -> list[str]:
    """Of all prepared graphs."""
    graphs = [onnx.load(path, load_external_data=False).graph for path in cache.glob("*/model.onnx")]
    return [node.op_type for graph in graphs for node in graph.node]


def uses_blocks(cache: Path) -> bool:
    """Whether this onnxruntime has a blocked layout on this processor."""
    domains = {
        node.domain
        for graph in cache.glob("*/model.onnx")
        for node in onnx.load(graph, load_external_data=False).graph.node
    }
    return BLOCKS in domains


@pytest.mark.parametrize(
    ("kind", "activations"),
    [
        ("unet.unet", ("LeakyReLU", "ReLU")), ("unet.unet", ("ReLU", "LeakyReLU")),
        ("unet.unet", ("ELU", "ELU")), ("unet.softmax_unet", ("ELU", "ELU")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("n_segments", [1, 3])
def test_estimates_are_those_of_onnxruntime(
    tmp_path: Path, cache: Path, kind: str, activations: tuple[str, str], n_segments: int
) -> None:
    path = write_model(tmp_path, kind=kind, activations=activations, filters=[16, 32, 16, 64, 32, 16])
    magnitude = magnitudes(n_segments=n_segments)
    expected = estimates(path, "", magnitude)
    found = estimates(path, file_sha256(path), magnitude)
    for one, other in zip(expected, found, strict=True):
        assert is_close(one, other)
    if not uses_blocks(cache):
        pytest.skip("onnxruntime has no blocked layout here")
    assert "DepthToSpace" not in operators(cache)


def test_the_bandwidth_may_change(tmp_path: Path, cache: Path) -> None:
    path = write_model(tmp_path, kind="unet.unet", activations=("ELU", "ELU"), filters=[16] * 6)
    expected = estimates(path, "", magnitudes(64), n_bins=64)
    found = estimates(path, file_sha256(path), magnitudes(64), n_bins=64)
    for one, other in zip(expected, found, strict=True):
        assert is_close(one, other)
    if uses_blocks(cache):
        assert "DepthToSpace" not in operators(cache)


@pytest.mark.parametrize("filters", [[2, 3, 4, 4, 5, 6], [8, 12, 16, 20, 32, 40], [24, 40, 8, 16, 8, 4]])
def test_widths_that_are_no_whole_blocks(tmp_path: Path, filters: list[int]) -> None:
    path = write_model(tmp_path, kind="unet.unet", activations=("LeakyReLU", "ReLU"), filters=filters)
    expected = estimates(path, "", magnitudes())
    for one, other in zip(expected, estimates(path, file_sha256(path), magnitudes()), strict=True):
        assert is_close(one, other)


@pytest.mark.parametrize("fault", ["wrong block", "exception", "wrong graph"])
def test_a_graph_that_computes_something_else_is_not_used(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """A later onnxruntime may lay out its blocks in another way."""
    path = write_model(tmp_path, kind="unet.unet", activations=("LeakyReLU", "ReLU"), filters=[64] * 6)
    expected = estimates(path, "", magnitudes())
    size = blocked.block_size
    if fault == "wrong block":
        monkeypatch.setattr(blocked, "block_size", lambda found: 2 * size(found))
    elif fault == "exception":
        monkeypatch.setattr(blocked, "block_size", lambda _: 1 / 0)
    else:
        monkeypatch.setattr(blocked, "keep_blocked", lambda graph, _: graph.write_bytes(b"damaged"))
    caplog.set_level(logging.DEBUG, "stemdock")
    found = estimates(path, file_sha256(path), magnitudes())
    for one, other in zip(expected, found, strict=True):
        assert np.array_equal(one, other)
    assert "DepthToSpace" in operators(cache)
    if uses_blocks(cache):
        assert "stays as onnxruntime has prepared it" in caplog.text


def test_the_size_of_a_block() -> None:
    for block in (4, 8, 16):
        plain = np.zeros((1, 64, 1, 2), np.float32)
        plain[..., 1] = 1
        parts = plain.reshape(1, 64 // block, block, 1, 2).transpose(0, 1, 3, 4, 2)
        assert blocked.block_size(parts.reshape(plain.shape)) == block


def test_an_input_of_any_size_that_a_file_claims_is_not_made(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would fill the memory."""
    made: list[int] = []
    monkeypatch.setattr(np.random, "default_rng", made.append)
    shape = ["batch", 1 << 14, 1 << 14, 2]
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["mixture_magnitude"], ["voice"])],
        "network",
        [value("mixture_magnitude", onnx.TensorProto.FLOAT, shape)],
        [value("voice", onnx.TensorProto.FLOAT, shape)],
    )
    domain = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[domain], ir_version=8), tmp_path / "large.onnx")
    model = read_model(tmp_path / "large.onnx")
    sha256 = file_sha256(tmp_path / "large.onnx")
    assert load_network(model, Execution(provider="cpu", n_threads=1), sha256=sha256).provider == "cpu"
    assert made == []
    assert list(cache.iterdir()) == []
