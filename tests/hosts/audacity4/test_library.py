"""The library, called as Audacity calls it: audio both ways, programs, cancelling, job folders."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
import soundfile

from support.audacity4.library import (
    ARCH,
    FAILED,
    INVALID_ARGUMENT,
    OK,
    SANITIZERS,
    UNKNOWN_CALL,
    Answer,
    Library,
    channels_of,
    compile_library,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="runs Linux's build of the library"),
]

GIVEN = "STEMDOCK_TEST_LIBRARY"
"""Environment variable with a library that is already compiled."""
RATE = 44100


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An extension with nothing but the library."""
    folder = tmp_path_factory.mktemp("bundle")
    path = folder / f"platform/linux/{ARCH}/stemdock.so"
    if GIVEN in os.environ:
        path.parent.mkdir(parents=True)
        shutil.copy(os.environ[GIVEN], path)
    else:
        compile_library(path, "-O1")
    return folder


@pytest.fixture
def library(bundle: Path) -> Iterator[Library]:
    loaded = Library(bundle / f"platform/linux/{ARCH}/stemdock.so")
    yield loaded
    loaded.call("end")


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    return tmp_path / "jobs of Zoë"


@pytest.fixture
def job(library: Library, jobs: Path) -> Path:
    return Path(library.get("begin", str(jobs)))


def noise(length: int, n_channels: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal((length, n_channels), dtype=np.float32)


def script(folder: Path, text: str) -> str:
    path = folder / "a program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


def in_background(library: Library, *arguments: object) -> tuple[threading.Thread, list[Answer]]:
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(library.call("run", 0, *arguments)))
    thread.start()
    return thread, answers


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)


@pytest.mark.parametrize("n_channels", [1, 2])
def test_audio_arrives_in_the_file_as_it_was_written(library: Library, job: Path, n_channels: int) -> None:
    samples = noise(70000, n_channels)
    library.get("create", "track-1.wav", RATE, n_channels)
    for block in (samples[:65536], samples[65536:65537], samples[65537:]):
        library.get("write", *channels_of(block))
    library.get("finish")
    read, rate = soundfile.read(job / "track-1.wav", dtype="float32", always_2d=True)
    assert rate == RATE
    np.testing.assert_array_equal(read, samples)


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64"])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_stems_are_read_to_the_sample_and_with_gain(
    library: Library, job: Path, n_channels: int, kind: str
) -> None:
    samples = noise(10001, n_channels)
    (job / "stems").mkdir()
    soundfile.write(job / "stems/1 - Vocals.wav", samples, 48000, subtype="FLOAT", format=kind)
    assert library.get("open", "stems/1 - Vocals.wav") == 10001
    first, second = np.zeros((10000, n_channels), np.float32), np.zeros((1, n_channels), np.float32)
    for block, gain in ((first, 1.0), (second, 0.25)):
        buffers = channels_of(block)
        library.get("read", gain, *buffers)
        block[:] = np.stack(buffers, axis=1)
    np.testing.assert_array_equal(first, samples[:10000])
    np.testing.assert_array_equal(second, samples[10000:] * np.float32(0.25))
    assert library.call("read", 1.0, *channels_of(second)).status == FAILED


def test_files_that_are_not_float_wav_are_refused(library: Library, job: Path) -> None:
    soundfile.write(job / "16.wav", noise(9, 1), RATE, subtype="PCM_16")
    soundfile.write(job / "3.wav", noise(9, 3), RATE, subtype="FLOAT")
    (job / "text.wav").write_text("RIFF....WAVE")
    (job / "no.wav").write_bytes(b"RIFF\x04\0\0\0WAVEdata\xff\xff\xff\x7f")
    os.mkfifo(job / "pipe.wav")
    for name in ("16.wav", "3.wav", "text.wav", "no.wav", "none.wav", "pipe.wav"):
        assert library.call("open", name).status == FAILED, name


def test_every_cut_of_a_file_is_read_to_its_end_or_refused(library: Library, job: Path) -> None:
    soundfile.write(job / "whole.wav", noise(50, 2), RATE, subtype="FLOAT", format="WAVEX")
    whole = (job / "whole.wav").read_bytes()
    for size in range(len(whole)):
        (job / "cut.wav").write_bytes(whole[:size])
        answer = library.call("open", "cut.wav")
        if answer.status == OK:
            buffers = channels_of(np.zeros((int(answer.value), 2), np.float32))
            assert library.call("read", 1.0, *buffers).status == OK


def test_damaged_headers_do_no_harm(library: Library, job: Path) -> None:
    soundfile.write(job / "whole.wav", noise(50, 2), RATE, subtype="FLOAT", format="RF64")
    whole = (job / "whole.wav").read_bytes()
    random = np.random.default_rng(2)
    for _ in range(2000):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[random.integers(len(whole) - 400)] = random.integers(256)
        (job / "damaged.wav").write_bytes(damaged)
        answer = library.call("open", "damaged.wav")
        if answer.status == OK:
            assert 0 <= answer.value <= 100
            library.call("read", 1.0, *channels_of(np.zeros((int(answer.value), 2), np.float32)))


def test_names_cannot_lead_out_of_the_job(library: Library, job: Path) -> None:
    for name in (
        "../x",
        "stems/../../x",
        "/etc/passwd",
        "",
        ".",
        "a//b",
        "a\\b",
        "C:x",
        "stems/..",
        "x" * 5000,
    ):
        for call, rest in (("put", ["text"]), ("get", []), ("tail", []), ("open", []), ("create", [RATE, 1])):
            assert library.call(call, name, *rest).status == INVALID_ARGUMENT, (call, name)
    assert [path.name for path in job.iterdir()] == ["owner"]
    assert not (job.parent / "x").exists()


def test_links_are_not_followed(library: Library, job: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (job / "link").symlink_to(tmp_path / "precious")
    assert library.call("put", "link", "lost").status == FAILED
    assert library.call("get", "link") == Answer(OK)
    (job / "folder").symlink_to(tmp_path)
    library.get("end")
    assert (tmp_path / "precious").read_text() == "precious"


@pytest.mark.usefixtures("job")
def test_calls_with_wrong_arguments_are_refused(library: Library) -> None:
    assert library.call("nonsense").status == UNKNOWN_CALL
    short, long = np.zeros(3, np.float32), np.zeros(4, np.float32)
    wrong: list[tuple[object, ...]] = [
        ("begin",), ("begin", 1), ("put", "a"), ("put", 1, "b"), ("get",), ("write", long), ("finish",),
        ("create", "a.wav", 0, 1), ("create", "a.wav", 44100.5, 1), ("create", "a.wav", RATE, 3),
        ("create", "a.wav", 1e300, 1), ("create", "a.wav", float("nan"), 1), ("run",), ("run", 0),
        ("run", "x"), ("run", 0, 1), ("run", -1, "/bin/true"), ("run", 0, *["x"] * 32),
        ("open",), ("read", 1.0, long),
    ]  # fmt: skip
    for name, *arguments in wrong:
        assert library.call(str(name), *arguments).status == INVALID_ARGUMENT, (name, arguments)
    library.get("create", "a.wav", RATE, 2)
    for buffers in (
        [long],
        [long, short],
        [long, "x"],
        [long, None],
        [np.zeros(5, np.uint8)] * 2,
        [long] * 3,
    ):
        assert library.call("write", *buffers).status == INVALID_ARGUMENT
    library.get("finish")
    assert library.call("begin", "relative").status == FAILED
    assert library.call("put", "a", "b").status == INVALID_ARGUMENT


def test_small_files_are_written_and_read(library: Library, job: Path) -> None:
    library.get("put", "job.json", "Müller\n")
    assert (job / "job.json").read_text("utf-8") == "Müller\n"
    assert stat.S_IMODE((job / "job.json").stat().st_mode) == 0o600
    assert library.get("get", "job.json") == "Müller\n"
    assert library.get("get", "result.json") is None
    lines = "".join(f"line {n}\n" for n in range(5000))
    library.get("put", "progress.jsonl", lines)
    assert library.get("tail", "progress.jsonl") == lines[-8192:]
    with (job / "endless").open("wb") as file:
        file.truncate(1 << 40)
    assert library.call("get", "endless").status == FAILED
    assert library.get("tail", "endless") == ""


def test_the_configuration_is_beside_the_library(library: Library, bundle: Path) -> None:
    assert library.get("config") is None
    (bundle / "program.json").write_text('{"jobs": "/é"}', "utf-8")
    assert library.get("config") == '{"jobs": "/é"}'


def test_a_job_folder_is_for_its_owner_and_goes_with_the_job(library: Library, job: Path, jobs: Path) -> None:
    assert job.parent == jobs
    for folder in (job, jobs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (job / "a/b/c").mkdir(parents=True)
    (job / "a/b/c/file").write_text("x")
    library.get("end")
    assert list(jobs.iterdir()) == []


def test_a_folder_that_others_can_write_is_refused(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    assert library.call("begin", str(folder)).status == FAILED


HOLD = """
import sys, time
sys.path[:0] = sys.argv[3:]
from pathlib import Path
from support.audacity4.library import Library
library = Library(Path(sys.argv[1]))
print(library.get("begin", sys.argv[2]), flush=True)
library.get("put", "track-1.wav", "x")
time.sleep(60)
"""


def test_folders_of_a_crash_are_removed_and_those_in_use_are_kept(
    library: Library, bundle: Path, jobs: Path
) -> None:
    path = bundle / f"platform/linux/{ARCH}/stemdock.so"
    command = [sys.executable, "-c", HOLD, str(path), str(jobs), str(Path(__file__).parents[2])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        theirs = Path(other.stdout.readline().strip())
        mine = Path(library.get("begin", str(jobs)))
        assert theirs.is_dir()
        assert theirs != mine
        other.kill()
    wait_for(theirs)
    again = Path(library.get("begin", str(jobs)))
    assert list(jobs.iterdir()) == [again]


def test_a_folder_that_is_just_being_made_is_kept(library: Library, jobs: Path) -> None:
    for name, age in (("job-young", 0), ("job-old", 7200), ("other", 7200)):
        (jobs / name).mkdir(parents=True, mode=0o700)
        os.utime(jobs / name, (time.time() - age,) * 2)
    jobs.chmod(0o700)
    mine = Path(library.get("begin", str(jobs)))
    assert sorted(jobs.iterdir()) == sorted([jobs / "job-young", jobs / "other", mine])


@pytest.mark.usefixtures("job")
def test_programs_get_their_arguments_word_for_word(library: Library, tmp_path: Path) -> None:
    words = ["a b", 'say "hello"', "back\\slash\\", "$HOME `id`", "", "Zoë \N{EN DASH} 日本", "'", "*"]
    program = script(tmp_path, 'for each in "$@"; do printf "%s|" "$each"; done; echo done >&2; exit 3')
    assert library.get("run", 0, program, *words) == 3
    assert library.get("get", "output.txt") == "".join(f"{word}|" for word in words)
    assert library.get("get", "errors.txt") == "done\n"


@pytest.mark.usefixtures("job")
def test_a_program_that_cannot_be_started_is_named(library: Library, tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        answer = library.call("run", 0, str(path))
        assert answer.status == FAILED
        assert str(path) in answer.value


@pytest.mark.usefixtures("job")
def test_a_killed_program_has_no_exit_status(library: Library, tmp_path: Path) -> None:
    assert library.get("run", 0, script(tmp_path, "kill -9 $$")) == -1


@pytest.mark.usefixtures("job")
def test_programs_inherit_nothing_of_audacity(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "QT_PLUGIN_PATH"):
        monkeypatch.setenv(name, "/of/audacity")
    monkeypatch.setenv("STEMDOCK_STATE", "/kept")
    library.get("create", "track-1.wav", RATE, 1)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    try:
        # What ls itself opens is the folder that it lists.
        assert (
            library.get(
                "run", 0, script(tmp_path, "ls /proc/self/fd; echo =; env; grep Sig /proc/self/status")
            )
            == 0
        )
    finally:
        os.close(descriptor)
    descriptors, _, rest = library.get("get", "output.txt").partition("=\n")
    assert descriptors.split() == ["0", "1", "2", "3"]
    assert "/of/audacity" not in rest
    assert "STEMDOCK_STATE=/kept" in rest
    signals = dict(line.split() for line in rest.splitlines() if line.startswith("Sig") and "/" not in line)
    own = (1 << 31) - 1  # the two after these belong to the C library
    assert int(signals["SigIgn:"], 16) & own == 0
    assert int(signals["SigBlk:"], 16) & own == 0


def test_cancel_asks_by_a_file_first(library: Library, job: Path, tmp_path: Path) -> None:
    up, polite = (shlex.quote(str(tmp_path / name)) for name in ("up", "polite"))
    wait = f'touch {up}; while [ ! -e "$1/cancel" ]; do sleep 0.01; done; touch {polite}'
    thread, answers = in_background(library, script(tmp_path, wait), str(job))
    wait_for(tmp_path / "up")
    assert library.call("begin", str(job.parent)).status == FAILED  # one job at a time
    library.get("cancel")
    library.get("cancel")
    thread.join(20)
    assert answers == [Answer(FAILED, "cancelled.")]
    assert (tmp_path / "polite").exists()


@pytest.mark.parametrize("ignored", ["", "trap '' TERM INT HUP; "])
def test_a_program_that_does_not_listen_is_ended_with_its_children(
    library: Library, job: Path, tmp_path: Path, ignored: str
) -> None:
    program = script(
        tmp_path,
        f"{ignored}sleep 1000 & echo $!; touch {shlex.quote(str(tmp_path / 'up'))}; wait; sleep 1000",
    )
    thread, answers = in_background(library, program)
    wait_for(tmp_path / "up")
    child = int(library.get("get", "output.txt"))
    assert psutil.pid_exists(child)
    library.get("cancel")
    thread.join(20)
    assert [answer.status for answer in answers] == [FAILED]
    deadline = time.monotonic() + 10
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    library.get("end")
    assert not job.exists()


@pytest.mark.usefixtures("job")
def test_a_program_without_an_answer_is_ended(library: Library, tmp_path: Path) -> None:
    answer = library.call("run", 1, script(tmp_path, "sleep 1000"))
    assert answer.status == FAILED
    assert "did not answer in time" in answer.value


def test_progress_can_be_read_while_the_program_runs(library: Library, job: Path, tmp_path: Path) -> None:
    program = script(
        tmp_path, 'echo one > "$1/progress.jsonl"; while [ ! -e "$1/download" ]; do sleep 0.01; done'
    )
    thread, answers = in_background(library, program, str(job))
    wait_for(job / "progress.jsonl")
    library.get("put", "download", "")
    thread.join(20)
    assert answers == [Answer(OK, 0.0)]


def test_a_full_disk_is_reported(library: Library, job: Path) -> None:
    (job / "track-1.wav").symlink_to("/dev/full")
    assert library.call("create", "track-1.wav", RATE, 1).status == FAILED  # a link
    import resource  # noqa: PLC0415  not on Windows
    import signal  # noqa: PLC0415

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    library.get("create", "track-2.wav", RATE, 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        answers = [library.call("write", np.ones(65536, np.float32)) for _ in range(8)]
        answers.append(library.call("finish"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert answers[0].status == OK
    assert FAILED in [answer.status for answer in answers]
    assert any("track" in str(answer.value) or str(job) in str(answer.value) for answer in answers)


def test_more_than_4_gb_become_rf64(library: Library, job: Path) -> None:
    if shutil.disk_usage(job).free < 6 << 30 or GIVEN in os.environ:
        pytest.skip("needs 6 GB, once")
    block = np.zeros(1 << 25, np.float32)
    block[-1] = 0.5
    library.get("create", "track-1.wav", RATE, 2)
    for _ in range(17):
        library.get("write", block, block)
    library.get("finish")
    info = soundfile.info(job / "track-1.wav")
    assert (info.format, info.frames, info.channels) == ("RF64", 17 << 25, 2)
    last, _ = soundfile.read(job / "track-1.wav", start=(17 << 25) - 1, dtype="float32")
    assert last.tolist() == [[0.5, 0.5]]
    assert library.get("open", "track-1.wav") == 17 << 25


def test_all_of_this_with_address_sanitizer(tmp_path: Path) -> None:
    """Runs this file again with a library that ends the process at the first wrong access."""
    if GIVEN in os.environ:
        pytest.skip("this is that run")
    sanitized = compile_library(tmp_path / "stemdock.so", "-O1", *SANITIZERS)
    runtime = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not Path(runtime).is_absolute():
        pytest.skip("needs libasan")
    environment = {
        **os.environ,
        GIVEN: str(sanitized),
        "LD_PRELOAD": runtime,
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", __file__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
