"""Turns Spleeter checkpoints into ONNX models, by either of two roads.

The reference road (`exporting`) runs TensorFlow and tf2onnx, needs the `[export]` extra, and proves
its models against TensorFlow. The direct road (`direct`) reads the checkpoint and builds the graph
itself; it needs nothing but what Stemdock depends on, so it is the one for users. Tests hold the two
against each other.

Conventions:
    A *checkpoint* is TensorFlow's, a *model* is ONNX's. Tensors inside the network are
    `(n_segments, n_frames, n_bins, n_channels)`, TensorFlow's order, until the conversion.
    TensorFlow, tf2onnx, onnx and google-crc32c are imported inside functions only: they take seconds.
"""
