"""How the command line words an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from stemdock.errors import StemdockError


def echo_error(error: StemdockError) -> None:
    """Tells an error and its remedy in one line on standard error."""
    reason = str(error).rstrip(".")
    click.echo(" ".join(f"error: {reason}. {error.remedy}".split()), err=True)
