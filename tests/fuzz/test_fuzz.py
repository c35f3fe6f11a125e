"""A few hundred damaged inputs, all inputs that did harm before, and whether harm is detected."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fuzz import pool, worker
from fuzz.__main__ import build_corpus, make_cases
from fuzz.case import Case, Place, Target
from fuzz.pool import run_cases
from fuzz.targets import TARGETS
from stemdock.errors import StemdockError
from support import failing_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fuzz.worker import Outcome

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and peaks of memory are Linux's")

_SEEDS = Path(__file__).with_name("seeds")
_N_CASES = 300


def run(cases: Sequence[Case], folder: Path) -> dict[Case, Outcome]:
    corpus = build_corpus(folder / "corpus", cases)
    findings = folder / "findings"
    return dict(run_cases(cases, corpus=corpus, scratch=folder, findings=findings, n_workers=2))


def harm(outcomes: dict[Case, Outcome]) -> dict[str, str]:
    return {case.name: outcome.harm for case, outcome in outcomes.items() if outcome.harm}


@pytest.mark.slow
def test_no_damaged_input_does_harm(tmp_path: Path) -> None:
    cases = [case for case in make_cases(_N_CASES, seed=1) if case.target != "process"]
    cases += [Case(target="process", seed=1, number=number) for number in range(3)]
    outcomes = run(cases, tmp_path)
    assert harm(outcomes) == {}
    # The damage varies: many inputs are accepted, and many are refused.
    endings = Counter(outcome.ending == "accepted" for outcome in outcomes.values())
    assert min(endings.values()) > _N_CASES / 10


@pytest.mark.slow
def test_inputs_that_did_harm_before_do_none(tmp_path: Path) -> None:
    kept = [
        Case(target=target.name, seed=0, number=0, kept=folder)
        for target in sorted(_SEEDS.iterdir())
        for folder in sorted(target.iterdir())
    ]
    assert kept
    assert harm(run(kept, tmp_path)) == {}


def test_a_case_can_be_reproduced(tmp_path: Path) -> None:
    case = Case(target="audio", seed=1, number=1)
    corpus = build_corpus(tmp_path / "corpus", [case])
    contents = []
    for name in ("a", "b"):
        worker.make_case(case, corpus, tmp_path / name)
        contents.append([(path.name, path.read_bytes()) for path in (tmp_path / name).iterdir()])
    assert contents[0] == contents[1]


def _fail(place: Place) -> None:
    raise KeyError(place)


def _refuse_but_leave_a_stem(place: Place) -> None:
    place.output.mkdir()
    (place.output / "vocals.wav").touch()
    raise StemdockError("no", remedy="None.")


def _leave_a_temporary_file(place: Place) -> None:
    (place.root.with_name("temporary") / "x").touch()


def _write_elsewhere(place: Place) -> None:
    place.root.with_name("escaped.wav").touch()


def _take_memory(_: Place) -> None:
    assert bytearray(worker.MOST_MEMORY)


@pytest.mark.parametrize(
    ("step", "harm"),
    [
        (_fail, "KeyError"),
        (_refuse_but_leave_a_stem, "vocals.wav"),
        (_leave_a_temporary_file, "temporary/x"),
        (_write_elsewhere, "escaped.wav"),
        (_take_memory, "MB"),
    ],
)
def test_harm_is_noticed(
    step: Callable[[Place], None], harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Target(build=lambda _: None, damage=lambda *_: None, run=step)
    monkeypatch.setitem(TARGETS, "bad", target)
    monkeypatch.setattr(tempfile, "tempdir", None)
    place = Place(root=tmp_path / "case")
    place.input.mkdir(parents=True)
    (tmp_path / "temporary").mkdir()
    assert harm in worker.run_case("bad", place).harm


@pytest.mark.slow
@pytest.mark.parametrize(
    ("serve", "harm"), [(failing_workers.crash, "exit status 7"), (failing_workers.hang, "timeout after 1 s")]
)
def test_a_lost_process_is_noticed_and_replaced(
    serve: Callable[..., None], harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "serve", serve)
    monkeypatch.setattr(pool, "DEADLINE", 1.0)
    cases = [Case(target="playlist", seed=0, number=number) for number in range(2)]
    corpus, findings = build_corpus(tmp_path / "corpus", cases), tmp_path / "findings"
    outcomes = run_cases(cases, corpus=corpus, scratch=tmp_path / "scratch", findings=findings, n_workers=1)
    assert [harm in outcome.harm for _, outcome in outcomes] == [True, True]
    assert all((findings / case.name / "list.m3u8").exists() for case in cases)
