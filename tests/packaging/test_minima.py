"""The lowest versions that pyproject.toml allows have the fixes of vulnerabilities that were known then."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
FIXED = {
    # Answers with headers without limit.
    "aiohttp": ("3.13.4", "CVE-2026-22815, CVE-2026-34516"),
    # Command injection through click.edit. The authors dispute it, and Stemdock does not call it.
    "click": ("8.3.3", "CVE-2026-7246"),
    # Another user's link in place of a lock file.
    "filelock": ("3.20.3", "CVE-2025-68146, CVE-2026-22701"),
    # Models that read or write files outside their folder, or change objects in the loader; crashes.
    "onnx": ("1.22", "CVE-2025-51480, CVE-2026-27489, -34445, -34446, -34447, -28500, -44512"),
    # External data outside the model's folder; reads beyond the ends of arrays. It has no CVE numbers.
    "onnxruntime": ("1.24.3", "microsoft/onnxruntime pull requests 26776 and 27430"),
    # Pictures that write beyond the ends of arrays, or unpack without end.
    "pillow": ("12.3", "CVE-2026-25990, CVE-2026-40192, CVE-2026-55379"),
    # Messages nested without limit.
    "protobuf": ("6.33.5", "CVE-2025-4565, CVE-2026-0994"),
    # Passwords of .netrc sent to another server; a predictable name in the temporary folder.
    "requests": ("2.33", "CVE-2024-47081, CVE-2026-25645"),
    "scipy": ("1.10", "CVE-2023-25399"),
    # Forms and ranges of bytes that take far more time or memory than they have bytes.
    "starlette": ("0.49.1", "CVE-2024-47874, CVE-2025-54121, CVE-2025-62727"),
    # Tags that are read forever.
    "tinytag": ("2.3", "CVE-2026-32889, CVE-2026-104266"),
    # Answers that unpack to more than was asked for.
    "urllib3": ("2.7", "CVE-2025-66418, CVE-2025-66471, CVE-2026-21441, CVE-2026-44432"),
}
"""The first version with all fixes, and their numbers."""


def minima() -> dict[str, Version]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [each for extra in project["optional-dependencies"].values() for each in extra]
    requirements = map(Requirement, [*project["dependencies"], *extras])
    return {
        canonicalize_name(each.name): Version(clause.version)
        for each in requirements
        for clause in each.specifier
        if clause.operator == ">="
    }


def test_every_dependency_has_a_lowest_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [each for extra in project["optional-dependencies"].values() for each in extra]
    assert len(minima()) == len(project["dependencies"]) + len(extras)


@pytest.mark.parametrize("name", FIXED)
def test_the_lowest_version_has_the_known_fixes(name: str) -> None:
    fixed, numbers = FIXED[name]
    assert minima()[name] >= Version(fixed), numbers
