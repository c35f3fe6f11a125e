"""Separates the test files of other projects, and compares the length of the stems with what ffmpeg decodes.

`python -m field --help` says how; docs/robustness.md says where to get such files.
"""
