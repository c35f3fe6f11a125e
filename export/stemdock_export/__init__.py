"""Exports Spleeter checkpoints to ONNX models, with one of two converters.

The reference converter (`reference`) uses TensorFlow and tf2onnx, needs the `[export]` extra, and
compares its models with TensorFlow. The direct converter (`direct`) reads the checkpoint and builds the
graph itself. It needs only Stemdock's own dependencies, so installing a model uses it. Tests compare the
two. `exporting` has the steps that both share.

Conventions:
    A *checkpoint* is a TensorFlow file, a *model* an ONNX file. Tensors inside the network are
    `(n_segments, n_frames, n_bins, n_channels)`, TensorFlow's order, before the conversion.
    TensorFlow, tf2onnx, onnx and google-crc32c are imported inside functions only, since that takes
    seconds.
"""
