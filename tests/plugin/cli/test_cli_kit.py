"""stemdock.cli as the kit for the commands of plug-ins: grouped help, checks, and nothing that costs time."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import click
import pytest
from click.testing import CliRunner

import stemdock.cli
from stemdock import Check
from stemdock.cli import GroupedCommand, builtin, echo_checks
from stemdock.cli.commands.separate import command as separate
from stemdock.cli.grouped_help import option_groups


def test_the_command_line_is_a_plugin_like_the_others() -> None:
    (entry,) = entry_points(group="stemdock", name="cli")
    assert entry.load() is builtin


def test_every_name_of_the_kit_can_be_imported() -> None:
    for name in stemdock.cli.__all__:
        assert getattr(stemdock.cli, name).__module__.startswith("stemdock.cli.")


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [
        "import stemdock",
        "import stemdock; stemdock.Separator('2stems')",
        "import stemdock; stemdock.Separator; stemdock.separate_file; stemdock.load_plugins().models()",
    ],
)
def test_the_library_does_not_load_click(code: str) -> None:
    check = "import sys; found = {'click', 'stemdock.cli.main'} & set(sys.modules); assert not found, found"
    subprocess.run([sys.executable, "-c", f"{code}\n{check}"], check=True, capture_output=True)


def grouped(**groups: tuple[str, ...]) -> click.Command:
    @click.command(cls=GroupedCommand, groups=groups)
    @click.argument("song")
    @click.option("--one", help="Set one.")
    @click.option("--two", help="Set two.")
    @click.option("--three", help="Set three.")
    @click.option("--secret", hidden=True)
    def command(**_: object) -> None:
        pass

    return command


def test_help_lists_options_under_their_titles_in_order() -> None:
    command = grouped(Sound=("three", "one"))
    text = CliRunner().invoke(command, ["--help"]).output
    lines = [line.strip() for line in text.partition("Sound:")[2].splitlines()]
    assert lines == [
        "", "--three TEXT  Set three.", "--one TEXT    Set one.", "",
        "Other options:", "--two TEXT  Set two.", "--help      Show this message and exit.",
    ]  # fmt: skip


def test_a_command_without_groups_has_one_group() -> None:
    context = click.Context(click.Command("x", params=[click.Option(["--one"]), click.Argument(["song"])]))
    ((title, options),) = option_groups(context.command, context)
    assert (title, [option.opts for option in options]) == ("Options", [["--one"], ["--help"]])


@pytest.mark.parametrize("names", [("one", "four"), ("song",), ("one", "one")])
def test_groups_name_options_of_the_command_once(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=names[-1]):
        grouped(Sound=names)


def test_separate_groups_all_of_its_options_and_starts_with_five() -> None:
    context = click.Context(separate)
    groups = dict(option_groups(separate, context))
    assert len(next(iter(groups.values()))) == 5
    assert ["--help" in option.opts for option in groups["Other options"]] == [True]


def check(status: str) -> Check:
    return Check(subject="s", status=status, detail="d.", remedy="" if status == "ok" else "r.")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ([], "ok"),
        (["ok"], "ok"),
        (["ok", "warning", "ok"], "warning"),
        (["failure", "warning"], "failure"),
        (["warning", "failure"], "failure"),
    ],
)
def test_the_worst_check_counts(statuses: list[str], worst: str) -> None:
    assert echo_checks(check(status) for status in statuses) == worst


def test_checks_are_lines_with_the_remedy_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    echo_checks([check("ok"), check("warning")])
    assert capsys.readouterr().out == "ok      s: d.\nwarning s: d. r.\n"
