"""Runs one command and measures it: `python -I measure.py RESULT FOLDER COMMAND...`.

This is a small separate program that uses only the standard library. The kernel counts the memory of the
process that starts a command in the command's peak.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

_HEADER_SIZE = 256
"""Bytes; the WAV headers of all programs are shorter."""
_INTERVAL = 0.005
"""Seconds between two checks of the folder."""


def _wait_for_samples(folder: Path, began: float, ended: threading.Event, latency: list[float]) -> None:
    """Appends the seconds until a file below `folder`, even a hidden one, first contains samples."""
    while not ended.wait(_INTERVAL):
        for path in folder.rglob("*.wav"):
            try:
                size = path.stat().st_size
            except OSError:
                # The program moved it to its final place in the meantime.
                continue
            if size > _HEADER_SIZE:
                latency.append(time.perf_counter() - began)
                return


def main() -> None:
    """Runs the command and writes the measurements to a JSON file; the command prints as usual."""
    result, folder, command = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    latency: list[float] = []
    ended = threading.Event()
    began = time.perf_counter()
    with subprocess.Popen(command) as process:
        watch = threading.Thread(target=_wait_for_samples, args=(folder, began, ended, latency))
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watch.join()
    figures = {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_memory": usage.ru_maxrss * 1024,
        # If a file appeared within the last interval, the end of the run is an upper bound.
        "latency": latency[0] if latency else wall,
        "exit_code": process.returncode,
    }
    result.write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
