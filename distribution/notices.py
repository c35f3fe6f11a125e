"""Prints the licences of all installed Python packages, for redistribution together with Stemdock.

    python distribution/notices.py > THIRD-PARTY.txt

The container image includes the result. The wheel includes third-party code only if its own licence files
name it.
"""

from __future__ import annotations

import sys
from importlib.metadata import distributions
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import Distribution, PackagePath

_RULE = "=" * 78
_LICENCE_NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS", "THIRDPARTY", "THIRD_PARTY")


def licence_files(distribution: Distribution) -> Iterator[PackagePath]:
    """Files of a package with its licence terms or authors, wherever its wheel puts them."""
    for path in distribution.files or ():
        in_metadata = ".dist-info" in path.parts[0] and "licenses" in path.parts[1:-1]
        named_so = path.name.upper().replace("-", "_").startswith(_LICENCE_NAMES)
        if (in_metadata or named_so) and path.suffix not in {".py", ".pyc", ".so"}:
            yield path


def terms(distribution: Distribution) -> str:
    """The short name of the package's licence."""
    metadata = distribution.metadata
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in metadata.get_all("Classifier", [])
        if line.startswith("License :: ")
    ]
    for found in (metadata.get("License-Expression"), " ".join(classifiers), metadata.get("License")):
        if found:
            return str(found).splitlines()[0]
    return "see below"


def notices() -> Iterator[str]:
    """The text, package by package in alphabetical order."""
    yield "Python packages that are distributed with Stemdock, each under its own licence."
    for distribution in sorted(distributions(), key=lambda each: each.name.lower()):
        yield f"\n{_RULE}\n{distribution.name} {distribution.version}: {terms(distribution)}\n{_RULE}"
        paths = list(licence_files(distribution))
        for path in paths:
            yield f"\n--- {path}\n"
            yield path.read_text(encoding="utf-8")
        if not paths:
            yield "\nThe package does not include a licence text."


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    for part in notices():
        print(part)
