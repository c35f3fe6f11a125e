"""What a batch costs, as lines for people and as values for programs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock.batch.report import Estimate, Report

_NAMES: Final = {
    "download": "download",
    "decode": "read and decode",
    "separate": "separate",
    "encode": "encode and write",
    "upload": "upload",
    "other": "check and record",
}
_LEAST_SHARE: Final = 0.005
"""Smaller ones are 0 %."""
_DAY: Final = 86400
"""Seconds."""


def report_lines(report: Report) -> list[str]:
    """What was separated so far."""
    return [
        f"{report.songs_per_hour:,.0f} songs an hour, {report.speed:.1f}x real time; {_costs(report)}",
        *_bottleneck(report),
    ]


def estimate_lines(estimate: Estimate, now: Callable[[], datetime] = datetime.now) -> list[str]:
    """What the whole batch would take on this machine."""
    if not estimate.measured.n_songs:
        return ["no estimate: none of the measured songs could be separated"]
    expected = estimate.expected
    end = now() + timedelta(seconds=expected.elapsed)
    return [
        (
            f"estimate for {_counted(expected.n_songs, 'song')} from {estimate.measured.n_songs}: "
            f"{_span(expected.elapsed)} on this machine, if it starts now until {end:%Y-%m-%d %H:%M}"
        ),
        *report_lines(expected),
    ]


def report_values(report: Report) -> dict[str, Any]:
    """The fields of an event."""
    return {
        "songs_per_hour": report.songs_per_hour,
        "speed": report.speed,
        "shares": dict(report.shares),
        "bottleneck": report.bottleneck,
        "core_hours": report.core_hours,
        "cost": report.cost,
    }


def estimate_values(
    estimate: Estimate, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> dict[str, Any]:
    """The fields of an event."""
    expected = estimate.expected
    return {
        "n_songs": expected.n_songs,
        "n_measured": estimate.measured.n_songs,
        "elapsed": expected.elapsed,
        "end": (now() + timedelta(seconds=expected.elapsed)).isoformat(timespec="seconds"),
        **report_values(expected),
    }


def _costs(report: Report) -> str:
    text = f"{report.core_hours:,.2f} core-hours"
    return text if report.cost is None else f"{text}, {report.cost:,.2f} at {report.price:g} each"


def _bottleneck(report: Report) -> list[str]:
    if report.bottleneck is None:
        return []
    shares = ", ".join(
        f"{_NAMES[stage]} {share:.0%}" for stage, share in report.shares.items() if share >= _LEAST_SHARE
    )
    return [f"bottleneck: {_NAMES[report.bottleneck]} ({shares})"]


def _span(seconds: float) -> str:
    days, rest = divmod(round(seconds), _DAY)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    clock = f"{hours}:{minutes:02}:{rest:02}" if days or hours else f"{minutes}:{rest:02}"
    return f"{_counted(days, 'day')} {clock}" if days else clock


def _counted(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number:,} {what}s"
