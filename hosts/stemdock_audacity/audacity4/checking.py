"""The checks of Audacity 4 for `plugin-cli doctor`."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

from stemdock import Check, HostError
from stemdock_audacity.audacity4.bundle import bundle_files, library_of
from stemdock_audacity.audacity4.setup import installation, jobs_folder
from stemdock_audacity.errors import SandboxError

if TYPE_CHECKING:
    from stemdock_audacity.audacity4.places import Audacity4
    from stemdock_hostkit.install.plan import OwnFile

_INSTALL: Final = "Close Audacity and run `plugin-cli audacity install`."


def diagnose(place: Audacity4) -> list[Check]:
    """Checks the files; neither starts nor contacts Audacity."""
    subject = place.name.lower()
    if place.sandboxed:
        error = SandboxError()
        return [Check(subject=subject, status="warning", detail=f"{error}.", remedy=error.remedy)]
    detail = (
        str(place.program) if place.program else f"used by you ({place.data}); the program was not found."
    )
    return [Check(subject=subject, status="ok", detail=detail), _extension(place, f"{subject} extension")]


def _extension(place: Audacity4, subject: str) -> Check:
    try:
        files = bundle_files(place, jobs_folder())
        is_known = bool(installation(place).record.files)
    except HostError as error:
        return Check(subject=subject, status="warning", detail=f"{error}.", remedy=error.remedy)
    if not all(map(_is_in_place, files)):
        detail = "another version, or incomplete." if is_known else "not installed."
        return Check(subject=subject, status="warning", detail=detail, remedy=_INSTALL)
    if fault := _load_fault(files):
        return Check(
            subject=subject,
            status="warning",
            detail=f"its library does not load ({fault}).",
            remedy="Use a newer system, or separate files with `plugin-cli separate`.",
        )
    return Check(subject=subject, status="ok", detail=str(files[0].path.parent))


def _is_in_place(file: OwnFile) -> bool:
    try:
        return file.path.read_bytes() == file.content
    except OSError:
        return False


def _load_fault(files: list[OwnFile]) -> str:
    """Why the library does not load here; "" if it does."""
    path = library_of(files)
    if path is None:
        return "there is none for this processor"
    try:
        ctypes.CDLL(str(path)).extension_dispatch_v0  # noqa: B018  looking it up is the test
    except (OSError, AttributeError) as error:
        return str(error)
    return ""
