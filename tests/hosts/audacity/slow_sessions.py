"""A plug-in for the programs that the tests start: networks that take their time while a file exists.

So a test can interfere with a separation however fast the machine is.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from stemdock import hookimpl
from stemdock.inference.session import OnnxSession

_SECONDS = 1.0
"""For each segment of twelve seconds."""


class _SlowSession:
    def __init__(self, session: OnnxSession) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, magnitude: Any) -> Any:
        if Path(os.environ["STEMDOCK_SLOW"]).exists():
            time.sleep(_SECONDS)
        return self._session.run(magnitude)


@hookimpl
def stemdock_session(path: Path, execution: Any) -> _SlowSession:
    return _SlowSession(OnnxSession(path, execution, keep_prepared=True))
