"""Collects the damaged places of a file."""

from __future__ import annotations

from typing import Final

from stemdock.types import Damage

_MERGED: Final = 0.5
"""Seconds: places with invalid data that are as close as this count as one."""


def add_damage(places: list[Damage], damage: Damage) -> None:
    """Appends a place, or extends the last one by it."""
    last = places[-1] if places else None
    if (
        last
        and last.kind == damage.kind == "invalid"
        and damage.start <= last.start + last.duration + _MERGED
    ):
        end = max(last.start + last.duration, damage.start + damage.duration)
        places[-1] = Damage(start=last.start, duration=end - last.start, kind="invalid")
    else:
        places.append(damage)
