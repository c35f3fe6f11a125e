"""Every moment at which the power can fail during some work, on a simulated disk."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from support.recorded_calls import recorded_calls
from support.simulated_disk import Disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def power_cuts(root: Path, work: Callable[[], object], *, n_partial: int = 3) -> Iterator[Path]:
    """Does some work, and gives what the disk has after a cut at each moment of it, in order.

    Args:
        root: The folder that the work changes.
        work: It is done once.
        n_partial: How many times a disk is given for each moment on which a part of everything arrived.

    Yields:
        Copies of the folder: for each moment, one with all names, several with a part of everything, and one
        with only what was flushed.
    """
    disk = Disk(root)
    with recorded_calls(root) as calls:
        work()
    rng = Random(0)  # noqa: S311  must be reproducible
    for moment, call in enumerate([None, *calls]):
        if call:
            disk.apply(call)
        for number, mode in enumerate(["names", *["some"] * n_partial, "least"]):
            target = root.parent / f"{moment} {number}"
            disk.cut(rng, mode, target)
            yield target
