"""Steps, checkpoints, and how a training starts."""
