"""Stemdock reads a model file as onnxruntime and the library onnx do, whatever its encoding."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import onnx
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.case import Place
from fuzz.targets import encodings
from stemdock.errors import ModelDamagedError
from stemdock_models.installed import embedded_models
from support.onnx_views import onnx_view, runtime_view, stemdock_view

if TYPE_CHECKING:
    import pytest


def test_the_embedded_models_are_the_same_to_all_readers() -> None:
    for entry in embedded_models():
        assert entry.path
        found = stemdock_view(entry.path)
        assert found == onnx_view(entry.path.read_bytes()) == runtime_view(entry.path.read_bytes())


@settings(max_examples=60)
@given(st.integers(0, 1 << 32))
def test_models_that_load_are_the_same_to_all_readers(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """`./dev fuzz --only encoding` compares thousands."""
    place = Place(root=tmp_path_factory.mktemp("case"))
    place.input.mkdir()
    encodings.damage(Random(seed), Path(), place.input)  # noqa: S311  must be reproducible
    try:
        encodings.run(place)
    except ModelDamagedError:
        return


@settings(max_examples=60)
@given(st.integers(0, 1 << 32))
def test_encodings_that_protobuf_allows_are_accepted(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "allowed.onnx"
    rng = Random(seed)  # noqa: S311  must be reproducible
    model = encodings.random_model(rng)
    path.write_bytes(encodings.encoded(rng, model, n_faults=0))
    assert onnx.load(path) == model
    assert stemdock_view(path) == onnx_view(model.SerializeToString())
