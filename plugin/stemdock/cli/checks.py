"""Printing what the doctor commands find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import click

from stemdock.lib.printing import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stemdock.entries import Check

_STATUSES: Final = ("ok", "warning", "failure")
"""From the best to the worst."""


def echo_checks(checks: Iterable[Check]) -> Literal["ok", "warning", "failure"]:
    """Prints one line for each check, as soon as it is there.

    Returns:
        The worst status; "ok" if there is no check.
    """
    worst: Literal["ok", "warning", "failure"] = "ok"
    for check in checks:
        worst = max(worst, check.status, key=_STATUSES.index)
        click.echo(printable(f"{check.status:8}{check.subject}: {check.detail} {check.remedy}".rstrip()))
    return worst
