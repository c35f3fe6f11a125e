"""Runs one command and measures it, as a program of its own: `python -I measure.py RESULT FOLDER COMMAND...`.

It uses the standard library alone and stays small, because the kernel counts the memory of the
process that starts a command as the command's own peak.
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
"""Bytes; no header of a WAV file that is written here is longer."""
_INTERVAL = 0.005
"""Seconds between two looks at the folder."""


def _wait_for_samples(folder: Path, began: float, ended: threading.Event, latency: list[float]) -> None:
    """Appends the seconds after which a file in `folder`, however deep or hidden, first held samples."""
    while not ended.wait(_INTERVAL):
        for path in folder.rglob("*.wav"):
            try:
                size = path.stat().st_size
            except OSError:
                # It was moved to its final place meanwhile.
                continue
            if size > _HEADER_SIZE:
                latency.append(time.perf_counter() - began)
                return


def main() -> None:
    """Measures; the result is a JSON file, the command's own messages pass through."""
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
        # A file that appeared whole within the last interval was there at the end at the latest.
        "latency": latency[0] if latency else wall,
        "exit_code": process.returncode,
    }
    result.write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
