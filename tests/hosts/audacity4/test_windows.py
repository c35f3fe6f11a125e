"""The Windows build of the library under wine, called by a program that Zig builds, too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.audacity4.library import compile_c
from support.wine import Wine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

CALLS = Path(__file__).parents[2] / "support/audacity4/windows_calls.c"
ZIG = [
    sys.executable,
    "-m",
    "ziglang",
    "cc",
    "-target",
    "x86_64-windows-gnu",
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Werror",
]
WANTED = r"""
unknown 2
config 0 {"jobs": "x"}
begin 0 C:\jobs of Zoe\job-
create 0
write 0
finish 0
open 0 3000
read 0 same 1
put 0
get 0 Müller
outside 3
drive 3
run 0 7
output 0 [a b][say "x"][back\slash\][][
errors 0 done
none 1 This program could not be started: C:\none\python.exe: No such file or directory
cancelled 1 cancelled.
in time 1
asked 0
begin 0 C:\jobs of Zoe\job-
slow 1 This program did not answer in time:
old folder 0
held 1
end 0
own folder 0
"""


def test_every_call_as_on_windows(tmp_path: Path) -> None:
    wine = Wine(prefix=tmp_path / "wine")
    if not wine.program:
        pytest.skip("needs wine")
    pytest.importorskip("ziglang", reason="needs ziglang")
    bundle = tmp_path / "extension"
    library = bundle / "platform/windows/x86_64/stemdock.dll"
    library.parent.mkdir(parents=True)
    (bundle / "program.json").write_text('{"jobs": "x"}')
    compile_c([*ZIG, "-shared", "-Os", "-s"], ["dispatch.c", "audio.c", "system_windows.c"], library)
    compile_c(ZIG, [str(CALLS)], tmp_path / "calls.exe")
    done = wine.run(["calls.exe", r"C:\jobs of Zoe"], folder=tmp_path, timeout=600)
    lines = [line.rstrip() for line in done.output.splitlines() if line.strip()]
    wanted = [line.rstrip() for line in WANTED.strip().splitlines()]
    assert len(lines) == len(wanted), done.output
    for line, start in zip(lines, wanted, strict=True):
        assert line.startswith(start), done.output
    assert lines[wanted.index(r"output 0 [a b][say " + r'"x"][back\slash\][][')].endswith("inherited 0")
    assert list((wine.prefix / "drive_c/jobs of Zoe").iterdir()) == []
