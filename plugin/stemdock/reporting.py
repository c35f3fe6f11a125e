"""How the command line words an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from stemdock.errors import StemdockError


def echo_error(error: StemdockError) -> None:
    """Tells an error and its remedy in one line on standard error."""
    click.echo(" ".join(f"error: {error}. {error.remedy}".split()), err=True)
