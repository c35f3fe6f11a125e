"""The released 4stems in its full width, but for its weights, fetched and converted without TensorFlow."""

from __future__ import annotations

import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from stemdock import Separator
from stemdock_export.config import load_config
from support.packing import pack
from support.release_server import ReleaseServer
from support.small_model import file_of
from support.tf_bundle import seeded_values, write_bundle

if TYPE_CHECKING:
    from stemdock_models.store import Store

pytestmark = pytest.mark.slow

PROGRAM = """
import atexit, sys
from pathlib import Path
# As if it were not installed.
sys.modules["tensorflow"] = None
# Unlike getrusage, the kernel's high-water mark leaves out the process that this one was forked from.
atexit.register(lambda: sys.stderr.write(Path("/proc/self/status").read_text()))
from stemdock.cli.main import main

main()
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from Linux's /proc")
def test_the_whole_width_converts_in_little_memory_without_tensorflow(tmp_path: Path, store: Store) -> None:
    archive = pack(write_bundle(tmp_path / "checkpoint", seeded_values(load_config("4stems"))))
    with (
        ReleaseServer({"4stems.tar.gz": archive}) as server,
        subprocess.Popen(
            [
                sys.executable, "-c", PROGRAM, "models", "pull", "4stems",
                "--base-url", server.url, "--sha256", sha256(archive).hexdigest(),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        told = {line.strip(): time.monotonic() for line in process.stderr}
        path = process.stdout.read().strip()
    assert process.returncode == 0, list(told)
    reading = next(when for line, when in told.items() if "reading" in line)
    installing = next(when for line, when in told.items() if "installing" in line)
    peak = next(int(line.split()[1]) * 1024 / 1e6 for line in told if line.startswith("VmHWM:"))
    print(f"converted in {installing - reading:.1f} s, peak memory of the whole pull {peak:.0f} MB")  # noqa: T201
    assert peak < 1000

    (entry,) = store.scan()[0]
    assert str(entry.path) == path
    assert file_of(entry).stat().st_size > 157_000_000
    mixture = np.random.default_rng(1).uniform(-0.5, 0.5, (44100, 2)).astype(np.float32)
    stems = Separator("4stems").separate(mixture)
    assert list(stems) == ["vocals", "drums", "bass", "other"]
    for samples in stems.values():
        assert np.isfinite(samples).all()
        assert np.abs(samples - mixture).max() > 0.01
