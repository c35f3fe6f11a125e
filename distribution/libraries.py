"""Builds the library of the extension for Audacity 4, for all systems, with the compiler of Zig from PyPI.

hatchling runs this when it builds a wheel. If the package ziglang is installed, the wheel gets the libraries.
If not, it gets everything else, and a line says what is missing. `STEMDOCK_LIBRARIES=build` makes the build
install ziglang. In a checkout, `./dev libraries` runs this.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a program, in an environment without hatchling
    if not TYPE_CHECKING:
        BuildHookInterface = object

ROOT: Final = Path(__file__).resolve().parents[1]
ROOM: Final = Path("hosts/stemdock_audacity/audacity4")
REQUIREMENT: Final = "ziglang==0.15.2"
"""The same compiler gives the same bytes."""
VARIABLE: Final = "STEMDOCK_LIBRARIES"
FLAGS: Final = ("-std=c11", "-shared", "-Os", "-s", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror")
MACOS_FLAGS: Final = ("-fPIC", "-Wl,-install_name,stemdock.dylib")
"""Without a name, the library contains the path at which it was written."""
COMMON: Final = ("dispatch.c", "audio.c")


class Target(NamedTuple):
    """A system to build for. No dataclass: hatchling loads this file in a way that these do not work in."""

    zig: str
    """Zig's name for it."""
    file: str
    """Where Audacity looks for the library, in the extension."""
    system: str = "system_posix.c"
    flags: tuple[str, ...] = ("-fPIC",)


TARGETS: Final = (
    Target(zig="x86_64-linux-gnu.2.34", file="linux/x86_64/stemdock.so"),
    Target(zig="aarch64-linux-gnu.2.34", file="linux/arm64/stemdock.so"),
    Target(zig="x86_64-macos.11.0", file="macos/x86_64/stemdock.dylib", flags=MACOS_FLAGS),
    Target(zig="aarch64-macos.11.0", file="macos/arm64/stemdock.dylib", flags=MACOS_FLAGS),
    Target(zig="x86_64-windows-gnu", file="windows/x86_64/stemdock.dll", system="system_windows.c", flags=()),
)


class LibrariesHook(BuildHookInterface):  # type: ignore[type-arg,misc,unused-ignore]
    """Puts the libraries into the wheel, if there is a compiler."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs beside hatchling."""
        return [REQUIREMENT] if os.environ.get(VARIABLE) == "build" else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the libraries before the wheel is packed."""
        root = Path(self.root)
        if has_compiler() and not is_built(root):
            build(root)
        if not is_built(root):
            self.app.display_warning(
                "The library for Audacity 4 is not built: install ziglang, or set STEMDOCK_LIBRARIES=build."
            )
        elif version != "editable":
            build_data["artifacts"] += [f"/{ROOM}/platform/**"]


def has_compiler() -> bool:
    """Whether Zig is installed in this Python."""
    return importlib.util.find_spec("ziglang") is not None


def is_built(root: Path = ROOT) -> bool:
    """Whether the libraries are there, and made from these sources."""
    try:
        about = json.loads((root / ROOM / "platform" / "built.json").read_text("ascii"))  # noqa: TID251  our own
    except (OSError, ValueError):
        return False
    return about == _description(root)


def build(root: Path = ROOT) -> None:
    """Builds all libraries.

    Args:
        root: The folder with pyproject.toml.

    Raises:
        subprocess.CalledProcessError: The compiler refused a source.
    """
    folder = root / ROOM / "platform"
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        for target in TARGETS:
            made = Path(scratch, Path(target.file).name)
            sources = [*COMMON, target.system]
            compiler = [sys.executable, "-m", "ziglang", "cc", "-target", target.zig]
            subprocess.run(  # noqa: S603
                [*compiler, *FLAGS, *target.flags, *sources, "-o", str(made)],
                check=True,
                cwd=root / ROOM / "library",
                env={**os.environ, "ZIG_LOCAL_CACHE_DIR": str(Path(scratch, "cache"))},
            )
            place = folder / target.file
            place.parent.mkdir(parents=True)
            shutil.copyfile(made, place)
    (folder / "built.json").write_text(json.dumps(_description(root), indent=1) + "\n", "ascii")


def _description(root: Path) -> dict[str, Any]:
    """From what, and as what, the libraries were built."""
    room = root / ROOM
    sources = sorted((room / "library").glob("*.[ch]"))
    libraries = [target.file for target in TARGETS]
    return {
        "compiler": REQUIREMENT,
        "sources": {path.name: _digest(path) for path in sources},
        "libraries": {name: _digest(room / "platform" / name) for name in libraries},
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    if not has_compiler():
        sys.exit(f"The compiler is missing. Install it: pip install {REQUIREMENT}")
    if is_built():
        print("The libraries are up to date.")
    else:
        build()
        print(f"built: {ROOM / 'platform'}")
