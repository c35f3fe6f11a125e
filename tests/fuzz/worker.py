"""One process that runs cases and looks for harm after each.

Harm is: an exception that is no StemdockError, or a memory that grows beyond its bound; and after the
case a file outside the output folder, anything in it after a refusal, or anything left in the folder
for temporary files. A death of the process and a case without an end are seen by `fuzz.pool`.
"""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from fuzz.case import Place
from fuzz.targets import TARGETS
from stemdock.errors import StemdockError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

MOST_ADDRESSES: Final = 6 << 30
"""Bytes of address space; what asks for more is refused by the system, and that is harm if it shows."""
MOST_MEMORY: Final = 700 << 20
"""Bytes resident in one case, the interpreter, numpy and onnxruntime included, which take 120 MB."""
_RECORDS: Final = "output/.stemdock/"
"""What the command line remembers of its results beside them."""
_ACCEPTED: Final = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a case."""

    ending: str
    """"accepted", or the name of the StemdockError."""
    harm: str = ""
    peak_memory: int = 0
    """Bytes resident at most during the case."""


def make_case(target: str, seed: int, number: int, corpus: Path, folder: Path) -> None:
    """Writes the input files of a case into an empty folder."""
    rng = Random(f"{seed}:{target}:{number}")  # noqa: S311  reproducible, which is the point
    TARGETS[target].damage(rng, corpus / target, folder)


def run_case(target: str, place: Place) -> Outcome:
    """Runs a case whose input is in place."""
    temporary = place.root.with_name("temporary")
    before = _names(place.input)
    _reset_peak()
    harm = ""
    try:
        TARGETS[target].run(place)
        ending = _ACCEPTED
    except StemdockError as error:
        ending = type(error).__name__
        if not str(error) or not error.remedy:
            harm = "an error without a message or a remedy"
    except Exception as error:  # noqa: BLE001  which is what this is about
        ending, harm = type(error).__name__, traceback.format_exc(limit=-6)
    peak_memory = _peak()
    left = _names(place.root) - {f"input/{name}" for name in before}
    strange = {name for name in left if not name.startswith(("input/", "output/"))}
    strange |= {name for name in left if "/." in name.removeprefix(_RECORDS)}
    if ending != _ACCEPTED:
        strange |= {name for name in left if name.startswith("output/")}
    strange |= {f"temporary/{name}" for name in _names(temporary)}
    strange |= {f"../{path.name}" for path in place.root.parent.iterdir()} - {
        f"../{name}" for name in (place.root.name, "temporary", "cache", "log")
    }
    if strange and not harm:
        harm = f"left behind: {', '.join(sorted(strange)[:5])!r} after {ending}"
    if peak_memory > MOST_MEMORY and not harm:
        harm = f"took {peak_memory >> 20} MB"
    return Outcome(ending=ending, harm=harm, peak_memory=peak_memory)


def serve(connection: Connection, root: Path) -> None:
    """Runs one case after another until there is none left; in a process of its own.

    Args:
        connection: Gives `(target, folder)` for each case and takes its `Outcome`; None ends it.
        root: A folder of this process' own.
    """
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    place = Place(root=root / "case")
    temporary = root / "temporary"
    for folder in (temporary, root / "cache"):
        folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(TMPDIR=str(temporary), STEMDOCK_CACHE=str(root / "cache"))
    tempfile.tempdir = None
    # Decoders in C complain to whoever listens; the connection has descriptors of its own.
    log = os.open(root / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    while (order := connection.recv()) is not None:
        target, folder = order
        shutil.copytree(folder, place.input)
        os.chdir(place.root)
        connection.send(run_case(target, place))
        os.chdir(root)
        for path in (place.root, temporary):
            shutil.rmtree(path, ignore_errors=True)
        temporary.mkdir()
        for path in root.iterdir():
            if path.name not in {"temporary", "cache", "log"}:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def _peak() -> int:
    """Bytes resident at most since the last reset."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))
