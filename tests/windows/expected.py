"""A pytest plugin that knows which tests wine cannot pass, by `listed.toml`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windows.listed import FAILURES

if TYPE_CHECKING:
    from collections.abc import Sequence


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Expect the failures in the list. A test that passes in spite of it fails.

    Raises:
        pytest.UsageError: A test in the list is not in the file that it names.
    """
    files = {item.nodeid.partition("::")[0] for item in items}
    for test, reason in FAILURES.items():
        starts = (f"{test}[", f"{test}::")
        found = [item for item in items if item.nodeid == test or item.nodeid.startswith(starts)]
        if not found and test.partition("::")[0] in files:
            raise pytest.UsageError(f"listed.toml names a test that does not exist: {test}")
        for item in found:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
