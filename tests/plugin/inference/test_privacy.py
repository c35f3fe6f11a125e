"""Separating tells nobody: onnxruntime's reports stay off, and what they would leave behind is not there."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from stemdock.inference.runtime import available_providers

if TYPE_CHECKING:
    from pathlib import Path


def files_after(program: str, home: Path) -> list[Path]:
    """What a program leaves in a person's home; nothing tells it that it runs in a test."""
    subprocess.run(
        [sys.executable, "-c", program], env={"PATH": os.environ["PATH"], "HOME": str(home)}, check=True
    )
    return [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.slow
def test_loading_a_model_leaves_no_identifier_of_the_person(tmp_path: Path) -> None:
    files = files_after("import stemdock; stemdock.Separator()", tmp_path)
    assert files
    assert all("stemdock" in path.parts for path in files)


def test_onnxruntime_is_told_before_it_loads() -> None:
    program = """
import os, sys
from stemdock.inference.runtime import available_providers
class Finder:
    def find_spec(self, name, *_):
        if name == "onnxruntime":
            print(os.environ.get("ORT_DISABLE_TELEMETRY"))
sys.meta_path.insert(0, Finder())
available_providers()
"""
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"]},
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout == "1\n"
    assert available_providers()
