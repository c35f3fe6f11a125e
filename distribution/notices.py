"""Prints the licences of every Python package that is installed beside Stemdock, for those who pass it on.

    python distribution/notices.py > THIRD-PARTY.txt

The container image carries the result. The wheel carries nothing of others but what NOTICE names.
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
    """Files of a package that hold terms or names of authors, wherever its wheel has put them."""
    for path in distribution.files or ():
        in_metadata = ".dist-info" in path.parts[0] and "licenses" in path.parts[1:-1]
        named_so = path.name.upper().replace("-", "_").startswith(_LICENCE_NAMES)
        if (in_metadata or named_so) and path.suffix not in {".py", ".pyc", ".so"}:
            yield path


def terms(distribution: Distribution) -> str:
    """What the package says its licence is, in a word."""
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
    """The text, a package after the other, in the order of their names."""
    yield "Python packages that come with Stemdock here, each under its own licence."
    for distribution in sorted(distributions(), key=lambda each: each.name.lower()):
        yield f"\n{_RULE}\n{distribution.name} {distribution.version}: {terms(distribution)}\n{_RULE}"
        paths = list(licence_files(distribution))
        for path in paths:
            yield f"\n--- {path}\n"
            yield path.read_text(encoding="utf-8")
        if not paths:
            yield "\nThe package brings no text of its licence."


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    for part in notices():
        print(part)
