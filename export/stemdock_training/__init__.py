"""Trains Spleeter's networks, from songs with known stems to a model in every host's menu.

Rooms, from top to bottom: `command` and `run` (one training from beginning to end), `loop` (steps,
checkpoints, how a training starts), `report` (progress, TensorBoard events, early looks), `loss` (the
network, its loss, Adam), `data` (songs, their checks, segments, batches), `config` (what Spleeter's JSON
says about training).

Conventions:
    A *song* is a mixture and its stems, a *segment* a part of a song as magnitudes, a *batch* the
    `batch_size` segments of one step. Magnitudes are `(n_frames, n_bins, n_channels)` float32, the order of
    TensorFlow. Everything random is a function of the seed and of the number of the step, so a checkpoint
    needs no random state, and a training that goes on takes the same batches as one that never stopped.

References:
    deezer/spleeter 2.4.2: `dataset.py` and `model/__init__.py`, learnt as facts.
"""
