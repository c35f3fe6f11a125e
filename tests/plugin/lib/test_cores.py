"""The cores that a process may use, as systems show them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from stemdock.lib import cores
from stemdock.lib.cores import n_allowed_cores, n_logical_cores, n_physical_cores, quota

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], sys.maxsize),
        (["max 100000"], sys.maxsize),  # version 2
        (["-1 100000"], sys.maxsize),  # version 1
        (["200000 100000"], 2),
        (["150000 100000"], 2),
        (["50000 100000"], 1),
        (["max 100000", "300000 100000", "400000 100000"], 3),
    ],
)
def test_the_quota_of_a_container(settings: list[str], expected: int) -> None:
    assert quota(settings) == expected


def test_a_quota_limits_all_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    monkeypatch.setattr(cores, "group_settings", lambda *_: ["300000 100000"])
    for number in range(8):
        (tmp_path / f"cpu{number}/topology").mkdir(parents=True)
        (tmp_path / f"cpu{number}/topology/thread_siblings_list").write_text(f"{number}\n")
    assert (n_allowed_cores(), n_logical_cores(), n_physical_cores(tmp_path)) == (8, 3, 3)


@pytest.mark.parametrize(
    ("siblings", "expected"),
    [
        (["0", "1", "2", "3"], 4),
        (["0,4", "1,5", "2,6", "3,7"] * 2, 4),
        (["0-1", "0-1", "2-3", "2-3", "4", "5"], 4),  # two cores with two threads, two with one
    ],
)
def test_second_threads_are_not_counted(
    siblings: list[str], expected: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(len(siblings)), raising=False)
    monkeypatch.setattr(cores, "group_settings", lambda *_: [])
    for number, text in enumerate(siblings):
        (tmp_path / f"cpu{number}/topology").mkdir(parents=True)
        (tmp_path / f"cpu{number}/topology/thread_siblings_list").write_text(f"{text}\n")
    assert n_physical_cores(tmp_path) == expected


def test_where_linux_hides_them_the_count_is_within_the_allowed(tmp_path: Path) -> None:
    assert 1 <= n_physical_cores(tmp_path / "missing") <= n_allowed_cores()
