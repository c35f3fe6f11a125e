"""Records what the original Spleeter does with every line of `spleeter_cases`, into tests/data.

Run it as `PYTHONPATH=tests python -m support.spleeter_record FOLDER_OF_PROGRAMS`, with the folder of the
original's `spleeter` and `python`. The tests compare with the records; they do not need the original.
"""

from __future__ import annotations

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
from support.spleeter_facts import cut_of, decoded, file_facts, written_files


def record_lines(programs: Path, folder: Path) -> None:
    """Runs every line and writes tests/data/spleeter_lines.{json,npz}."""
    records, cuts = {}, {}
    environment = {**os.environ, "MODEL_PATH": str(CHECKPOINTS), "PYTHONPATH": str(folder), "COLUMNS": "100"}
    environment["TMPDIR"] = str(folder / "tmp")
    (folder / "tmp").mkdir()
    for line in LINES:
        shutil.rmtree(folder / "out", ignore_errors=True)
        for _ in range(line.n_runs):
            done = subprocess.run(
                [programs / "spleeter", *line.words],
                cwd=folder, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
        files: dict[str, Any] = {}
        for path in written_files(folder / "out"):
            name = path.relative_to(folder / "out").as_posix()
            if path.stat().st_size:
                samples = decoded(path)
                files[name] = {**file_facts(path), "rms": float(np.sqrt(np.mean(np.float64(samples) ** 2)))}
                cuts[f"{line.name}/{name}"] = cut_of(samples)
            else:
                files[name] = None
        output = done.stdout.replace(str(folder), "FOLDER")
        error = done.stderr.replace(str(folder), "FOLDER").strip().splitlines()
        records[line.name] = {
            "words": line.words,
            "status": done.returncode,
            "stdout": [each for each in output.splitlines() if each.startswith(("INFO:spleeter", "ERROR:"))],
            "stderr": error[-1] if error else "",
            "files": files,
        }
        sys.stderr.write(f"{line.name}: {done.returncode}, {len(files)} files\n")
    text = json.dumps(records, indent=1, ensure_ascii=False)
    (DATA / "spleeter_lines.json").write_text(text + "\n", encoding="utf-8")
    np.savez_compressed(DATA / "spleeter_lines.npz", **cuts)  # type: ignore[arg-type]


def record_calls(programs: Path, folder: Path) -> None:
    """Makes every call of `spleeter_calls` and writes tests/data/spleeter_calls.{json,npz}."""
    environment = {**os.environ, "MODEL_PATH": str(CHECKPOINTS), "TF_CPP_MIN_LOG_LEVEL": "3"}
    calls = Path(__file__).with_name("spleeter_calls.py")
    subprocess.run([programs / "python", calls, folder / "calls"], cwd=folder, env=environment, check=True)
    for suffix in ("json", "npz"):
        shutil.copyfile(folder / f"calls.{suffix}", DATA / f"spleeter_calls.{suffix}")


def main() -> None:
    """Records the lines or the calls, as named on the command line; both if neither is."""
    programs, *wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        make_inputs(Path(name) / "work")
        for what, record in (("lines", record_lines), ("calls", record_calls)):
            if not wanted or what in wanted:
                record(Path(programs), Path(name) / "work")


if __name__ == "__main__":
    main()
