"""Compares the estimates of a model with those of TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from stemdock import INPUT_NAME, ratio_masks
from stemdock_export.errors import ParityError
from stemdock_export.extra import import_tensorflow, quiet
from stemdock_export.figures import StemFigures, compare
from stemdock_export.running import load_model
from stemdock_export.signals import parity_signals
from stemdock_export.tf_network import output_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stemdock import FloatArray, OnnxSession
    from stemdock_export.compact import WeightStorage
    from stemdock_export.config import SpleeterConfig
    from stemdock_export.figures import Quantity
    from stemdock_export.unet import Network

FLOORS: Final[Mapping[WeightStorage, Mapping[Quantity, float]]] = {
    "float32": {"estimate": 90.0, "masked": 90.0, "batch": 90.0},
    "int16": {"estimate": 75.0, "masked": 75.0, "batch": 90.0},
}
"""dB that every stem must reach on every signal. Between two runtimes, float32 reaches 110 and more.
The generated sounds are harder for 16-bit weights than music: one stem is almost silent in them, and
their tones last for the whole segment, as does every error."""


def measure_parity(
    graph: Any, network: Network, config: SpleeterConfig, path: Path
) -> tuple[StemFigures, ...]:
    """Runs TensorFlow and onnxruntime on the same segments.

    Args:
        graph: From `tf_network.build_graph`.
        network: The network in that graph.
        config: Has the shape of a segment.
        path: The ONNX file.

    Returns:
        For every signal and stem: the model's estimates against TensorFlow's, the masked magnitudes
        of both, and the model's estimates for a batch of two segments against one segment at a time.
    """
    stems = tuple(unet.stem for unet in network.unets)
    session = load_model(path)
    figures: list[StemFigures] = []
    for signal, magnitude in parity_signals(config).items():
        references = _run_tensorflow(graph, network, magnitude)
        estimates = _one_by_one(session, magnitude)
        figures += _compare(signal, "estimate", stems, references, estimates)
        figures += _compare(
            signal,
            "masked",
            stems,
            _masked(references, magnitude, config),
            _masked(estimates, magnitude, config),
        )
        if len(magnitude) > 1:
            batch = session.run(magnitude)
            figures += _compare(signal, "batch", stems, estimates, batch)
    return tuple(figures)


def require_parity(figures: Sequence[StemFigures], weights: WeightStorage) -> None:
    """Rejects a model that differs more from TensorFlow than its weight storage explains.

    Raises:
        ParityError: A figure is below its floor in `FLOORS`.
    """
    floors = FLOORS[weights]
    # Not `snr < floor`, which would let a NaN pass.
    failed = [each for each in figures if not each.snr >= floors[each.quantity]]
    if failed:
        worst = min(failed, key=lambda each: each.snr)
        raise ParityError(figures, worst, floors[worst.quantity])


def _run_tensorflow(graph: Any, network: Network, magnitude: FloatArray) -> list[FloatArray]:
    tf = import_tensorflow()
    with quiet(), tf.compat.v1.Session(graph=graph) as session:
        estimates: list[FloatArray] = session.run(
            [f"{name}:0" for name in output_names(network)], {f"{INPUT_NAME}:0": magnitude}
        )
    return estimates


def _one_by_one(session: OnnxSession, magnitude: FloatArray) -> list[FloatArray]:
    runs = [session.run(segment[np.newaxis]) for segment in magnitude]
    return [np.concatenate(estimates) for estimates in zip(*runs, strict=True)]


def _masked(
    estimates: Sequence[FloatArray], magnitude: FloatArray, config: SpleeterConfig
) -> list[FloatArray]:
    """Magnitudes of the stems after masking, where small estimates count if all are small."""
    return [mask * magnitude for mask in ratio_masks(estimates, config.separation_exponent)]


def _compare(
    signal: str,
    quantity: Quantity,
    stems: Sequence[str],
    references: Sequence[FloatArray],
    results: Sequence[FloatArray],
) -> list[StemFigures]:
    figures = []
    for stem, reference, result in zip(stems, references, results, strict=True):
        snr, max_error = compare(reference, result)
        figures.append(StemFigures(signal=signal, quantity=quantity, stem=stem, snr=snr, max_error=max_error))
    return figures
