"""Whatever a plug-in does wrong must cost no more than that plug-in."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import pytest

from stemdock import Check, CommandEntry, HostEntry, ModelEntry, Plugins, Separator, hookimpl, load_plugins
from stemdock.cli import builtin
from stemdock.cli.main import run
from stemdock.errors import CancelledError, ModelContractError, ModelError, ProviderUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from stemdock import Progress


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


class Engines:
    """Offers a model without a file, whose engine is what `make` gives."""

    def __init__(self, make: Callable[[], Any], version: str = "1", stems: tuple[str, ...] = ("a",)) -> None:
        self.make = make
        self.entry = ModelEntry(name="own", stems=stems, sample_rate=8000, version=version)

    @hookimpl
    def stemdock_models(self) -> list[ModelEntry]:
        return [self.entry]

    @hookimpl
    def stemdock_engine(self, entry: ModelEntry) -> Any:
        return self.make() if entry.name == "own" else None


class Passing:
    """Gives the mixture as its only stem, and analyses it in advance."""

    stems, sample_rate, n_channels, provider = ("a",), 8000, 2, "thought"

    def separate(
        self, mixture: Iterable[np.ndarray], on_analysed: Callable[[int], None]
    ) -> Iterator[np.ndarray]:
        blocks = []
        for block in mixture:
            blocks.append(block)
            on_analysed(sum(map(len, blocks)))
        for block in blocks:
            yield block[None]


def fails(error: Exception) -> Callable[[], Any]:
    def make() -> Any:
        raise error

    return make


def with_engines(*engines: Engines) -> Plugins:
    plugins = Plugins()
    for number, each in enumerate(engines):
        plugins.register(each, f"engine {number}")
    return plugins


def test_the_first_engine_is_used_and_reports_its_first_pass() -> None:
    plugins = with_engines(Engines(lambda: None), Engines(Passing), Engines(fails(AssertionError())))
    separator = Separator("own", plugins=plugins)
    assert (separator.model, separator.stems, separator.provider) == ("own", ("a",), "thought")
    assert (separator.sample_rate, separator.n_channels) == (8000, 2)
    mixture = np.ones((1000, 2), np.float32)
    seen: list[Progress] = []
    blocks = separator.stream(np.split(mixture, 4), total_length=1000, on_progress=seen.append)
    assert np.array_equal(np.concatenate(list(blocks), axis=1)[0], mixture)
    assert [progress.done_length for progress in seen] == [200, 400, 600, 800, 850, 900, 950, 1000]


def test_cancelling_stops_an_engine_in_its_first_pass() -> None:
    cancel = Event()
    cancel.set()
    separator = Separator("own", plugins=with_engines(Engines(Passing)))
    with pytest.raises(CancelledError):
        separator.separate(np.ones((1000, 2), np.float32), cancel=cancel)


def test_an_engines_own_error_reaches_the_user() -> None:
    error = ProviderUnavailableError("gpu", "is busy", remedy="Wait.")
    plugins = with_engines(Engines(fails(error)))
    with pytest.raises(ProviderUnavailableError) as caught:
        Separator("own", plugins=plugins)
    assert caught.value is error
    assert faults(plugins) == {}


def test_any_other_error_of_an_engine_breaks_its_plugin() -> None:
    plugins = with_engines(Engines(fails(ZeroDivisionError("oops"))))
    with pytest.raises(ModelError, match="own: no plug-in has an engine") as caught:
        Separator("own", plugins=plugins)
    assert "doctor" in caught.value.remedy
    assert faults(plugins) == {"engine 0": "ZeroDivisionError: oops"}


def test_an_engine_that_contradicts_its_entry_is_refused() -> None:
    with pytest.raises(ModelContractError, match="its engine makes a at 8000 Hz"):
        Separator("own", plugins=with_engines(Engines(Passing, stems=("a", "b"))))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": ""}, "neither the sha256 of a file nor a version"),
        ({"path": Path("m.onnx")}, "neither the sha256"),
        ({"stems": ()}, "at least 1"),
        ({"stems": ("../up",)}, "illegal for files"),
        ({"name": " "}, "not printable"),
        ({"sample_rate": 0}, "outside 1 to"),
    ],
)
def test_an_unusable_entry_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelContractError, match=reason):
        ModelEntry(**{"name": "own", "stems": ("a",), "sample_rate": 8000, "version": "1", **changes})


def test_the_identity_of_a_model_without_a_file_changes_with_its_version() -> None:
    assert [Engines(Passing, version).entry.identity for version in ("1", "2")] == ["own 1", "own 2"]
