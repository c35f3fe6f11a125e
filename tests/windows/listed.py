"""The tests that run under wine, and those that wine cannot pass."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

_CONTENT: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

CHOSEN: Final[list[str]] = _CONTENT["tests"]
"""Files and folders whose tests make sense on Windows."""
FAILURES: Final[dict[str, str]] = _CONTENT["wine cannot"]
"""Why it fails, by the name of a test, or by that of all its parameters."""
