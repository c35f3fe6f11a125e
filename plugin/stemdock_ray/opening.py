"""Opening the engine: Ray must be there, and is imported with the right settings."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from stemdock_ray.environment import prepare_environment
from stemdock_ray.errors import RayAddressError, RayMissingError

if TYPE_CHECKING:
    from stemdock import WorkerNeeds
    from stemdock_ray.actors import Actors


def open_actors(needs: WorkerNeeds) -> Actors:
    """Imports Ray, and starts nothing yet.

    Args:
        needs: What the actors need.

    Raises:
        RayMissingError: Ray is not installed.
        RayAddressError: The address is one that cannot be used.
    """
    if find_spec("ray") is None:
        raise RayMissingError
    if needs.address:
        _check(needs.address)
    prepare_environment(is_here=needs.address is None)
    # Ray reads the environment when it is imported.
    from stemdock_ray.actors import Actors  # noqa: PLC0415

    return Actors(needs)


def _check(address: str) -> None:
    if "://" in address:
        raise RayAddressError(address, "Ray's client is not supported")
    # Left to choose by "auto", Ray takes clusters that have ended, too, and waits for them.
    if not address.rpartition(":")[2].isdecimal():
        raise RayAddressError(address, "the address is not HOST:PORT")
