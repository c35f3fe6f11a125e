"""The page about Python works as it stands, and has all public names."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
from pathlib import Path
from typing import Any

import pytest
import soundfile

import stemdock
from support.tutorials import blocks_of, section

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "python.md"
SONG = ROOT / "tests" / "data" / "audio_example.mp3"
PRINTED = re.compile(r"^\s*print\(.*\)  # (.*)$", re.MULTILINE)


def test_its_examples_print_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples, sample_rate = soundfile.read(SONG, frames=4 * 44100)
    soundfile.write(tmp_path / "song.wav", samples, sample_rate, subtype="FLOAT")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    n_compared = 0
    for block in blocks_of(PAGE.read_text("utf-8")):
        assert block.language == "python"
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.text, PAGE.name, "exec"), names)  # noqa: S102  a page of this repository
        shown = PRINTED.findall(block.text)
        assert printed.getvalue().splitlines() == shown
        n_compared += len(shown)
    assert n_compared > 20


def test_it_has_every_public_name() -> None:
    listed = set(re.findall(r"`(\w+)`", section(PAGE, "Every public name")))
    errors = {name for name in stemdock.__all__ if name.endswith("Error")}
    assert set(stemdock.__all__) - listed - errors == set()
    assert listed - set(stemdock.__all__) == set()


def rows_of_errors() -> dict[str, tuple[set[str], set[str]]]:
    """Bases and attributes of each error, as the page has them."""
    rows = [line.split("|")[1:-1] for line in section(PAGE, "Errors").splitlines() if line.startswith("| `")]
    words = re.compile(r"`(\w+)`")
    return {
        name.strip(" `"): (set(words.findall(bases)), set(words.findall(facts)))
        for name, bases, _, facts in rows
    }


def test_it_has_every_error() -> None:
    errors = {name for name in stemdock.__all__ if name.endswith("Error")}
    assert set(rows_of_errors()) == errors - {"StemdockError"}


@pytest.mark.parametrize("name", rows_of_errors())
def test_an_error_is_what_it_says(name: str) -> None:
    error = getattr(stemdock, name)
    bases, facts = rows_of_errors()[name]
    assert {base.__name__ for base in error.__bases__} - {"StemdockError"} == bases
    described = " ".join(
        inspect.getdoc(each) or "" for each in error.__mro__ if issubclass(each, stemdock.StemdockError)
    )
    found = set(re.findall(r"^ {4}(\w+): ", described, re.MULTILINE))
    assert found - {"remedy"} == facts
