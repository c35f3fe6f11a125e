"""The operators of ONNX that a model may use.

They are those of both ways of exporting Spleeter, and others of convolutional networks. The output of each
has at most the elements that its inputs, its kernels and strides, and broadcasting give it. Operators are
missing here if a number in the file determines the size of the output (`Expand`, `HannWindow`, `Resize`),
if they run graphs (`Loop`), or if no convolutional network needs them.

References:
    onnx, `docs/Operators.md`.
"""

from __future__ import annotations

from typing import Final

OPERATORS: Final = frozenset(
    {
        # Layers.
        "AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "Dropout",
        "GlobalAveragePool", "GlobalMaxPool", "GroupNormalization", "InstanceNormalization",
        "LayerNormalization", "LpNormalization", "MaxPool",
        # Activations.
        "Celu", "Clip", "Elu", "Erf", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "LogSoftmax",
        "Mish", "PRelu", "Relu", "Selu", "Sigmoid", "Softmax", "Softplus", "Softsign", "Tanh",
        "ThresholdedRelu",
        # Element by element.
        "Abs", "Add", "Cast", "Ceil", "Cos", "DequantizeLinear", "Div", "Exp", "Floor", "Identity",
        "Log", "Max", "Mean", "Min", "Mul", "Neg", "Pow", "QuantizeLinear", "Reciprocal", "Round",
        "Sign", "Sin", "Sqrt", "Sub", "Sum",
        # Over an axis.
        "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
        "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
        # Shapes.
        "Concat", "Constant", "DepthToSpace", "Flatten", "Reshape", "Shape", "Slice",
        "SpaceToDepth", "Split", "Squeeze", "Transpose", "Unsqueeze",
    }
)  # fmt: skip
"""Names, in ONNX's own domain."""
