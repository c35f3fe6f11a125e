"""The options that choose an engine for a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from stemdock.cli.option_values import with_value
from stemdock.types import MAX_THREADS

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """What starts the workers of a batch."""

    engine: str | None
    """None: threads or processes of this program."""
    address: str | None
    max_workers: int | None
    worker_cpus: float | None
    worker_gpus: float | None


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --engine and what belongs to it, as the argument `engine`."""
    options = (
        click.option(
            "--engine", metavar="ENGINE",
            help="Start the workers with this engine of a plug-in. ray: actors of Ray, on this machine or on "
            "a cluster; needs stemdock[ray].  [default: processes of this program]",
        ),
        click.option(
            "--address", metavar="ADDRESS",
            help="Use the engine's machines at this address. For ray: HOST:PORT.  [default: only "
            "this machine]",
        ),
        click.option(
            "--max-workers", type=click.IntRange(min=1, max=MAX_THREADS), metavar="N",
            help="Start up to this many workers of the engine while songs wait, and give back those that "
            "have none. --workers stay to the end.  [default: as --workers]",
        ),
        click.option(
            "--worker-cpus", type=click.FloatRange(min=0.01, max=MAX_THREADS), metavar="N",
            help="Reserve this many cores for each worker of the engine, perhaps a fraction.  [default: its "
            "share of --threads; with --address, 1]",
        ),
        click.option(
            "--worker-gpus", type=click.FloatRange(min=0, max=MAX_THREADS), metavar="N",
            help="Reserve this many graphics processors for each worker of the engine, perhaps a fraction.  "
            "[default: 0]",
        ),
    )  # fmt: skip
    return with_value(command, "engine", EngineOptions, options)
