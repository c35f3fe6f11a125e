"""Registers the engine with Stemdock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import BatchEngine, hookimpl

if TYPE_CHECKING:
    from stemdock import WorkerNeeds, Workforce


@hookimpl
def stemdock_batch_engines() -> list[BatchEngine]:
    """`ray`."""
    return [BatchEngine(name="ray", summary="Actors of Ray, on this machine or on a cluster.", open=_open)]


def _open(needs: WorkerNeeds) -> Workforce:
    from stemdock_ray.opening import open_actors  # noqa: PLC0415  only this engine needs it

    return open_actors(needs)
