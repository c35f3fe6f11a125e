"""The options that choose an engine for a batch, and what its workers get."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any

import click

from stemdock.batch.budget import divided
from stemdock.cli.option_values import with_value
from stemdock.cli.standard_output import STANDARD_OUTPUT
from stemdock.lib.cores import n_physical_cores
from stemdock.types import MAX_THREADS
from stemdock.workforce import WorkerNeeds

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock.output.naming import Destination
    from stemdock.plugins import Plugins
    from stemdock.types import Execution
    from stemdock.workforce import BatchEngine


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
            help="Use the engine's machines at this address. For ray: auto, or HOST:PORT.  [default: only "
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


def chosen_engine(options: EngineOptions, plugins: Plugins, destination: Destination) -> BatchEngine | None:
    """The engine; None if there is to be none.

    Args:
        options: Of the engine.
        plugins: They have the engines.
        destination: Of the stems.

    Raises:
        click.UsageError: There is no such engine, or an option needs one.
    """
    if options.engine is None:
        values = {
            "--address": options.address,
            "--max-workers": options.max_workers,
            "--worker-cpus": options.worker_cpus,
            "--worker-gpus": options.worker_gpus,
        }
        for name, value in values.items():
            if value is not None:
                raise click.UsageError(f"{name} needs --engine.")
        return None
    engines = {engine.name: engine for engine in plugins.batch_engines()}
    if options.engine not in engines:
        known = ", ".join(engines) or "none"
        raise click.UsageError(f"There is no engine {options.engine!r}. Engines of plug-ins: {known}.")
    if str(destination.folder) == STANDARD_OUTPUT:
        raise click.UsageError("--engine cannot be used with -o -: the stems must be files.")
    if destination.location and destination.location.scheme == "memory":
        raise click.UsageError("--engine cannot be used with memory://: each worker has its own memory.")
    return engines[options.engine]


def opening_execution(share: Execution, options: EngineOptions) -> Execution:
    """How this process itself opens the model: if the workers are elsewhere, as every machine can."""
    return replace(share, provider="cpu", precision="float32") if options.address else share


def engine_shares(
    options: EngineOptions, execution: Execution, n_workers: int
) -> tuple[list[Execution], WorkerNeeds]:
    """How each worker of an engine separates, and what it needs.

    Args:
        options: Of the engine.
        execution: What all workers together may use. On other machines, nothing is known of their cores and
            their memory: without numbers, each worker has one core.
        n_workers: At most so many at the same time.
    """
    shares = divided(execution, n_workers)
    if options.worker_cpus:
        shares = [replace(share, n_threads=ceil(options.worker_cpus)) for share in shares]
    elif options.address:
        shares = [replace(share, n_threads=max(1, execution.n_threads // n_workers)) for share in shares]
    if options.address:
        shares = [replace(share, memory=execution.memory // n_workers) for share in shares]
    needs = WorkerNeeds(
        n_workers=n_workers,
        n_cores=options.worker_cpus or max(share.n_threads or n_physical_cores() for share in shares),
        n_gpus=options.worker_gpus or 0,
        address=options.address,
    )
    return shares, needs
