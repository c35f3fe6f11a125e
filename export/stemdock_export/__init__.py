"""Turns Spleeter's TensorFlow checkpoints into ONNX models."""
