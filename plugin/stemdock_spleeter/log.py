"""Spleeter's log: results on standard output, where programs expect them; problems on standard error."""

from __future__ import annotations

import logging
import sys

from stemdock import printable
from stemdock_spleeter.settings import is_strict

logger = logging.getLogger("spleeter")
"""Spleeter's own logger, by the name that programs configure it with."""


class _Printer(logging.Handler):
    """Prints records in Spleeter's form."""

    def emit(self, record: logging.LogRecord) -> None:
        problem = record.levelno > logging.INFO
        stream = sys.stderr if problem and not is_strict() else sys.stdout
        text = f"{record.levelname}:{record.name}:{record.getMessage()}"
        stream.write("\n".join(map(printable, text.splitlines())) + "\n")
        stream.flush()


_PRINTER = _Printer()


def print_log() -> None:
    """Prints the log from now on, as importing Spleeter does."""
    logger.addHandler(_PRINTER)
    logger.propagate = False
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)


def configure_logger(verbose: bool) -> None:
    """Prints more of the log.

    Args:
        verbose: Whether messages for the search of errors are printed, too.
    """
    if verbose:
        logger.setLevel(logging.DEBUG)
