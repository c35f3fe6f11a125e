"""Errors of the engine."""

from __future__ import annotations

from stemdock import StemdockError


class RayMissingError(StemdockError):
    """Ray is not installed."""

    def __init__(self) -> None:
        super().__init__("--engine ray needs the package ray", remedy="Run: pip install 'stemdock[ray]'")


class RayAddressError(StemdockError):
    """A cluster cannot be reached.

    Attributes:
        address: As it was given.
    """

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"the Ray cluster {address} cannot be used ({reason})",
            remedy="Start the run on a machine of the cluster, with --address HOST:PORT, the address that "
            "`ray start --head` prints. If the cluster uses tokens, set RAY_AUTH_MODE=token.",
        )
        self.address = address


class RayStartError(StemdockError):
    """Ray cannot be started on this machine."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"Ray cannot be started ({reason})",
            remedy="Free some memory and disk space, or use --workers without --engine.",
        )


class RayLostError(StemdockError):
    """The connection to Ray is lost."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"Ray is lost ({reason})",
            remedy="Check the cluster, and start the same command again with --resume.",
        )


class TooFewResourcesError(StemdockError):
    """No machine can hold a worker."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"no machine has what one worker needs ({what})",
            remedy="Use less --worker-cpus or --worker-gpus, or add machines to the cluster.",
        )
