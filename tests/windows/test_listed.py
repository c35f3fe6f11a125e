"""The list of `./dev windows`, on every system."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from windows import expected
from windows.listed import CHOSEN, FAILURES

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]


def test_what_is_listed_exists() -> None:
    assert [name for name in CHOSEN if not (ROOT / name).exists()] == []
    for test in FAILURES:
        name, _, function = test.partition("::")
        assert f"def {function.partition('[')[0]}(" in (ROOT / name).read_text("utf-8")


def collected(names: Sequence[str]) -> list[tuple[str, Any]]:
    """The markers that tests with these names get."""
    given: list[tuple[str, Any]] = []
    items: Any = [
        SimpleNamespace(nodeid=name, add_marker=lambda mark, name=name: given.append((name, mark)))
        for name in names
    ]
    expected.pytest_collection_modifyitems(items)
    return given


def test_a_failure_is_expected_by_its_name_or_that_of_all_its_parameters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(expected, "FAILURES", {"a.py::one": "no links", "b.py::two[x]": "no pipes"})
    given = collected(["a.py::one[1]", "a.py::one[2]", "a.py::one_more", "b.py::two[x]", "b.py::two[y]"])
    assert [(name, mark.kwargs["reason"]) for name, mark in given] == [
        ("a.py::one[1]", "no links"), ("a.py::one[2]", "no links"), ("b.py::two[x]", "no pipes"),
    ]  # fmt: skip
    assert all(mark.kwargs["strict"] for _, mark in given)


def test_a_test_that_is_gone_must_leave_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected, "FAILURES", {"a.py::one": "no links"})
    assert collected(["b.py::one"]) == []
    with pytest.raises(pytest.UsageError, match=r"a\.py::one"):
        collected(["a.py::two"])
