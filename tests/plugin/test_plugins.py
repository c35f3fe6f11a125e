"""Whatever a plug-in does wrong must cost no more than that plug-in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import pytest

from stemdock import Check, CommandEntry, HostEntry, Plugins, hookimpl, load_plugins
from stemdock.cli import builtin
from stemdock.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path


class Good:
    @hookimpl
    def stemdock_hosts(self) -> list[HostEntry]:
        checks = [Check(subject="gooddaw", status="ok", detail="is here")]
        return [HostEntry(name="gooddaw", summary="A host.", diagnose=lambda: checks)]

    @hookimpl
    def stemdock_commands(self) -> list[CommandEntry]:
        @click.command("shout")
        def shout() -> None:
            """Shout."""
            click.echo("AH")

        return [CommandEntry(name="shout", summary="Shout.", load=lambda: shout)]


class Raises:
    @hookimpl
    def stemdock_hosts(self) -> list[HostEntry]:
        raise RuntimeError("no luck")

    @hookimpl
    def stemdock_commands(self) -> list[CommandEntry]:
        raise RuntimeError("no luck")


class Misspelt:
    @hookimpl
    def stemdock_hots(self) -> list[HostEntry]:
        return []


class WrongArguments:
    @hookimpl
    def stemdock_hosts(self, tempo: int) -> list[HostEntry]:  # noqa: ARG002
        return []


def faults(plugins: Plugins) -> dict[str, str]:
    return {status.name: status.fault for status in plugins.status if status.fault}


def test_every_plugin_of_the_distribution_loads() -> None:
    plugins = load_plugins()
    plugins.hosts(), plugins.models(), plugins.commands()
    assert faults(plugins) == {}
    assert {"cli", "models", "export", "audacity", "reaper"} <= {s.name for s in plugins.status}
    assert {host.name for host in plugins.hosts()} >= {"audacity", "reaper"}


def test_one_that_raises_does_not_take_the_others_along() -> None:
    plugins = Plugins()
    plugins.register(Raises(), "raises")
    plugins.register(Good(), "good")
    assert [host.name for host in plugins.hosts()] == ["gooddaw"]
    assert faults(plugins) == {"raises": "RuntimeError: no luck"}


def test_doctor_tells_what_plugins_find(capsys: pytest.CaptureFixture[str]) -> None:
    class Finds:
        @hookimpl
        def stemdock_checks(self) -> list[Check]:
            return [Check(subject="attic", status="failure", detail="full.", remedy="Tidy up.")]

    class Fails:
        @hookimpl
        def stemdock_checks(self) -> list[Check]:
            raise OSError("no attic")

    plugins = load_plugins()
    plugins.register(Fails(), "fails")
    assert run(["doctor"], plugins) == 0
    assert "warning plug-in fails (this program): OSError: no attic." in capsys.readouterr().out
    plugins.register(Finds(), "finds")
    assert run(["doctor"], plugins) == 1
    assert "failure attic: full. Tidy up." in capsys.readouterr().out


@pytest.mark.parametrize("kind", [Misspelt, WrongArguments])
def test_one_that_does_not_fit_the_hooks_is_left_out(kind: type) -> None:
    plugins = Plugins()
    plugins.register(kind(), "odd")
    plugins.register(Good(), "good")
    assert [host.name for host in plugins.hosts()] == ["gooddaw"]
    assert list(faults(plugins)) == ["odd"]


def test_the_first_of_a_name_wins() -> None:
    plugins = Plugins()
    plugins.register(builtin, "stemdock")
    plugins.register(Good(), "good")
    plugins.register(Good(), "good again")
    names = [entry.name for entry in plugins.commands()]
    assert names == [*(entry.name for entry in builtin.stemdock_commands()), "shout"]


def test_a_plugin_adds_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    plugins = Plugins()
    plugins.register(Good(), "good")
    assert run(["shout"], plugins) == 0
    assert capsys.readouterr().out == "AH\n"


@pytest.mark.parametrize("body", ["1/0", "import nothing_of_that_name", "def broken(:"])
def test_an_installed_plugin_that_cannot_be_imported_is_a_line_in_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    """A distribution as pip would install it, with an entry point that fails to import."""
    (tmp_path / "badplug.py").write_text(body)
    info = tmp_path / "badplug-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: badplug\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[stemdock]\nbad = badplug\n")
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("badplug", None)
    assert run(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = (line for line in lines if "plug-in bad (badplug 1.0)" in line)
    assert line.startswith("warning")
    assert "Error" in line

    monkeypatch.setenv("STEMDOCK_DISABLED_PLUGINS", "bad")
    assert "badplug" not in {status.origin.split()[0] for status in load_plugins().status}
