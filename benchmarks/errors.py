"""Errors of a benchmark."""

from __future__ import annotations


class BenchmarkError(Exception):
    """Something that the benchmark needs is missing or failed."""


class CommandFailedError(BenchmarkError):
    """A command ended with an error."""

    def __init__(self, command: list[str], exit_code: int, log: str) -> None:
        self.command = command
        self.exit_code = exit_code
        self.log = log
        super().__init__(f"exit code {exit_code} of: {' '.join(command)}\n{log}")
