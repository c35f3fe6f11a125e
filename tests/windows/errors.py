"""The error of this tool."""

from __future__ import annotations


class SetUpError(Exception):
    """The Python of Windows cannot be set up."""
