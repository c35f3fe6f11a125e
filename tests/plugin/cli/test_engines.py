"""The options of engines: what is refused, and what workers get. No engine runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stemdock import Execution, Plugins
from stemdock.cli import builtin
from stemdock.cli.engine_options import EngineOptions
from stemdock.cli.engines import engine_shares, opening_execution
from stemdock.cli.main import run
from stemdock.lib.cores import n_physical_cores
from stemdock_ray import opening, plugin

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--engine", "slurm"), "There is no engine 'slurm'. Engines of plug-ins: ray."),
        (("--address", "head:6379"), "--address needs --engine."),
        (("--max-workers", "3"), "--max-workers needs --engine."),
        (("--worker-cpus", "0.5"), "--worker-cpus needs --engine."),
        (("--worker-gpus", "0.5"), "--worker-gpus needs --engine."),
        (("--engine", "ray", "-o", "-"), "--engine cannot be used with -o -"),
        (("--engine", "ray", "-o", "memory://out"), "--engine cannot be used with memory://"),
    ],
)
def test_options_that_cannot_work_are_refused(
    tmp_path: Path, options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plugins = Plugins()
    plugins.register(builtin, "stemdock")
    plugins.register(plugin, "ray")
    assert run(["separate", str(tmp_path), *options], plugins) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_without_ray_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(opening, "find_spec", lambda _: None)
    plugins = Plugins()
    plugins.register(builtin, "stemdock")
    plugins.register(plugin, "ray")
    assert run(["separate", str(tmp_path), "-o", str(tmp_path / "out"), "--engine", "ray"], plugins) == 1
    told = capsys.readouterr().err
    assert "needs the package ray" in told
    assert "pip install 'stemdock[ray]'" in told
    assert not (tmp_path / "out").exists()


def options(
    address: str | None = None, worker_cpus: float | None = None, worker_gpus: float | None = None
) -> EngineOptions:
    return EngineOptions(
        engine="ray", address=address, max_workers=None, worker_cpus=worker_cpus, worker_gpus=worker_gpus
    )


def test_on_this_machine_workers_share_it() -> None:
    shares, needs = engine_shares(options(), Execution(n_threads=5, memory=3000), 2)
    assert [(share.n_threads, share.memory) for share in shares] == [(3, 1500), (2, 1500)]
    assert (needs.n_workers, needs.n_cores, needs.n_gpus, needs.address) == (2, 3, 0, None)
    assert engine_shares(options(), Execution(), 1)[1].n_cores == n_physical_cores()


def test_elsewhere_workers_get_what_is_named() -> None:
    shares, needs = engine_shares(options("head:6379"), Execution(provider="cuda"), 1000)
    assert (len(shares), {(share.n_threads, share.memory) for share in shares}) == (1000, {(1, 0)})
    assert (needs.n_cores, needs.address) == (1, "head:6379")
    assert opening_execution(shares[0], options("head:6379")).provider == "cpu"
    shares, needs = engine_shares(options("head:6379", 2.5, 0.25), Execution(memory=8000), 4)
    assert {(share.n_threads, share.memory) for share in shares} == {(3, 2000)}
    assert (needs.n_cores, needs.n_gpus) == (2.5, 0.25)
