"""Captures the selection over the pipe, with Audacity's own Nyquist prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock import NothingSelectedError
from stemdock_audacity.capture.request import read_request
from stemdock_audacity.errors import HOST, DialogOpenError, ReplyError
from stemdock_audacity.nyquist.texts import capture_text

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_audacity.capture.request import Request
    from stemdock_audacity.link.pipe import Pipe

_LEAST_TIME: Final = 5.0
"""Seconds for the shortest capture."""
_SPEED: Final = 50.0
"""Seconds of audio captured per second; a tenth of the measured speed."""


def capture_selection(pipe: Pipe, folder: Path) -> Request:
    """Writes the selected audio of every selected track.

    Args:
        pipe: The connection to Audacity.
        folder: The folder for the captured files; a path in plain ASCII.

    Returns:
        A request for all stems, without a model.

    Raises:
        NothingSelectedError: No track or no time range is selected, or the selection has no audio.
        HostUnreachableError: Audacity closed or does not answer.
    """
    selected = [info for info in pipe.tracks() if info.selected and info.kind == "wave"]
    if not selected:
        raise NothingSelectedError(HOST)
    script = folder / "capture.lsp"
    script.write_text(
        f'(setf stemdock-inbox "{folder.as_posix()}/")\n{capture_text()}\n(stemdock-capture)\n'
        "(if (stemdock-last-track) (stemdock-write-request nil))\n"
        '(setf stemdock-result (if (stemdock-last-track) nil ""))\n',
        "utf-8",
    )
    code = f'(load "{script.as_posix()}") stemdock-result'
    try:
        # This command always "fails": only then does the plug-in leave no step in the undo history.
        seconds = _LEAST_TIME + sum(info.end for info in selected) / _SPEED
        pipe.run("NyquistPrompt", Command=code, seconds=seconds)
    except DialogOpenError as error:
        # The selected time cannot be read beforehand; without one, Audacity opens a dialog.
        raise NothingSelectedError(HOST) from error
    try:
        request = read_request(folder)
    except FileNotFoundError as error:
        raise ReplyError("Audacity did not export the selection", str(error)) from error
    if not request.tracks:
        raise NothingSelectedError(HOST)
    return request
