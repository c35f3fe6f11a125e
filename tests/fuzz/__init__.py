"""Damaged inputs by the thousand: each must be separated or refused, and do no harm either way.

A case is a folder of input files, made from intact ones by a generator that is seeded with the run's
seed and the case's number, so that any case can be made again. It runs in a worker process with a
deadline and a limit on memory; see `fuzz.worker` for what counts as harm. `python -m fuzz --help`.
"""
