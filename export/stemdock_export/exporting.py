"""The whole way from a checkpoint's folder to a model file, step by step."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from stemdock.card import ModelCard
from stemdock.errors import OutputError, OutputExistsError, StemdockError
from stemdock_export.checkpoint import find_checkpoint, read_variables
from stemdock_export.compact import compact_weights
from stemdock_export.config import PREDEFINED
from stemdock_export.convert import convert_graph, finish_model
from stemdock_export.extra import import_extra, import_tensorflow
from stemdock_export.parity import FLOORS, measure_parity, require_parity
from stemdock_export.tf_network import build_graph
from stemdock_export.unet import describe_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stemdock_export.config import SpleeterConfig
    from stemdock_export.figures import StemFigures

WeightStorage = Literal["float32", "int16"]

_LICENCES: Final = {
    # Tensor data of the released 2stems, whose repository is under the MIT licence throughout.
    "7747f9fd2c782306dbec1504360fbb645a097a48446f23486c3ff9c89bc11788": "MIT, Deezer SA",
}
"""Licence and holder of the checkpoints that can be told by their hash."""
_UNKNOWN_LICENCE: Final = "unknown"


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
    _check_output(output, overwrite=overwrite)
    checkpoint = find_checkpoint(directory)
    on_step("loading TensorFlow")
    import_tensorflow()
    import_extra("onnx")
    import_extra("tf2onnx")

    on_step(f"reading {checkpoint.prefix}")
    network = describe_network(config)
    graph = build_graph(config, network, read_variables(checkpoint, network))
    card = _card(config, name or _default_name(config, output), licence, checkpoint.sha256())

    on_step("converting")
    model = convert_graph(graph, network)
    if weights == "int16":
        compact_weights(model)
    finish_model(model, card)

    with _staged(output) as staged:
        staged.write_bytes(model.SerializeToString())
        on_step("comparing with TensorFlow")
        figures = measure_parity(graph, network, config, staged)
        require_parity(figures, FLOORS[weights])
        _check_output(output, overwrite=overwrite)
        staged.replace(output)
    return ExportedModel(path=output, card=card, n_bytes=output.stat().st_size, figures=figures)


def _card(config: SpleeterConfig, name: str, licence: str, checkpoint_sha256: str) -> ModelCard:
    return ModelCard(
        name=name,
        stems=config.stems,
        sample_rate=config.sample_rate,
        n_channels=config.n_channels,
        frame_length=config.frame_length,
        hop_length=config.hop_length,
        n_frames=config.n_frames,
        n_bins=config.n_bins,
        separation_exponent=config.separation_exponent,
        mask_extension=config.mask_extension,
        licence=licence or _LICENCES.get(checkpoint_sha256, _UNKNOWN_LICENCE),
        checkpoint_sha256=checkpoint_sha256,
        exporter=f"stemdock {version('stemdock')} (tf2onnx {version('tf2onnx')})",
    )


def _default_name(config: SpleeterConfig, output: Path) -> str:
    # Files of configurations are mostly called base_config.json.
    return config.source if config.source in PREDEFINED else output.stem


def _check_output(output: Path, *, overwrite: bool) -> None:
    if output.is_dir():
        raise OutputError(output, "is a folder", remedy="Give the name of a file.")
    if not output.parent.is_dir():
        raise OutputError(output, "its folder does not exist", remedy="Make the folder, or choose another.")
    if output.exists() and not overwrite:
        raise OutputExistsError(output)


@contextmanager
def _staged(output: Path) -> Iterator[Path]:
    """A hidden file beside the output, gone at the end unless it was moved to its place."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{output.stem}-", suffix=".onnx", dir=output.parent)
        os.close(descriptor)
    except OSError as error:
        raise OutputError(
            output, f"cannot be written ({error.strerror})", remedy="Choose a folder that you may write to."
        ) from error
    staged = Path(name)
    try:
        # mkstemp's are for their owner alone, unlike files that are simply written.
        staged.chmod(0o666 & ~_umask())
        yield staged
    except StemdockError:
        raise  # some are OSErrors too, and say already what is wrong
    except OSError as error:
        raise OutputError(
            output, f"cannot be written ({error.strerror})", remedy="Look for space and rights there."
        ) from error
    finally:
        staged.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
