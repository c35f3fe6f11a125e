"""The faults that are planted, and the reasons for those that no test notices."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from mutation.mutants import mutants_of
from mutation.running import ROOT
from mutation.targets import TARGETS

REASONS = tomllib.loads(Path(__file__).with_name("reasons.toml").read_text(encoding="utf-8"))

SOURCE = '''
"""A text is no part that runs."""
LIMIT: int = 3
def first(path):
    """Nor is this."""
    with locked(path), opened(path) as file:
        if not file or len(path) < LIMIT:
            os.fsync(file)
            return save(path, durable=True)
    try:
        n_files += 1
    except OSError:
        raise ValueError("a text")
    finally:
        release()
    return None
'''
CHANGES = {
    "LIMIT: int = 3": ["3 + 1"],
    "with locked(path), opened(path) as file:": ["without locked(path)"],
    "if not file or len(path) < LIMIT:": [
        "always", "never", "and/or swapped", "not removed", "compared otherwise",
    ],
    "os.fsync(file)": ["removed"],
    "return save(path, durable=True)": ["returns None", "without durable", "True negated"],
    "try:": ["without finally", "handler 1 raises again"],
    "n_files += 1": ["other operator", "removed", "1 + 1"],
    'raise ValueError("a text")': ["removed"],
    "release()": ["removed"],
}  # fmt: skip


def test_each_part_that_runs_gets_its_faults() -> None:
    mutants = mutants_of(SOURCE)
    found = {(mutant.text, mutant.change) for mutant in mutants}
    assert found == {(text, change) for text, changes in CHANGES.items() for change in changes}
    assert len({mutant.source for mutant in mutants}) == len(mutants)
    assert all(ast.parse(mutant.source) for mutant in mutants)


def test_equal_changes_of_equal_lines_have_names_of_their_own() -> None:
    mutants = mutants_of("def clean_up(path):\n    remove(path)\n    release()\n    remove(path)\n")
    assert [mutant.name for mutant in mutants] == [
        "clean_up: remove(path): removed",
        "clean_up: release(): removed",
        "clean_up: remove(path): removed (2)",
    ]


@pytest.mark.parametrize("module", TARGETS)
def test_targets_exist(module: str) -> None:
    assert (ROOT / module).is_file()
    assert all((ROOT / test).exists() for test in TARGETS[module])


@pytest.mark.parametrize("module", REASONS)
def test_reasons_belong_to_faults_that_exist(module: str) -> None:
    names = {mutant.name for mutant in mutants_of((ROOT / module).read_text(encoding="utf-8"))}
    assert REASONS[module].keys() <= names
