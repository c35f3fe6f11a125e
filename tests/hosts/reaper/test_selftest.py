"""The selftest for a real REAPER passes on the model, and fails where a REAPER would differ from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rpp
import rppxml
import soundfile
from click.testing import CliRunner
from rppxml import RPPXML

from stemdock_reaper.commands import command
from stemdock_reaper.errors import ResourceFolderError
from stemdock_reaper.install.keyboard import script_line
from stemdock_reaper.install.shipped import worker_command
from stemdock_reaper.profile.places import ACTION_SCRIPT
from stemdock_reaper.selftest import build
from support.reaper_model.objects import Item, Project, Source, Take, Track
from support.reaper_model.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N_POINTS = 13


def words(node: Any, key: str) -> list[str]:
    return next((list(line[1:]) for line in node if isinstance(line, list) and line[0] == key), [])


def source_of(node: Any, folder: Path) -> Source:
    if node.attrib[0] == "SECTION":
        parent = source_of(node.find("SOURCE"), folder)
        return Source(
            "SECTION", parent=parent, offset=float(words(node, "STARTPOS")[0]),
            section_length=float(words(node, "LENGTH")[0]), is_reversed=words(node, "MODE") == ["2"],
        )  # fmt: skip
    return Source.from_file(folder / words(node, "FILE")[0], node.attrib[0])


def open_project(path: Path, project: Project) -> None:
    """Reads a project file into the model."""
    for node in rpp.loads(path.read_text(encoding="utf-8")).findall("TRACK"):
        track = Track(name=words(node, "NAME")[0])
        project.tracks.append(track)
        for block in node.findall("ITEM"):
            take = Take(source=source_of(block.find("SOURCE"), path.parent))
            item = Item(takes=[take])
            item.values.update(
                D_POSITION=float(words(block, "POSITION")[0]), D_LENGTH=float(words(block, "LENGTH")[0]),
                B_LOOPSRC=float(words(block, "LOOP")[0]),
            )  # fmt: skip
            item.values["D_VOL"] = float((words(block, "VOLPAN") or ["1"])[0])
            take.values["D_PLAYRATE"] = float((words(block, "PLAYRATE") or ["1"])[0])
            track.items.append(item)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    folder = tmp_path / "self test"
    script = build(folder)
    open_project(folder / "test.rpp", stage.project)
    stage.scripts = script.parent
    stage.host.slowest_cycle = 1.0
    stage.host.action_ids["_" + script_line(f"Stemdock/{ACTION_SCRIPT}").split()[3]] = 55_001

    def start_worker(line: list[str]) -> str:
        assert line[:-1] == worker_command()
        stage.pending.append((3, folder / "jobs" / line[-1].rsplit("/", maxsplit=1)[-1]))
        return "0\n"

    stage.host.on_exec = start_worker
    return stage


def report(stage: Stage) -> list[str]:
    stage.start("selftest.lua")
    stage.finish(10_000)
    text = (stage.scripts / "report.txt").read_text(encoding="utf-8")
    assert stage.host.console == text
    assert stage.host.messages == [text]
    return text.splitlines()


def test_all_points_pass_on_the_model(stage: Stage) -> None:
    lines = report(stage)
    stage.check()
    assert [line for line in lines[1:-1] if not line.startswith("PASS  ")] == []
    assert len(lines[1:-1]) == N_POINTS
    assert lines[-1] == "All checks passed."
    assert len(stage.project.tracks) == 4
    assert (stage.scripts / "stems" / "selftest - Vocals.wav").is_file()


def in_project_time(stage: Stage) -> None:
    genuine = stage.host.GetAudioAccessorSamples

    def shifted(accessor: Any, rate: int, n_channels: int, start: float, *rest: Any) -> int:
        return genuine(accessor, rate, n_channels, start - accessor.item.values["D_POSITION"], *rest)

    stage.host.GetAudioAccessorSamples = shifted  # type: ignore[assignment, method-assign]


def forward(stage: Stage) -> None:
    stage.project.tracks[1].items[0].sole_source.is_reversed = False


def late_mp3(stage: Stage) -> None:
    source = stage.project.tracks[3].items[0].sole_source
    assert source.samples is not None
    source.samples = np.roll(source.samples, 1105, axis=0)


def two_steps(stage: Stage) -> None:
    stage.host.Undo_DoUndo2 = lambda project: 1  # type: ignore[method-assign]  # noqa: ARG005


def no_peaks(stage: Stage) -> None:
    stage.host.PCM_Source_BuildPeaks = lambda *_: 1  # type: ignore[method-assign]


def waits(stage: Stage) -> None:
    genuine = stage.host.ExecProcess

    def slow(line: str, timeout: int) -> str | None:
        stage.host.clock += 0.8
        return genuine(line, timeout)

    stage.host.ExecProcess = slow  # type: ignore[method-assign]


def starts_nothing(stage: Stage) -> None:
    stage.host.on_exec = lambda _: None


def no_action(stage: Stage) -> None:
    stage.host.action_ids.clear()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("deviation", "point"),
    [
        (in_project_time, "audio accessors count from the item's start"),
        (forward, "audio accessors read reversed sections"),
        (late_mp3, "REAPER and Stemdock decode MP3 with the same start"),
        (two_steps, "one undo removes the stems"),
        (no_peaks, "waveforms are drawn"),
        (waits, "ExecProcess does not wait"),
        (starts_nothing, "the worker does a job in the background"),
        (no_action, "the action is in the Actions list"),
    ],
)
def test_a_reaper_that_differs_is_reported(
    stage: Stage, deviation: Callable[[Stage], None], point: str
) -> None:
    deviation(stage)
    failed = [line for line in report(stage) if line.startswith("FAIL")]
    assert any(line.startswith(f"FAIL  {point}") for line in failed), failed


def test_another_project_in_front_is_told(stage: Stage) -> None:
    stage.project.tracks.clear()
    assert any("open test.rpp" in line for line in report(stage))


def test_the_folder_is_complete_and_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    result = CliRunner().invoke(command, ["selftest", str(folder)], standalone_mode=False)
    assert result.stdout == f"{folder / 'selftest.lua'}\n"
    root = rppxml.loads((folder / "test.rpp").read_text(encoding="utf-8"))
    assert isinstance(root, RPPXML)
    assert [child.name for child in root.children if isinstance(child, RPPXML)] == ["TRACK"] * 4
    plan = json.loads((folder / "plan.json").read_text(encoding="ascii"))
    for name in ("click.wav", "click.mp3"):
        samples, rate = soundfile.read(folder / name)
        assert abs(np.abs(samples[:, 0]).argmax() / rate - 0.5) < 0.001
    assert [click["track"] for click in plan["clicks"]] == ["plain", "reversed", "faster", "mp3"]
    with pytest.raises(ResourceFolderError, match=r"x: already exists$") as caught:
        build(folder)
    assert caught.value.remedy == "Choose a new folder."
