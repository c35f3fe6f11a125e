"""From a checkpoint's folder to a model file without TensorFlow: how fetched models are made."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from stemdock import Execution, ModelDamagedError, OnnxSession, file_sha256
from stemdock_export.bundle import Bundle
from stemdock_export.cards import make_card
from stemdock_export.checkpoint import check_variables, find_checkpoint
from stemdock_export.convert import finish_model, write_model
from stemdock_export.errors import SelfCheckError
from stemdock_export.extra import import_extra
from stemdock_export.onnx_network import build_model
from stemdock_export.staging import check_output, staged_file
from stemdock_export.unet import describe_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock import ModelCard
    from stemdock_export.checkpoint import Checkpoint
    from stemdock_export.config import SpleeterConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedModel:
    """What was written."""

    path: Path
    card: ModelCard
    n_bytes: int
    sha256: str
    """Of the file, hex."""


def convert_checkpoint(
    directory: Path,
    config: SpleeterConfig,
    output: Path,
    *,
    name: str = "",
    licence: str = "",
    overwrite: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> ConvertedModel:
    """Makes an ONNX model of a checkpoint with numpy and onnx alone.

    The file appears when it is complete and has run once; if anything goes wrong, nothing is left.

    Args:
        directory: The checkpoint's folder.
        config: What the checkpoint was trained with.
        output: The model file.
        name: What people will call the model; if empty, the predefined configuration's name, or
            else the output file's.
        licence: Licence and holder of the weights; if empty, told by the checkpoint's hash.
        overwrite: Whether the output may be replaced.
        on_step: Told what is being done next.

    Raises:
        OutputError: The output exists, or cannot be written.
        CheckpointError: The checkpoint cannot be read or does not fit the configuration.
        SelfCheckError: The model gives no estimates that could be used.
        ModelError: The model cannot be loaded.
        ExtraMissingError: There is no onnx or no google-crc32c.
    """
    check_output(output, overwrite=overwrite)
    checkpoint = find_checkpoint(directory)
    import_extra("google_crc32c")
    import_extra("onnx")
    on_step(f"reading {checkpoint.prefix}")
    card = make_card(
        config,
        checkpoint,
        output,
        name=name,
        licence=licence,
        exporter=f"stemdock {version('stemdock')} (direct, onnx {version('onnx')})",
    )
    with staged_file(output) as staged:
        _write(checkpoint, config, card, staged)
        on_step("trying the model")
        _try(staged, card, checkpoint.prefix)
        sha256 = file_sha256(staged)
        check_output(output, overwrite=overwrite)
        staged.replace(output)
    return ConvertedModel(path=output, card=card, n_bytes=output.stat().st_size, sha256=sha256)


def _write(checkpoint: Checkpoint, config: SpleeterConfig, card: ModelCard, path: Path) -> None:
    # A function of its own, so that the model has left the memory before onnxruntime loads it.
    network = describe_network(config)
    bundle = Bundle(checkpoint)
    check_variables(checkpoint.prefix, network, bundle.shapes)
    model = build_model(config, network, bundle.read)
    finish_model(model, card)
    write_model(model, path)


def _try(path: Path, card: ModelCard, prefix: Path) -> None:
    """Separates one segment of noise.

    Equal estimates for all stems are what a network makes whose weights were never loaded.
    """
    # The runtime's own session, which also checks that graph and card agree.
    session = OnnxSession(path, Execution(provider="cpu"))
    # White noise has Rayleigh-distributed magnitudes, here of a tenth of full scale.
    scale = 0.1 * np.sqrt(card.frame_length) / 2
    shape = (1, card.n_frames, card.n_bins, card.n_channels)
    mixture = np.random.default_rng(0).rayleigh(scale, shape).astype(np.float32)
    try:
        estimates = session.run(mixture)
    except ModelDamagedError as error:
        raise SelfCheckError(prefix, f"it is of no use ({error})") from error
    if all(np.array_equal(estimate, estimates[0]) for estimate in estimates):
        raise SelfCheckError(prefix, "its estimates of all stems are the same")
