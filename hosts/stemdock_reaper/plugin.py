"""Tells Stemdock about REAPER."""

from __future__ import annotations

from stemdock.hookspecs import hookimpl
from stemdock.types import Check, HostEntry


@hookimpl
def stemdock_hosts() -> list[HostEntry]:
    """REAPER 6.47 or newer."""
    return [HostEntry(name="reaper", summary="REAPER, by ReaScript.", diagnose=_diagnose)]


def _diagnose() -> list[Check]:
    from stemdock_reaper.installation import diagnose  # noqa: PLC0415  only doctor needs it

    return diagnose()
