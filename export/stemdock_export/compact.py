"""Stores weights in 16 bits, which halves the file. Computation still uses float32.

Each large kernel is stored as int16 with a scale for every pair of channels, that is, for every
5x5 patch. This scale is a uint8, in units of a scale of the output channel:

    weight[o, i, t, f] = integer[o, i, t, f] * (patch[o, i] * unit[o])

The graph contains this formula as Cast and Mul of constants. onnxruntime computes it once, when it
loads the model, so separation is as fast as with float32 weights. (DequantizeLinear would be shorter,
but onnxruntime keeps it for integer kernels and would dequantize again for every segment.)

Measured on ten seconds of music with the released 2stems, as the SNR in dB against the stems of the
float32 weights: float16 84 to 90, int16 with a scale for each output channel 98 to 104, this code 107
to 113. On generated sounds in which one stem is almost silent: 82 and more. (The rounding of single
weights changes such figures by a few dB.) Small kernels take little space but matter most (with 16 bits
for them too: 87 to 92), so they stay float32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from stemdock_export.extra import import_extra

if TYPE_CHECKING:
    from numpy.typing import NDArray

WeightStorage = Literal["float32", "int16"]
"""How the large kernels of a model are stored; the others are always float32."""

LARGE: Final = 1 << 17
"""Minimum number of weights for 16 bits; smaller kernels hold 2 % of a U-Net."""
_INTEGER_PEAK: Final = 32767
_PATCH_PEAK: Final = 255
_OUTPUT_AXIS: Final = {"Conv": 0, "ConvTranspose": 1}
"""Axis of the output channels in an ONNX kernel."""


def compact_weights(model: Any) -> None:
    """Stores the large kernels of a converted model in 16 bits, in place."""
    onnx = import_extra("onnx")
    graph = model.graph
    constants = {constant.name: constant for constant in graph.initializer}
    for node in list(graph.node):
        kernel = constants.get(node.input[1]) if node.op_type in _OUTPUT_AXIS else None
        if kernel is None or np.prod(kernel.dims) < LARGE:
            continue
        codes = encode(onnx.numpy_helper.to_array(kernel), _OUTPUT_AXIS[node.op_type])
        graph.initializer.remove(kernel)
        for part, code in zip(("integer", "patch", "unit"), codes, strict=True):
            graph.initializer.append(onnx.numpy_helper.from_array(code, f"{kernel.name}/{part}"))
        for position, decoder in enumerate(_decoder(onnx, kernel.name)):
            graph.node.insert(position, decoder)


def encode(
    kernel: NDArray[np.float32], output_axis: int
) -> tuple[NDArray[np.int16], NDArray[np.uint8], NDArray[np.float32]]:
    """Encodes one kernel.

    Args:
        kernel: Channels along the first two axes, a patch along the last two.
        output_axis: Axis of the output channels, 0 or 1.

    Returns:
        Integers of the kernel's shape; patch scales, with length 1 along the last two axes; units,
        with length 1 along the axis of the input channels too.
    """
    peaks = np.abs(kernel).max(axis=(2, 3), keepdims=True).astype(np.float64)
    units = (peaks.max(axis=1 - output_axis, keepdims=True) / (_PATCH_PEAK * _INTEGER_PEAK)).astype(
        np.float32
    )
    # A channel of zeros still needs a scale to divide by.
    units = np.maximum(units, np.finfo(np.float32).tiny)
    # Rounded up, so that the largest weight of a patch is not clipped; at least 1.
    patches = np.clip(np.ceil(peaks / units / _INTEGER_PEAK), 1, _PATCH_PEAK).astype(np.uint8)
    integers = _round_patches(kernel / (patches * units.astype(np.float64)))
    return np.clip(integers, -_INTEGER_PEAK, _INTEGER_PEAK).astype(np.int16), patches, units


def _round_patches(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rounds every value up or down so that the sum of each patch changes by at most half a unit.

    The input varies little from bin to bin and from frame to frame, so the sum of the rounding errors
    is what matters. With ordinary rounding it would be several times as large.
    """
    flat = values.reshape(*values.shape[:2], -1)
    rounded = np.rint(flat)
    errors = flat - rounded
    # Values with the largest rounding error downwards come first.
    ranks = np.argsort(np.argsort(-errors, axis=-1), axis=-1)
    n_missing = np.rint(errors.sum(axis=-1, keepdims=True))
    rounded += ranks < n_missing
    rounded -= ranks >= flat.shape[-1] + n_missing
    return rounded.reshape(values.shape)


def _decoder(onnx: Any, name: str) -> list[Any]:
    """Nodes that compute the kernel `name` from its three parts."""
    node, to_float = onnx.helper.make_node, onnx.TensorProto.FLOAT
    integer, patch, scale = (f"{name}/{part}/float" for part in ("integer", "patch", "scale"))
    return [
        node("Cast", [f"{name}/integer"], [integer], name=integer, to=to_float),
        node("Cast", [f"{name}/patch"], [patch], name=patch, to=to_float),
        node("Mul", [patch, f"{name}/unit"], [scale], name=scale),
        node("Mul", [integer, scale], [name], name=name),
    ]
