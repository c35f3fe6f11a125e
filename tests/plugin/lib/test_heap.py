"""The heap of a process, as glibc itself describes it."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

_DESCRIBED = """
import ctypes, sys
from threading import Barrier, Thread
from stemdock.lib.heap import keep_memory

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.fdopen.restype = ctypes.c_void_p
if sys.argv[1] == "kept":
    keep_memory()
together = Barrier(4)

def use():
    together.wait()
    libc.malloc(100_000)
    together.wait()

threads = [Thread(target=use) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_info(0, ctypes.c_void_p(libc.fdopen(1, b"w")))
libc.fflush(None)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_info"), reason="libc is not that of GNU"
)
def test_all_threads_share_one_heap() -> None:
    def n_heaps(mode: str) -> int:
        command = [sys.executable, "-c", _DESCRIBED, mode]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.count("<heap nr=")

    assert n_heaps("kept") == 1
    assert n_heaps("default") > 1
