"""Records what the original Spleeter does with every line of `spleeter_cases`, into tests/data.

Run it as `PYTHONPATH=tests python -m support.spleeter_record FOLDER_OF_PROGRAMS`, with the folder of the
original's `spleeter` and `python`. The tests compare with the records; they do not need the original.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from support.mixtures import DATA
from support.spleeter_cases import CHECKPOINTS, LINES, make_inputs
from support.spleeter_examples import batch, karaoke, service
from support.spleeter_facts import cut_of, decoded, file_facts, written_files

_N_DRIVERS = 4
"""Processes of the original that run at the same time."""


def record_lines(programs: Path, folder: Path) -> None:
    """Runs every line and writes tests/data/spleeter_lines.{json,npz}."""
    drivers = []
    for number in range(_N_DRIVERS):
        work = folder.with_name(f"work{number}")
        make_inputs(work)
        lines = [dataclasses.asdict(line) for line in LINES[number::_N_DRIVERS]]
        (work / "lines.json").write_text(json.dumps(lines), encoding="utf-8")
        environment = {**os.environ, "MODEL_PATH": str(CHECKPOINTS), "PYTHONPATH": str(work)}
        environment["TMPDIR"] = str(folder)
        driver: list[str | Path] = [
            programs / "python",
            Path(__file__).with_name("spleeter_driver.py"),
            "lines.json",
            "results.json",
        ]
        drivers.append((work, subprocess.Popen(driver, cwd=work, env=environment)))
    records: dict[str, Any] = {}
    cuts: dict[str, Any] = {}
    for work, process in drivers:
        if process.wait():
            sys.exit("the original failed")
        for name, result in json.loads((work / "results.json").read_text("utf-8")).items():
            records[name] = _record(name, result, work, cuts)
    ordered = {line.name: records[line.name] for line in LINES}
    text = json.dumps(ordered, indent=1, ensure_ascii=False)
    (DATA / "spleeter_lines.json").write_text(text + "\n", encoding="utf-8")
    np.savez_compressed(DATA / "spleeter_lines.npz", **cuts)


def _record(name: str, result: dict[str, Any], work: Path, cuts: dict[str, Any]) -> dict[str, Any]:
    """What is kept of one line; adds cuts of its files to `cuts`."""
    kept = Path(result["folder"])
    files: dict[str, Any] = {}
    for path in written_files(kept):
        file = path.relative_to(kept).as_posix()
        if not path.stat().st_size:
            files[file] = None
            continue
        samples = decoded(path)
        files[file] = file_facts(path)
        cuts[f"{name}/{file}"] = cut_of(samples)
    output = result["stdout"].replace(str(work), "FOLDER").splitlines()
    error = result["stderr"].replace(str(work), "FOLDER").strip().splitlines()
    return {
        "status": result["status"],
        "stdout": [line for line in output if line.startswith(("INFO:spleeter", "ERROR:"))],
        "stderr": error[-1] if error else "",
        "files": files,
    }


def record_calls(programs: Path, folder: Path) -> None:
    """Makes every call of `spleeter_calls` and writes tests/data/spleeter_calls.{json,npz}."""
    environment = {**os.environ, "MODEL_PATH": str(CHECKPOINTS), "TF_CPP_MIN_LOG_LEVEL": "3"}
    calls = Path(__file__).with_name("spleeter_calls.py")
    subprocess.run([programs / "python", calls, folder / "calls"], cwd=folder, env=environment, check=True)
    for suffix in ("json", "npz"):
        shutil.copyfile(folder / f"calls.{suffix}", DATA / f"spleeter_calls.{suffix}")


def record_examples(programs: Path, folder: Path) -> None:
    """Runs the programs of docs/examples/spleeter and writes tests/data/spleeter_examples.json."""
    python = programs / "python"
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    os.environ["MODEL_PATH"] = str(CHECKPOINTS)
    found = {
        "batch": batch([python], folder, path),
        "service": service([python], folder),
        "karaoke": karaoke([python], folder),
    }
    text = json.dumps(found, indent=1)
    (DATA / "spleeter_examples.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Records the lines, the calls and the examples, or those that the command line names."""
    programs, *wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        make_inputs(Path(name) / "work")
        for what, record in (
            ("lines", record_lines),
            ("calls", record_calls),
            ("examples", record_examples),
        ):
            if not wanted or what in wanted:
                record(Path(programs), Path(name) / "work")


if __name__ == "__main__":
    main()
