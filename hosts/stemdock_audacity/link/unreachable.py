"""Finds out why Audacity cannot be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock_audacity.errors import (
    BusyError,
    DialogOpenError,
    ModuleOffError,
    NoPipeError,
    NotRunningError,
)
from stemdock_audacity.link.processes import find_audacity, is_busy
from stemdock_audacity.profile.folders import find_profile, find_version, has_no_pipe

if TYPE_CHECKING:
    from stemdock import HostUnreachableError


def no_pipe_error() -> HostUnreachableError:
    """The error for a pipe that does not exist."""
    if not find_audacity():
        return NotRunningError()
    version = find_version(find_profile())
    if has_no_pipe(version):
        return NoPipeError(version)
    return ModuleOffError()


def no_answer_error() -> HostUnreachableError:
    """The error for an open pipe without an answer."""
    pids = find_audacity()
    if not pids:
        return NotRunningError()
    if any(is_busy(pid) for pid in pids):
        return BusyError("Audacity is busy")
    return DialogOpenError()
