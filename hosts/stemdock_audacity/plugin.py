"""Tells Stemdock about Audacity."""

from __future__ import annotations

from stemdock.hookspecs import hookimpl
from stemdock.types import Check, HostEntry


@hookimpl
def stemdock_hosts() -> list[HostEntry]:
    """Audacity, version 3."""
    return [HostEntry(name="audacity", summary="Audacity 3, over mod-script-pipe.", diagnose=_diagnose)]


def _diagnose() -> list[Check]:
    from stemdock_audacity.installation import diagnose  # noqa: PLC0415  only doctor needs it

    return diagnose()
