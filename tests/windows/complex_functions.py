"""Gives numpy and scipy the functions of complex numbers that wine's C runtime does not have.

Their modules import them from a DLL of the C runtime. A DLL that Zig builds has these functions, and passes
all others on to wine's. It has a name of its own: wine takes its own file for each name of the C runtime.
"""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windows.errors import SetUpError

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE: Final = Path(__file__).with_suffix(".c")
_RUNTIME: Final = b"api-ms-win-crt-math-l1-1-0.dll"
_OURS: Final = b"complex-functions-for-wine.dll"
"""As long as the other name, which it replaces in the modules."""
_TARGET: Final = "x86_64-windows-gnu"
_FUNCTION: Final = re.compile(r"^(?:NUMBER|FUNCTION)\((\w+)\)$|\bour_(cpow[fl]?)\(", re.MULTILINE)


def add_complex_functions(packages: Path, programs: Path) -> None:
    """Builds the DLL, and lets the modules that import functions of complex numbers use it.

    Args:
        packages: The folder of the installed packages, whose modules are changed.
        programs: The folder of `python.exe`, where the DLL is put.

    Raises:
        SetUpError: Zig cannot build it.
    """
    ours = _our_names()
    wanted: set[str] = set()
    changed: dict[Path, bytes] = {}
    for module in packages.rglob("*.pyd"):
        data = module.read_bytes()
        names = set(imported_names(data, _RUNTIME)) if _RUNTIME in data else set()
        if names & ours:
            wanted |= names
            changed[module] = data.replace(_RUNTIME, _OURS)
    _build(wanted, ours, programs)
    for module, data in changed.items():
        module.write_bytes(data)


def imported_names(program: bytes, library: bytes) -> Iterator[str]:
    """The functions that a 64-bit Windows program imports from a library by name.

    The layout is in Microsoft's "PE Format": optional header, table of sections, import directory.
    """
    (header,) = struct.unpack_from("<I", program, 0x3C)
    n_sections, optional_length = struct.unpack_from("<H12xH", program, header + 6)
    optional = header + 24
    (imports,) = struct.unpack_from("<I", program, optional + 120)
    sections = [
        struct.unpack_from("<II4xI", program, optional + optional_length + 40 * index + 8)
        for index in range(n_sections)
    ]

    def place(address: int) -> int:
        return next(
            int(address - start + offset)
            for length, start, offset in sections
            if start <= address < start + length
        )

    def text(address: int) -> bytes:
        start = place(address)
        return program[start : program.index(b"\0", start)]

    row = place(imports)
    while any(entry := struct.unpack_from("<I8xII", program, row)):
        names, name, _ = entry
        row += 20
        if text(name).lower() != library:
            continue
        cell = place(names)
        while (value := struct.unpack_from("<Q", program, cell)[0]) != 0:
            cell += 8
            if not value >> 63:
                yield text(value + 2).decode()


def _our_names() -> set[str]:
    found: set[str] = set()
    for name, whole in _FUNCTION.findall(SOURCE.read_text(encoding="utf-8")):
        found |= {whole} if whole else {name, f"{name}f", f"{name}l"}
    return found


def _build(wanted: set[str], ours: set[str], programs: Path) -> None:
    name = _OURS.decode()
    exports = [f"{each}={'our_' if each in ours else 'ucrtbase.'}{each}" for each in sorted(wanted)]
    definition = programs / f"{name}.def"
    definition.write_text("\n".join([f'LIBRARY "{name}"', "EXPORTS", *exports, ""]), encoding="utf-8")
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", _TARGET, "-O2", "-std=c11", "-fno-builtin"]
    command = [*zig, "-shared", "-s", "-o", str(programs / name), str(SOURCE), str(definition)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SetUpError(f"{name} cannot be built:\n{done.stdout[-2000:]}")
