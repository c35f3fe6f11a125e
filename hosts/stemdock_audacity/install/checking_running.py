"""The check of a running Audacity for `plugin-cli audacity doctor`."""

from __future__ import annotations

from stemdock import Check, HostError
from stemdock_audacity.errors import NotRunningError
from stemdock_audacity.link.pipe import connect


def diagnose_running() -> Check:
    """Checks whether a running Audacity answers; does not start it."""
    subject = "audacity pipe"
    try:
        with connect() as pipe:
            n_tracks = len(pipe.tracks())
    except NotRunningError:
        return Check(subject=subject, status="ok", detail="Audacity is not running.")
    except HostError as error:
        return Check(subject=subject, status="warning", detail=f"{error}.", remedy=error.remedy)
    return Check(subject=subject, status="ok", detail=f"answers. Tracks in the project: {n_tracks}.")
