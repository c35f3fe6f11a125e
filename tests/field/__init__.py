"""Separates the test files of other projects, and compares the length of the stems with what ffmpeg decodes.

`./dev field --help` says how; without a folder it fetches packages with such files.
"""
