"""Measures how fast this machine multiplies float32 matrices, the upper limit for a network's speed.

Run as `python -m benchmarks.sgemm THREADS`. Set OPENBLAS_NUM_THREADS to the same number, since OpenBLAS
reads it only once.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from benchmarks.workspace import ROOT, run

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZE: Final = 2048
_REPETITIONS: Final = 50


def sgemm_peaks() -> dict[int, dict[str, float]]:
    """GFLOP/s by threads (one, and one for each core) and library, each in a new process."""
    peaks = {}
    for n_threads in sorted({1, os.cpu_count() or 1}):
        variables = {"OPENBLAS_NUM_THREADS": str(n_threads), "PYTHONPATH": str(ROOT)}
        output = run([sys.executable, "-m", "benchmarks.sgemm", str(n_threads)], variables)
        peaks[n_threads] = json.loads(output)
    return peaks


def _fastest(multiply: Callable[[], Any]) -> float:
    """GFLOP/s of the fastest repetition, which was disturbed the least."""
    multiply()
    durations = []
    for _ in range(_REPETITIONS):
        began = time.perf_counter()
        multiply()
        durations.append(time.perf_counter() - began)
    return 2 * _SIZE**3 / min(durations) / 1e9


def _onnxruntime_session(n_threads: int) -> onnxruntime.InferenceSession:
    """A graph that multiplies two square matrices."""
    shape = (_SIZE, _SIZE)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("a", "b", "c")]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])], "sgemm", values[:2], values[2:]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def main() -> None:
    """Prints GFLOP/s by library as JSON."""
    random = np.random.default_rng(0)
    a, b = (random.standard_normal((_SIZE, _SIZE), np.float32) for _ in range(2))
    c = np.empty_like(a)
    session = _onnxruntime_session(int(sys.argv[1]))
    peaks = {
        "OpenBLAS": _fastest(lambda: np.matmul(a, b, out=c)),
        "onnxruntime": _fastest(lambda: session.run(None, {"a": a, "b": b})),
    }
    print(json.dumps(peaks))


if __name__ == "__main__":
    main()
