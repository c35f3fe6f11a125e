"""Entry points of installed packages, from the files that installers write.

`importlib.metadata` gives the same. It imports the parser of e-mails, and that takes a third of the time of
`plugin-cli --help`. So it is used only where packages are elsewhere than in folders, such as in a zip file.

References:
    PyPA, "Entry points specification" and "Recording installed projects".
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KINDS: Final = (".dist-info", ".egg-info")
_LIBRARY: Final = f"python{sys.version_info.major}{sys.version_info.minor}.zip"
"""Python's own library, in the embeddable package for Windows; it describes no packages."""
_FILE: Final = "entry_points.txt"
_FACTS: Final = ("METADATA", "PKG-INFO")


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """An object that an installed package offers."""

    name: str
    value: str
    """`module` or `module:attribute`."""
    origin: str
    """Distribution and version."""

    def load(self) -> Any:
        """The object; raises what importing it raises."""
        module, _, attributes = self.value.partition(":")
        found: Any = import_module(module.strip())
        for attribute in filter(None, attributes.partition("[")[0].strip().split(".")):
            found = getattr(found, attribute)
        return found


def entry_points(group: str) -> Sequence[EntryPoint]:
    """The entry points of a group, in the order of `sys.path`."""
    if any(path.is_file() and path.name != _LIBRARY for path in map(Path, sys.path)):
        return _by_the_library(group)
    found: dict[str, list[EntryPoint]] = {}
    for information in _installed():
        name = re.sub(r"[-_.]+", "-", information.stem.partition("-")[0]).lower()
        if name in found:  # a package that hides another version of itself
            continue
        content = ""
        with suppress(OSError, UnicodeDecodeError):
            content = (information / _FILE).read_text("utf-8")
        lines = _section(content, group)
        origin = _origin(information) if lines else ""
        found[name] = [EntryPoint(key, value, origin) for key, value in lines]
    return [entry for entries in found.values() for entry in entries]


def _installed() -> Iterator[Path]:
    """The folders that describe packages."""
    for folder in sys.path:
        with suppress(OSError):
            yield from (path for path in Path(folder or ".").iterdir() if path.suffix in _KINDS)


def _section(content: str, group: str) -> list[tuple[str, str]]:
    """Names and values in the section of a group."""
    found = []
    section = ""
    for line in map(str.strip, content.splitlines()):
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section == group and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            found.append((name.strip(), value.strip()))
    return found


def _origin(information: Path) -> str:
    """Name and version of a package."""
    facts: dict[str, str] = {}
    for name in _FACTS:
        with suppress(OSError, UnicodeDecodeError):
            head = (information / name).read_text("utf-8").partition("\n\n")[0]
            facts |= dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    return f"{facts.get('Name', information.stem)} {facts.get('Version', '')}".strip()


def _by_the_library(group: str) -> Sequence[EntryPoint]:
    import importlib.metadata  # noqa: PLC0415  imported slowly

    return [
        EntryPoint(entry.name, entry.value, f"{entry.dist.name} {entry.dist.version}" if entry.dist else "?")
        for entry in importlib.metadata.entry_points(group=group)
    ]
