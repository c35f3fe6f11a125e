"""Runs thousands of damaged inputs: each must be separated or refused, and neither may do harm.

A case is a folder of input files, made from intact ones by a generator that is seeded with the run's
seed and the case's number, so that every case can be reproduced. It runs in a worker process with a
deadline and a memory limit; `fuzz.worker` defines harm. See `python -m fuzz --help`.
"""
