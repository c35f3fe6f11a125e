"""The error of this tool."""

from __future__ import annotations


class FieldError(Exception):
    """A package cannot be fetched, or a run did not end as a run has to."""
