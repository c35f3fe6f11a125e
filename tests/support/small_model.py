"""A tiny model without a network, for tests of everything around it."""

from __future__ import annotations

import os
import signal
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import onnx
import soundfile
from onnx import TensorProto, helper

from stemdock import ModelCard, ModelEntry, hookimpl
from stemdock.card import INPUT_NAME, card_to_metadata
from stemdock.engine.spleeter import make_engine

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

    from numpy.typing import NDArray

    from stemdock import Engine, SeparatedFile, Separation


def small_card(**changes: object) -> ModelCard:
    values: dict[str, object] = {
        "name": "small", "stems": ("low", "high"), "sample_rate": 8000, "n_channels": 2,
        "frame_length": 256, "hop_length": 64, "n_frames": 64, "n_bins": 64, "separation_exponent": 2,
        "mask_extension": "average", "licence": "MIT", "checkpoint_sha256": "", "exporter": "tests",
    }  # fmt: skip
    return ModelCard(**{**values, **changes})  # type: ignore[arg-type]


class SmallSession:
    """Gives low bins to the first stem and high bins to the second, and looks at whole segments.

    Like a network, it answers for a frame by what else is in the segment, so that a wrong grid shows.
    """

    provider = "cpu"

    def __init__(self, card: ModelCard | None = None, n_at_once: int = 1) -> None:
        self.card = card or small_card()
        self.n_at_once = n_at_once

    def run(
        self,
        magnitude: NDArray[np.float32],
        cancel: Event | None = None,  # noqa: ARG002  it is fast
    ) -> list[NDArray[np.float32]]:
        slope = np.linspace(0, 1, magnitude.shape[2], dtype=np.float32)[:, None]
        mean = magnitude.mean(axis=(1, 2), keepdims=True) + np.float32(1e-3)
        share = np.clip(slope * magnitude / mean, 0, 1)
        return [magnitude * (1 - share), magnitude * share]


class DeadlySession(SmallSession):
    """Silence kills its process, as a damaged file may that crashes a decoder."""

    def run(self, magnitude: NDArray[np.float32], cancel: Event | None = None) -> list[NDArray[np.float32]]:
        if not magnitude.any():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(magnitude, cancel)


class SmallPlugin:
    """Offers the small model by name, with an engine of its own."""

    def __init__(self, folder: Path, card: ModelCard | None = None) -> None:
        self.session = SmallSession(card)
        path = folder / "small.onnx"
        path.write_bytes(b"small")
        self.entry = ModelEntry.from_card(self.session.card, path=path, sha256=sha256(b"small").hexdigest())
        self.separated: list[SeparatedFile] = []

    @hookimpl
    def stemdock_models(self) -> list[ModelEntry]:
        return [self.entry]

    @hookimpl
    def stemdock_engine(self, entry: ModelEntry, separation: Separation) -> Engine | None:
        if entry.path != self.entry.path or entry.card is None:
            return None
        return make_engine(entry.card, self.session, mwf=separation.mwf)

    @hookimpl
    def stemdock_separated(self, separated: SeparatedFile) -> None:
        self.separated.append(separated)


def write_noise(path: Path, *, sample_rate: int = 8000, n_channels: int = 2, level: float = 0.5) -> Path:
    """Writes 16000 samples of noise."""
    samples = np.random.default_rng(1).uniform(-level, level, (16000, n_channels)).astype(np.float32)
    soundfile.write(path, samples, sample_rate, subtype="FLOAT")
    return path


def write_identity(path: Path, card: ModelCard) -> None:
    """Writes a model whose stems are all the mixture."""
    shape = ["n_segments", card.n_frames, card.n_bins, card.n_channels]
    graph = helper.make_graph(
        [helper.make_node("Identity", [INPUT_NAME], [stem]) for stem in card.stems],
        "example",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(stem, TensorProto.FLOAT, shape) for stem in card.stems],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, card_to_metadata(card))
    onnx.save(model, path)


def file_of(entry: ModelEntry) -> Path:
    """The file of a model that has one."""
    assert entry.path is not None
    return entry.path
