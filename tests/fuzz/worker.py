"""Runs cases in one process and looks for harm after each.

Harm is: an exception other than a StemdockError; too much memory; a file outside the output folder; a
file in the output folder after a refusal; or a file left in the folder for temporary files. `fuzz.pool`
detects crashes and timeouts.
"""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from fuzz.case import Place
from fuzz.targets import TARGETS
from stemdock.errors import StemdockError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from fuzz.case import Case

MOST_ADDRESSES: Final = 6 << 30
"""Bytes of address space. The system refuses more, which is harm if it is not handled."""
MOST_MEMORY: Final = 700 << 20
"""Resident bytes in one case, with the 120 MB of the interpreter, numpy and onnxruntime."""
_MANIFESTS: Final = "output/.stemdock/"
"""Folder of the manifests that the command line keeps beside its results."""
_ACCEPTED: Final = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Result of a case."""

    ending: str
    """"accepted", or the name of the StemdockError."""
    harm: str = ""
    peak_memory: int = 0
    """Peak of the resident bytes during the case."""
    seconds: float = 0.0
    """How long the case took."""


def make_case(case: Case, corpus: Path, folder: Path) -> None:
    """Writes the input files of a case into a new folder."""
    if case.kept is not None:
        shutil.copytree(case.kept, folder)
        return
    folder.mkdir(parents=True)
    rng = Random(f"{case.seed}:{case.target}:{case.number}")  # noqa: S311  must be reproducible
    TARGETS[case.target].damage(rng, corpus / case.target, folder)


def run_case(target: str, place: Place) -> Outcome:
    """Runs a case whose input files exist."""
    temporary = place.root.with_name("temporary")
    before = _names(place.input)
    _reset_peak()
    began = time.monotonic()
    harm = ""
    try:
        TARGETS[target].run(place)
        ending = _ACCEPTED
    except StemdockError as error:
        ending = type(error).__name__
        if not str(error) or not error.remedy:
            harm = "an error without a message or a remedy"
    except Exception as error:  # noqa: BLE001  any other exception is harm
        ending, harm = type(error).__name__, traceback.format_exc(limit=-6)
    seconds = time.monotonic() - began
    peak_memory = _peak()
    left = _names(place.root) - {f"input/{name}" for name in before}
    strange = {name for name in left if not name.startswith(("input/", "output/"))}
    strange |= {name for name in left if "/." in name.removeprefix(_MANIFESTS)}
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
    return Outcome(ending=ending, harm=harm, peak_memory=peak_memory, seconds=seconds)


def serve(connection: Connection, root: Path) -> None:
    """Runs cases one after the other; the main function of a worker process.

    Args:
        connection: Delivers `(cases, corpus)` and receives an `Outcome` for each case; None ends the loop.
        root: Folder of this process.
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
    # C decoders print to the standard streams. The connection uses other descriptors.
    log = os.open(root / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    while (order := connection.recv()) is not None:
        cases, corpus = order
        for case in cases:
            make_case(case, corpus, place.input)
            os.chdir(place.root)
            connection.send(run_case(case.target, place))
            os.chdir(root)
            for path in (place.root, temporary):
                shutil.rmtree(path, ignore_errors=True)
            temporary.mkdir()
            for path in root.iterdir():
                if path.name not in {"temporary", "cache", "log"}:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            os.ftruncate(log, 0)


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def _reset_peak() -> None:
    with suppress(OSError):  # a container's /proc may be read-only; the peak then counts from the start
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def _peak() -> int:
    """Peak of the resident bytes since the last reset."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))
