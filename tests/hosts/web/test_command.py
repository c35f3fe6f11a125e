"""The command: what it prints, how it ends, and what it says when it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from stemdock.cli.main import run
from stemdock_web import commands
from support.child_signals import default_signals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


PATIENCE = 60.0
"""Seconds for what takes a moment; only a failure takes that long."""

needs_packages = pytest.mark.skipif(
    not (find_spec("starlette") and find_spec("uvicorn")),
    reason="the tests of the web page need the extra [web]: pip install 'stemdock[web]'",
)


@pytest.fixture
def process(worker_state: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "stemdock", "web", "--no-browser"]
    assert os.environ["STEMDOCK_STATE"] == str(worker_state)
    with default_signals():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        yield process
        process.kill()


@needs_packages
@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_it_serves_the_printed_address_and_leaves_nothing(
    process: subprocess.Popen[str], worker_state: Path, name: str, status: int
) -> None:
    assert process.stdout
    address, _, token = process.stdout.readline().strip().partition("#")
    with urllib.request.urlopen(address, timeout=PATIENCE) as page:  # noqa: S310  the address of our own server
        assert "<h1>Stemdock</h1>" in page.read().decode()
    asked = urllib.request.Request(  # noqa: S310  as above
        f"{address}api/session", method="POST", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310  as above
        assert json.loads(answer.read())["models"][0]["name"] == "2stems"
    assert list((worker_state / "web").iterdir())
    process.send_signal(getattr(signal, name))
    _, messages = process.communicate(timeout=PATIENCE)
    assert process.returncode == status
    assert "Traceback" not in messages
    assert "songs and stems are removed then" in messages
    assert not list((worker_state / "web").glob("*"))


@needs_packages
@pytest.mark.skipif(sys.platform == "win32", reason="permissions of folders")
def test_a_folder_of_others_is_said(worker_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = worker_state / "web"
    folder.mkdir()
    folder.chmod(0o777)
    assert run(["web", "--no-browser"]) == 1
    said = capsys.readouterr().err
    assert "there is no private folder for the songs" in said
    assert "STEMDOCK_STATE" in said


@needs_packages
def test_a_port_in_use_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert run(["web", "--no-browser", "--port", str(port)]) == 1
    said = capsys.readouterr().err
    assert f"cannot be served at 127.0.0.1, port {port}" in said
    assert "--port" in said


def test_without_its_packages_it_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "find_spec", lambda name: None if name == "uvicorn" else name)
    assert run(["web"]) == 1
    said = capsys.readouterr().err
    assert "uvicorn" in said
    assert "pip install 'stemdock[web]'" in said


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--max-disk", "0"], ["--max-upload", "x"]])
def test_invalid_options_are_refused(arguments: list[str]) -> None:
    assert run(["web", *arguments]) == 2
