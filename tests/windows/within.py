"""Runs pytest in the Python of Windows, which takes no folders of modules from its environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(pytest.main(["-p", "windows.expected", "-p", "no:cacheprovider", *sys.argv[1:]]))
