"""Runs command lines of the original Spleeter, in its environment: `python spleeter_driver.py LINES RESULTS`.

Both are JSON files. TensorFlow is imported once. Then each line runs in a process forked from this one.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
from pathlib import Path


def run_line(words: list[str], output: Path) -> int:
    """Runs a line like the program `spleeter`; returns its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for descriptor, suffix in ((1, "out"), (2, "err")):
        os.dup2(os.open(output.with_suffix(f".{suffix}"), os.O_CREAT | os.O_TRUNC | os.O_WRONLY), descriptor)
    from spleeter.__main__ import entrypoint  # noqa: PLC0415

    sys.argv = ["spleeter", *words]
    status = 0
    try:
        entrypoint()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  what Python prints at the end of a program
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main() -> None:
    """Runs all lines in the working directory; keeps what each wrote to `out` in a folder of its own."""
    import spleeter.separator  # noqa: F401, PLC0415  TensorFlow, before the first fork

    results = {}
    for number, line in enumerate(json.loads(Path(sys.argv[1]).read_text("utf-8"))):
        shutil.rmtree("out", ignore_errors=True)
        for _ in range(line["n_runs"]):
            status = run_line(line["words"], Path(f"{number}.out"))
        kept = Path(f"kept{number}").absolute()
        if Path("out").exists():
            shutil.move("out", kept)
        results[line["name"]] = {
            "status": status,
            "stdout": Path(f"{number}.out").read_text("utf-8"),
            "stderr": Path(f"{number}.err").read_text("utf-8"),
            "folder": str(kept),
        }
        sys.stderr.write(f"{line['name']}: {status}\n")
        Path(sys.argv[2]).write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main()
