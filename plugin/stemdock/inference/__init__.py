"""Models and onnxruntime."""
