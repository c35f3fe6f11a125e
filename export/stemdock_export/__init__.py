"""Turns Spleeter checkpoints into ONNX models; needs the `[export]` extra, the runtime never does.

Conventions:
    A *checkpoint* is TensorFlow's, a *model* is ONNX's. Tensors inside the network are
    `(n_segments, n_frames, n_bins, n_channels)`, TensorFlow's order, until the conversion.
    TensorFlow, tf2onnx and onnx are imported inside functions only: they take seconds.
"""
