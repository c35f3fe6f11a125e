"""Standard streams that are closed, full, or not read: the work is done all the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.small_model import write_noise

DRIVER = Path(__file__).parents[2] / "support" / "batch_driver.py"

pytestmark = [
    pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full"),
    pytest.mark.slow,
]


def separate(tmp_path: Path, arguments: str, streams: str) -> subprocess.CompletedProcess[str]:
    """Separates two songs with the small model, in a shell that opens the streams."""
    for name in ("a", "b"):
        write_noise(tmp_path / "songs" / f"{name}.wav")
    command = f"exec {sys.executable} -c '{MAIN}' separate {arguments} -m small {streams}"
    return subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )


MAIN = f"""
import runpy, sys
from stemdock.cli.streams import occupy_descriptors
occupy_descriptors()
sys.argv[1:1] = ["model"]
runpy.run_path("{DRIVER}", run_name="__main__")
"""


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    (tmp_path / "model").mkdir()


def check_results(tmp_path: Path) -> None:
    """All stems and their records are there, and complete."""
    stems = sorted(
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.wav")
    )
    assert stems == ["a/high.wav", "a/low.wav", "b/high.wav", "b/low.wav"]
    records = [json.loads(path.read_text()) for path in (tmp_path / "out" / ".stemdock").iterdir()]
    assert [record["complete"] for record in records] == [True, True]


@pytest.mark.parametrize(
    ("streams", "status", "message"),
    [
        (">&-", 1, "error: standard output cannot be written (Bad file descriptor)"),
        (">/dev/full", 1, "error: standard output cannot be written (No space left on device)"),
        (">/dev/full 2>&-", 1, ""),
        (">&- 2>&-", 1, ""),
        ("<&-", 0, ""),
        ("2>&-", 0, ""),
        ("2>/dev/full", 0, ""),
        ("--progress json 2>&-", 1, ""),
        ("--progress json 2>/dev/full", 1, ""),
    ],
)
def test_a_batch_goes_on_without_its_streams(tmp_path: Path, streams: str, status: int, message: str) -> None:
    done = separate(tmp_path, "songs -o out", streams)
    assert "Traceback" not in done.stderr
    assert done.returncode == status
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == (1 if message else 0)
    check_results(tmp_path)


def test_a_reader_that_has_seen_enough_needs_no_message(tmp_path: Path) -> None:
    script = f"{sys.executable} -c '{MAIN}' separate songs -m small -o out | true"
    for name in ("a", "b"):
        write_noise(tmp_path / "songs" / f"{name}.wav")
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stderr == ""
    check_results(tmp_path)


def test_audio_for_a_closed_output_is_one_line(tmp_path: Path) -> None:
    done = separate(tmp_path, "songs/a.wav -o - --stems low", ">&-")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: -: standard output cannot be written (Bad file descriptor). ")


def test_a_closed_standard_input_is_one_line(tmp_path: Path) -> None:
    done = separate(tmp_path, "- -o out", "<&-")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: -: standard input ")


@pytest.mark.parametrize("command", ["--help", "--version", "doctor", "separate --help"])
def test_other_commands_report_a_full_output(command: str) -> None:
    for streams, message in (
        (">/dev/full", "error: standard output cannot be written (No space left on device)"),
        (">&-", "error: standard output cannot be written (Bad file descriptor)"),
        (">&- 2>&-", ""),
    ):
        done = subprocess.run(
            ["sh", "-c", f"exec {sys.executable} -m stemdock {command} {streams}"],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr.startswith(message)
        assert len(done.stderr.splitlines()) == (1 if message else 0)


def test_a_wrong_option_needs_no_stream() -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m stemdock separate --nothing 2>&-"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """Messages of libraries and other programs go to these numbers."""
    script = (
        "from stemdock.cli.streams import occupy_descriptors; occupy_descriptors(); "
        f"print(open(r'{tmp_path / 'file'}', 'w').fileno(), file=open(r'{tmp_path / 'number'}', 'w'))"
    )
    subprocess.run(["sh", "-c", f'exec {sys.executable} -c "{script}" <&- >&- 2>&-'], check=True)
    assert int((tmp_path / "number").read_text()) > 2
