"""The page about training: its configuration with a new stem works as it is printed."""

from __future__ import annotations

import dataclasses
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from stemdock_export.config import load_config
from stemdock_training.config import load_training_config
from support.tutorials import blocks_of

PAGE = Path(__file__).parents[2] / "docs" / "training.md"


@pytest.fixture
def guitar(tmp_path: Path) -> Path:
    (block,) = [each for each in blocks_of(PAGE.read_text("utf-8")) if each.file == "guitar.json"]
    path = tmp_path / block.file
    path.write_text(block.text, encoding="utf-8")
    return path


def test_its_configuration_is_that_of_four_stems_with_one_more(guitar: Path) -> None:
    four, five = load_config("4stems"), load_config(str(guitar))
    assert five.stems == (*four.stems, "guitar")
    assert dataclasses.replace(five, source=four.source, stems=four.stems) == four
    assert load_training_config(str(guitar)) == load_training_config("4stems")


@pytest.mark.export
@pytest.mark.slow
def test_its_command_lacks_nothing_but_the_checkpoint(guitar: Path) -> None:
    shells = [each.text for each in blocks_of(PAGE.read_text("utf-8")) if each.language == "sh"]
    (command,) = [text for text in shells if guitar.name in text]
    words = shlex.split(re.sub(r"\\\n", " ", command))[1:]
    done = subprocess.run(
        [sys.executable, "-m", "stemdock", *words],
        cwd=guitar.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {Path('pretrained_models/4stems')}: folder not found")
