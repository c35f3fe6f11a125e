"""The scripts in the package, and the command with which they start the worker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock_hostkit.install.plan import OwnFile
from stemdock_hostkit.worker.starting import RUN_MODULE, background_python
from stemdock_reaper.profile import places

if TYPE_CHECKING:
    from collections.abc import Iterator

SHIPPED: Final = Path(__file__).parents[1] / "lua"
"""The folder of the scripts."""


def wanted_files(resources: Path, *, with_scripts: bool) -> Iterator[OwnFile]:
    """The files to install.

    Args:
        resources: REAPER's resource folder.
        with_scripts: Whether to install the scripts; False if ReaPack has installed them.
    """
    if with_scripts:
        for path in sorted(SHIPPED.rglob("*.lua")):
            target = places.script_folder(resources) / path.relative_to(SHIPPED)
            yield OwnFile(path=target, content=path.read_bytes())
    config = {"command": [] if places.is_sandboxed(resources) else worker_command()}
    content = (json.dumps(config, indent=2) + "\n").encode("ascii")
    yield OwnFile(path=places.config_path(resources), content=content)


def action_paths() -> list[str]:
    """The scripts in the Actions list, relative to the Scripts folder."""
    return [f"Stemdock/{path.name}" for path in sorted(SHIPPED.glob("*.lua"))]


def worker_command() -> list[str]:
    """The program that the script starts: this Python, on Windows without a console window."""
    return [background_python(), *RUN_MODULE, "stemdock", "reaper", "work"]
