"""Models in parts, against the whole and against onnx's own reading of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from stemdock import DEFAULT_MODEL, Execution, Separator
from stemdock.inference.onnx_file import read_model
from stemdock.inference.protobuf import field_header, integer_field, read_fields
from stemdock.inference.runtime import load_network
from stemdock.inference.splitting import split_model
from stemdock.lib.hashing import file_sha256
from stemdock.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock.inference.onnx_file import OnnxModel


def write_networks(path: Path, n_networks: int, *, weighed: bool = False) -> list[str]:
    """A model with a small convolution for each stem, of a mixture that is prepared for all of them.

    Args:
        path: The file.
        n_networks: How many.
        weighed: Whether stems are weighed against the sum of all.

    Returns:
        The stems.
    """
    random = np.random.default_rng(1)
    nodes = [helper.make_node("Abs", ["mixture"], ["prepared"])]
    weights = []
    stems = [f"stem {number}" for number in range(n_networks)]
    for stem in stems:
        kernel = random.standard_normal((1, 1, 3, 3)).astype(np.float32)
        weights.append(onnx.numpy_helper.from_array(kernel, f"{stem}/half kernel"))
        weights.append(onnx.numpy_helper.from_array(np.float32(2), f"{stem}/scale"))
        nodes += [
            helper.make_node("Mul", [f"{stem}/half kernel", f"{stem}/scale"], [f"{stem}/kernel"]),
            helper.make_node("Conv", ["prepared", f"{stem}/kernel"], [f"{stem}/first"], pads=[1] * 4),
            helper.make_node("Conv", [f"{stem}/first", f"{stem}/kernel"], [f"{stem}/last"], pads=[1] * 4),
            helper.make_node("Mul", ["prepared", f"{stem}/last"], [f"{stem}/own" if weighed else stem]),
        ]
    if weighed:
        nodes.append(helper.make_node("Sum", [f"{stem}/own" for stem in stems], ["all"]))
        nodes += [helper.make_node("Div", [f"{stem}/own", "all"], [stem]) for stem in stems]
    inputs, *outputs = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 1, 8, 8)) for name in ("mixture", *stems)
    )
    graph = helper.make_graph(nodes, "networks", [inputs], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"card": "kept"})
    onnx.save(model, path)
    return stems


def read(parts: Sequence[OnnxModel]) -> list[onnx.ModelProto]:
    return [onnx.load_from_string(b"".join(part.pieces())) for part in parts]


@pytest.mark.parametrize(("n_networks", "n_parts"), [(2, 2), (4, 2), (3, 3), (6, 3), (3, 1)])
def test_each_part_is_a_whole_model_of_some_stems(tmp_path: Path, n_networks: int, n_parts: int) -> None:
    stems = write_networks(tmp_path / "m.onnx", n_networks)
    parts = read(split_model(read_model(tmp_path / "m.onnx"), n_parts))
    assert len(parts) == n_parts
    made = []
    for part in parts:
        onnx.checker.check_model(part, full_check=True)
        assert [value.name for value in part.graph.input] == ["mixture"]
        assert [(entry.key, entry.value) for entry in part.metadata_props] == [("card", "kept")]
        own = [value.name for value in part.graph.output]
        # What prepares the mixture is in every part, and nothing is that belongs to another's stems.
        assert [node.op_type for node in part.graph.node].count("Abs") == 1
        assert len(part.graph.node) == 1 + 4 * len(own)
        assert len(part.graph.initializer) == 2 * len(own)
        made += own
    assert made == stems


@pytest.mark.parametrize(
    ("n_networks", "weighed"), [(3, False), (2, True), (1, False)], ids=["odd", "weighed", "single"]
)
def test_what_cannot_be_halved_is_left_whole(tmp_path: Path, n_networks: int, weighed: bool) -> None:
    write_networks(tmp_path / "m.onnx", n_networks, weighed=weighed)
    assert not split_model(read_model(tmp_path / "m.onnx"), 2)


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("n_networks", [2, 3, 4])
def test_parts_make_what_the_whole_makes(tmp_path: Path, n_networks: int) -> None:
    path = tmp_path / "m.onnx"
    stems = write_networks(path, n_networks)
    mixture = np.random.default_rng(2).standard_normal((1, 1, 8, 8)).astype(np.float32)
    whole = load_network(read_model(path), Execution(n_threads=1))
    halves = load_network(read_model(path), Execution(n_threads=2), sha256=file_sha256(path))
    assert halves.inputs == whole.inputs
    assert halves.outputs == whole.outputs
    expected = whole.run({"mixture": mixture})
    found = halves.run({"mixture": mixture})
    assert set(found) == set(stems)
    for stem in stems:
        assert np.array_equal(found[stem], expected[stem])


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("STEMDOCK_CACHE", str(folder))
    return folder


@pytest.mark.slow
def test_the_default_model_runs_in_halves(own_cache: Path) -> None:
    plugins = load_plugins()
    (path,) = (entry.path for entry in plugins.models() if entry.name == DEFAULT_MODEL)
    assert path
    assert [
        [value.name for value in part.graph.output] for part in read(split_model(read_model(path), 2))
    ] == [
        ["vocals"],
        ["accompaniment"],
    ]
    Separator(execution=Execution(n_threads=2), plugins=plugins)
    assert len(list(own_cache.iterdir())) == 2
    Separator(execution=Execution(n_threads=3), plugins=plugins)
    assert len(list(own_cache.iterdir())) == 3


NUMBERS = st.integers(1, 2**29 - 1)


@given(st.lists(st.tuples(NUMBERS, st.integers(0, 2**64 - 1) | st.binary(max_size=300))))
def test_fields_are_read_as_they_were_written(fields: list[tuple[int, int | bytes]]) -> None:
    message = b"".join(
        integer_field(number, value) if isinstance(value, int) else field_header(number, len(value)) + value
        for number, value in fields
    )
    assert list(read_fields(message)) == fields
