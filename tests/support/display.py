"""A display on which programs show their windows, and waiting for what they do."""

from __future__ import annotations

import os
import select
import subprocess
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


def wait_until(condition: Callable[[], T], seconds: float = 60.0, what: str = "") -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what or condition}")


class Display:
    """An X server with a window manager."""

    def __init__(self, log: Path, size: str = "1280x800") -> None:
        reading, writing = os.pipe()
        with log.open("wb") as sink:
            self._server = subprocess.Popen(
                ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size}x24", "-noreset"],
                pass_fds=[writing], stdout=sink, stderr=sink,
            )  # fmt: skip
            os.close(writing)
            number = b""
            while not number.endswith(b"\n"):
                assert select.select([reading], [], [], 30)[0], "Xvfb does not start"
                number += os.read(reading, 16)
            os.close(reading)
            self.name = f":{number.decode().strip()}"
            environment = {**os.environ, "DISPLAY": self.name}
            self._manager = subprocess.Popen(["openbox"], env=environment, stdout=sink, stderr=sink)

    def close(self) -> None:
        for process in (self._manager, self._server):
            process.terminate()
            process.wait(20)
