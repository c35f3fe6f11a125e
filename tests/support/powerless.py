"""Running programs without the administrator's power to read and write everything."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache

import pytest


@cache
def powerless() -> tuple[str, ...]:
    """What to put before a command so that permissions bind it. Skips the test where that is impossible."""
    if not hasattr(os, "geteuid"):
        pytest.skip("this system has no permissions of this kind")
    if os.geteuid() != 0:
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("the tests run as root, and setpriv is not installed")
    prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("the tests run as root, and setpriv cannot take away its powers here")
    return prefix
