"""The whole way from a checkpoint's folder to a model file, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from stemdock_export.cards import make_card
from stemdock_export.checkpoint import find_checkpoint, read_variables
from stemdock_export.compact import compact_weights
from stemdock_export.convert import convert_graph, finish_model, write_model
from stemdock_export.extra import import_extra, import_tensorflow
from stemdock_export.parity import measure_parity, require_parity
from stemdock_export.staging import check_output, staged_file
from stemdock_export.tf_network import build_graph
from stemdock_export.unet import describe_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock import ModelCard
    from stemdock_export.compact import WeightStorage
    from stemdock_export.config import SpleeterConfig
    from stemdock_export.figures import StemFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedModel:
    """What was written."""

    path: Path
    card: ModelCard
    n_bytes: int
    figures: tuple[StemFigures, ...]
    """How far the model's estimates are from TensorFlow's."""


def export_model(
    directory: Path,
    config: SpleeterConfig,
    output: Path,
    *,
    name: str = "",
    licence: str = "",
    weights: WeightStorage = "float32",
    overwrite: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> ExportedModel:
    """Makes an ONNX model of a checkpoint and proves that it computes the same.

    The file appears when it is complete and proven; if anything goes wrong, nothing is left.

    Args:
        directory: The checkpoint's folder.
        config: What the checkpoint was trained with.
        output: The model file.
        name: What people will call the model; if empty, the predefined configuration's name, or
            else the output file's.
        licence: Licence and holder of the weights; if empty, told by the checkpoint's hash.
        weights: How the large kernels are stored.
        overwrite: Whether the output may be replaced.
        on_step: Told what is being done next.

    Raises:
        OutputError: The output exists, or cannot be written.
        CheckpointError: The checkpoint cannot be read or does not fit the configuration.
        ParityError: The model is too far from TensorFlow.
        ExtraMissingError: A package of the `[export]` extra is missing.
    """
    check_output(output, overwrite=overwrite)
    checkpoint = find_checkpoint(directory)
    on_step("loading TensorFlow")
    import_tensorflow()
    import_extra("onnx")
    import_extra("tf2onnx")

    on_step(f"reading {checkpoint.prefix}")
    network = describe_network(config)
    graph = build_graph(config, network, read_variables(checkpoint, network))
    card = make_card(
        config,
        checkpoint,
        output,
        name=name,
        licence=licence,
        exporter=f"stemdock {version('stemdock')} (tf2onnx {version('tf2onnx')})",
    )

    on_step("converting")
    model = convert_graph(graph, network)
    if weights == "int16":
        compact_weights(model)
    finish_model(model, card)

    with staged_file(output) as staged:
        write_model(model, staged)
        on_step("comparing with TensorFlow")
        figures = measure_parity(graph, network, config, staged)
        require_parity(figures, weights)
        check_output(output, overwrite=overwrite)
        staged.replace(output)
    return ExportedModel(path=output, card=card, n_bytes=output.stat().st_size, figures=figures)
