"""What a batch costs, and what it would cost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stemdock import SeparatedFile
from stemdock.batch.budget import divided, n_cores_used
from stemdock.batch.events import Done, Skipped, SongPlan
from stemdock.batch.report import Ledger, estimated, sample
from stemdock.batch.songs import Song, faulty_song
from stemdock.cli.cost_report import estimate_lines, estimate_values, report_lines
from stemdock.cli.main import run
from stemdock.lib.cores import n_logical_cores
from stemdock.lib.locations import Location
from stemdock.types import Execution
from support.small_model import write_noise

if TYPE_CHECKING:
    from stemdock import Plugins


def done(elapsed: float, **stages: float) -> Done:
    path = Path("song.wav")
    separated = SeparatedFile(
        source=path, stems={}, mixes={}, peaks={}, clipped_lengths={}, gain_db=0, warnings=(), model="small",
        sample_rate=8000, n_channels=2, total_length=8000 * 240, stages=stages,
    )  # fmt: skip
    return Done(
        plan=SongPlan(number=1, song=Song(path=path), targets={}), separated=separated, elapsed=elapsed
    )


def ledger(*events: Done | Skipped, n_at_once: int = 1, price: float | None = None) -> Ledger:
    counted = Ledger(n_at_once=n_at_once, n_cores=4, price=price)
    for event in events:
        counted.count(event)
    return counted


def test_figures_of_a_run() -> None:
    skipped = Skipped(plan=done(1).plan)
    report = ledger(
        done(20, decode=1, separate=9, encode=8), skipped, done(20, separate=4, encode=15)
    ).report(30)
    assert report.songs_per_hour == 240
    assert report.speed == 16
    assert report.core_hours == pytest.approx(4 * 30 / 3600)
    assert report.cost is None
    assert report.shares == pytest.approx(
        {"encode": 23 / 40, "separate": 13 / 40, "other": 3 / 40, "decode": 1 / 40}
    )
    assert report.bottleneck == "encode"
    assert report_lines(report) == [
        "240 songs an hour, 16.0x real time; 0.03 core-hours",
        (
            "bottleneck: encode and write "
            "(encode and write 57%, separate 32%, check and record 8%, read and decode 2%)"
        ),
    ]


def test_cores_that_were_not_kept_for_the_whole_run() -> None:
    report = ledger(done(20), price=0.5).report(40, core_seconds=100)
    assert report.core_hours == pytest.approx(100 / 3600)
    assert report.cost == pytest.approx(50 / 3600)


def test_places_without_a_song_do_not_make_the_rest_look_fast() -> None:
    few = Ledger(n_at_once=6, n_cores=4)
    for _ in range(3):
        few.count(done(20))
    assert few.report().elapsed == pytest.approx(20)


def test_cores_of_workers_that_are_more_than_the_threads() -> None:
    some = Execution(n_threads=1)
    shares = divided(some, 2)
    assert n_cores_used(some, shares) == min(2, n_logical_cores())
    assert n_cores_used(some, [some]) == 1
    assert n_cores_used(Execution(), divided(Execution(), 2)) == n_logical_cores()


def test_a_run_without_songs_has_no_speed() -> None:
    report = ledger().report(0)
    assert (report.songs_per_hour, report.speed, report.bottleneck) == (0, 0, None)
    assert report_lines(report) == ["0 songs an hour, 0.0x real time; 0.00 core-hours"]


def test_an_estimate_counts_files_by_their_sizes(tmp_path: Path) -> None:
    songs = []
    for number in range(20):
        (tmp_path / f"{number}").write_bytes(bytes(1000 * (number + 1)))
        songs.append(Song(path=tmp_path / f"{number}"))
    bad = faulty_song(tmp_path / "x", "is bad", "Remove it.")
    some = sample([bad, *songs], n_places=2)
    assert len(some) == 10
    assert (some[0], some[-1]) == (songs[0], songs[-1])
    measured = ledger(*[done(360, separate=360)] * 10, n_at_once=2, price=0.05).report()
    estimate = estimated(measured, some, [bad, *songs])
    factor = 210 / sum(int(song.path.name) + 1 for song in some)
    assert estimate.expected.n_songs == 20
    assert estimate.expected.elapsed == pytest.approx(1800 * factor)
    assert estimate.expected.cost == pytest.approx(4 * 0.5 * factor * 0.05)


def test_an_estimate_counts_objects_equally_and_measures_two_for_each_place() -> None:
    songs = [Song(path=Location(f"s3://bucket/{number}.mp3")) for number in range(1_000_000)]
    some = sample(songs, n_places=8)
    assert len(some) == len(set(some)) == 16
    measured = ledger(*[done(72)] * 16, n_at_once=8, price=0.05).report()
    estimate = estimated(measured, some, songs)
    assert estimate.expected.elapsed == pytest.approx(9e6)
    assert estimate.expected.core_hours == pytest.approx(10_000)
    lines = estimate_lines(estimate, now=lambda: datetime(2026, 11, 28, 12, 0))  # noqa: DTZ001
    assert lines == [
        (
            "estimate for 1,000,000 songs from 16: 104 days 4:00:00 on this machine, "
            "if it starts now until 2027-03-12 16:00"
        ),
        "400 songs an hour, 26.7x real time; 10,000.00 core-hours, 500.00 at 0.05 each",
        "bottleneck: check and record (check and record 100%)",
    ]
    values = estimate_values(estimate, now=lambda: datetime(2026, 11, 28, 12, 0, tzinfo=UTC))
    assert values["end"] == "2027-03-12T16:00:00+00:00"


def test_songs_that_fail_do_not_make_the_rest_look_fast() -> None:
    songs = [Song(path=Location(f"s3://bucket/{number}.mp3")) for number in range(100)]
    measured = ledger(*[done(10)] * 5).report()
    assert estimated(measured, songs[:10], songs).expected.elapsed == pytest.approx(1000)


class Runs:
    def __init__(self, plugins: Plugins, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.plugins, self.folder, self.capsys = plugins, folder, capsys
        (folder / "music").mkdir()
        for number in range(12):
            write_noise(folder / "music" / f"{number}.wav")

    def __call__(self, *options: str, status: int = 0) -> list[dict[str, Any]]:
        line = ["separate", str(self.folder / "music"), "-m", "small", "-o", str(self.folder / "out")]
        assert run([*line, "--progress", "json", *options], self.plugins) == status
        self.printed, messages = self.capsys.readouterr()
        return [json.loads(message) for message in messages.splitlines()]


@pytest.fixture
def runs(plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Runs:
    return Runs(plugins, tmp_path, capsys)


@pytest.mark.parametrize("price", ["nan", "inf"])
def test_a_price_is_a_number(runs: Runs, price: str) -> None:
    line = ["separate", str(runs.folder / "music"), "-m", "small", "--price", price]
    assert run(line, runs.plugins) == 2
    assert "'--price'" in runs.capsys.readouterr().err


def test_an_estimate_leaves_nothing_behind(runs: Runs) -> None:
    events = runs("--estimate", "--price", "0.05")
    estimate = events[-1]
    assert (estimate["event"], estimate["n_songs"], estimate["n_measured"]) == ("estimate", 12, 10)
    assert estimate["cost"] == pytest.approx(estimate["core_hours"] * 0.05)
    assert runs.printed == ""
    assert not (runs.folder / "out").exists()


def test_an_estimate_of_a_shard_and_beside_finished_stems(runs: Runs) -> None:
    runs()
    before = sorted(runs.folder.rglob("*"))
    estimate = runs("--estimate", "--resume", "--shard", "1/2")[-1]
    assert 0 < estimate["n_songs"] == estimate["n_measured"] < 12
    assert sorted(runs.folder.rglob("*")) == before


def test_a_report_comes_last_if_it_is_asked_for(runs: Runs) -> None:
    report = runs("--report")[-1]
    assert report["event"] == "report"
    assert set(report["shares"]) == {"decode", "separate", "encode", "other"}
    assert sum(report["shares"].values()) == pytest.approx(1)
    assert report["cost"] is None
    assert runs("--resume", "--price", "2")[-1]["cost"] > 0
    assert runs("--resume")[-1]["event"] == "summary"


@pytest.mark.parametrize("options", [["-o", "-"], ["--preview"]])
def test_an_estimate_has_no_results(runs: Runs, options: list[str]) -> None:
    line = ["separate", str(runs.folder / "music"), "-m", "small", "--estimate", *options]
    assert run(line, runs.plugins) == 2
