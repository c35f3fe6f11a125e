"""What the engine of a batch is, and what its workers get."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import click

from stemdock.batch.budget import divided
from stemdock.cli.standard_output import STANDARD_OUTPUT
from stemdock.entries import WorkerNeeds
from stemdock.lib.cores import n_physical_cores

if TYPE_CHECKING:
    from stemdock.cli.engine_options import EngineOptions
    from stemdock.entries import BatchEngine
    from stemdock.output.naming import Destination
    from stemdock.plugins import Plugins
    from stemdock.types import Execution


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
        raise click.UsageError(
            f"There is no engine {options.engine!r}. Engines of plug-ins: {known}. "
            f"Install Stemdock again with the extra of the engine, such as: pip install 'stemdock[ray]'"
        )
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
