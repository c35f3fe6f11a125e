"""Registers the engine with Stemdock."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from stemdock import BatchEngine, hookimpl
from stemdock_ray.environment import prepare_environment
from stemdock_ray.errors import RayAddressError, RayMissingError

if TYPE_CHECKING:
    from stemdock import WorkerNeeds, Workforce


@hookimpl
def stemdock_batch_engines() -> list[BatchEngine]:
    """`ray`."""
    return [BatchEngine(name="ray", summary="Actors of Ray, on this machine or on a cluster.", open=_open)]


def _open(needs: WorkerNeeds) -> Workforce:
    if find_spec("ray") is None:
        raise RayMissingError
    if needs.address and "://" in needs.address:
        raise RayAddressError(needs.address, "Ray's client cannot be used")
    prepare_environment(is_here=needs.address is None)
    # Importing Ray takes most of a second.
    from stemdock_ray.actors import Actors  # noqa: PLC0415

    return Actors(needs)
