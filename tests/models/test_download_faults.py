"""Each fault is a real one, of a real server; after each the store is intact and the message helps."""

from __future__ import annotations

import socket
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest
import requests

from stemdock.cli.main import run
from stemdock.errors import CancelledError
from stemdock_models import download
from stemdock_models.catalogue import load_release
from stemdock_models.errors import DownloadError
from support.release_server import Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock import FetchProgress, Plugins
    from stemdock_models.fetching import Fetcher
    from support.release_server import ReleaseServer, Request

pytestmark = pytest.mark.slow


PIECE = 32768
"""Bytes that are received at once: as many may be lost in a cut."""


def pull(fetcher: Fetcher, name: str = "4stems") -> list[str]:
    """Fetches a model and returns the reported steps."""
    steps: dict[str, None] = {}

    def watch(progress: FetchProgress) -> None:
        steps[progress.step] = None

    fetcher.fetch([fetcher.release.models[name]], on_progress=watch)
    return list(steps)


def assert_resumed(first: Request, second: Request, archive: bytes) -> None:
    """Fails unless the second answer went on where the first broke off, but for one piece."""
    assert second.range is not None
    start = int(second.range.removeprefix("bytes=").removesuffix("-"))
    assert 0 < first.n_sent - PIECE <= start <= first.n_sent
    assert second.n_sent == len(archive) - start


def test_a_cut_connection_is_resumed_in_the_same_run(
    fetcher: Fetcher, server: ReleaseServer, archive: bytes, assert_intact: Callable[..., None]
) -> None:
    server.faults = [Fault(cut_at=len(archive) * 3 // 10)]
    steps = pull(fetcher)
    assert any("the connection was cut; trying again in" in step for step in steps)
    first, second = server.requests
    assert first.range is None
    assert second.if_range is not None
    assert_resumed(first, second, archive)
    assert_intact("4stems")


@pytest.mark.parametrize("tags", [True, False])
def test_a_cut_connection_is_resumed_by_a_later_run(
    fetcher: Fetcher, server: ReleaseServer, archive: bytes, assert_intact: Callable[..., None], tags: bool
) -> None:
    server.tags = tags
    server.faults = [Fault(cut_at=len(archive) * 3 // 10)]
    with pytest.raises(DownloadError, match="the connection was cut") as caught:
        pull(replace(fetcher, retry=replace(fetcher.retry, n_attempts=1)))
    assert "plugin-cli models add 4stems.tar.gz" in caught.value.remedy
    assert_intact()
    pull(fetcher)
    first, second = server.requests
    assert_resumed(first, second, archive)
    assert (second.if_range is not None) == tags
    assert_intact("4stems")


def test_a_line_that_is_cut_again_and_again_gets_there(
    fetcher: Fetcher, server: ReleaseServer, archive: bytes, assert_intact: Callable[..., None]
) -> None:
    server.faults = [Fault(cut_at=len(archive) * tenth // 10) for tenth in range(1, 10)]
    pull(fetcher)
    assert len(server.requests) == 10
    assert sum(request.n_sent for request in server.requests) <= len(archive) + 9 * PIECE
    assert_intact("4stems")


@pytest.mark.parametrize("change", ["file", "no ranges"])
def test_what_cannot_be_resumed_starts_again(
    fetcher: Fetcher, server: ReleaseServer, archive: bytes, assert_intact: Callable[..., None], change: str
) -> None:
    if change == "file":
        server.files["4stems.tar.gz"] = bytes(len(archive))
    server.faults = [Fault(cut_at=len(archive) // 2)]
    with pytest.raises(DownloadError):
        pull(replace(fetcher, retry=replace(fetcher.retry, n_attempts=1)))
    server.files["4stems.tar.gz"] = archive
    server.ranges = change == "file"
    pull(fetcher)
    assert server.requests[-1].n_sent == len(archive)
    assert_intact("4stems")


def test_a_beginning_that_does_not_fit_is_thrown_away(
    fetcher: Fetcher, server: ReleaseServer, archive: bytes, assert_intact: Callable[..., None]
) -> None:
    """Without entity tags, only the hash at the end tells that the file had changed."""
    server.tags = False
    server.files["4stems.tar.gz"] = bytes(len(archive))
    server.faults = [Fault(cut_at=len(archive) // 2)]
    with pytest.raises(DownloadError):
        pull(replace(fetcher, retry=replace(fetcher.retry, n_attempts=1)))
    server.files["4stems.tar.gz"] = archive
    assert any("does not match the server's file; starting again" in step for step in pull(fetcher))
    assert server.requests[-1].range is None
    assert_intact("4stems")


def test_a_beginning_longer_than_the_file_is_thrown_away(
    fetcher: Fetcher, server: ReleaseServer, archive: bytes, assert_intact: Callable[..., None]
) -> None:
    path = fetcher.store.download_path("4stems.tar.gz")
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(2 * len(archive)))
    pull(fetcher)
    assert server.requests[-1].n_sent == len(archive)
    assert_intact("4stems")


def test_a_wrong_hash_is_refused(
    plugins: Plugins,
    server: ReleaseServer,
    archive: bytes,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.files["4stems.tar.gz"] = archive[:-1] + bytes([archive[-1] ^ 1])
    assert run(["models", "pull", "4stems"], plugins) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert "has the wrong sha256" in message
    assert "Nothing was installed. Try again" in message
    assert_intact()
    server.files["4stems.tar.gz"] = archive
    assert run(["models", "pull", "4stems"], plugins) == 0
    assert server.requests[-1].range is None
    assert_intact("4stems")


def test_a_file_that_is_not_there_is_not_asked_for_twice(
    plugins: Plugins,
    server: ReleaseServer,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    del server.files["4stems.tar.gz"]
    assert run(["models", "pull", "4stems-16kHz"], plugins) == 1
    assert len(server.requests) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert "404" in message
    assert f"download {server.url}/4stems.tar.gz (sha256 " in message
    assert message.endswith("plugin-cli models add 4stems.tar.gz")
    assert_intact()


def test_a_file_without_end_is_not_kept(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, assert_intact: Callable[..., None]
) -> None:
    monkeypatch.setattr(download, "_MAX_BYTES", 100_000)
    with pytest.raises(DownloadError, match="the file is larger than"):
        pull(fetcher)
    assert not fetcher.store.download_path("4stems.tar.gz").exists()
    assert_intact()


def test_a_busy_server_is_asked_again(
    fetcher: Fetcher, server: ReleaseServer, assert_intact: Callable[..., None]
) -> None:
    server.faults = [Fault(status=503), Fault(status=429)]
    assert any("503" in step for step in pull(fetcher))
    assert len(server.requests) == 3
    assert_intact("4stems")


@pytest.fixture
def impatient(fetcher: Fetcher) -> Fetcher:
    return replace(fetcher, retry=replace(fetcher.retry, timeout=0.5))


def test_a_stalled_server_is_left_and_resumed(
    impatient: Fetcher, server: ReleaseServer, archive: bytes, assert_intact: Callable[..., None]
) -> None:
    server.faults = [Fault(stall_at=len(archive) // 2)]
    assert any("the server does not answer" in step for step in pull(impatient))
    assert server.requests[1].range is not None
    assert_intact("4stems")


def test_a_server_that_stalls_for_good_is_given_up(
    impatient: Fetcher, server: ReleaseServer, assert_intact: Callable[..., None]
) -> None:
    server.faults = [Fault(stall_at=0) for _ in range(3)]
    with pytest.raises(DownloadError, match=r"the server does not answer \(3 attempts\)") as caught:
        pull(impatient)
    assert "by hand" in caught.value.remedy
    assert_intact()


def test_offline_says_what_to_download_and_what_to_do_with_it(
    plugins: Plugins,
    server: ReleaseServer,
    fetcher: Fetcher,
    archive: bytes,
    tmp_path: Path,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.stop()
    with pytest.raises(DownloadError, match="cannot connect to the server") as caught:
        pull(fetcher)
    assert (
        f"download {server.url}/4stems.tar.gz (sha256 {fetcher.release.models['4stems'].sha256})"
        in caught.value.remedy
    )
    command = caught.value.remedy.split("run: plugin-cli ")[1].split()
    assert command == ["models", "add", "4stems.tar.gz"]
    by_hand = tmp_path / "4stems.tar.gz"
    by_hand.write_bytes(archive)
    assert run([*command[:-1], str(by_hand)], plugins) == 0
    assert capsys.readouterr().out.strip().endswith(".onnx")
    assert_intact("4stems")


def test_deezers_release_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEMDOCK_RELEASE_URL", raising=False)
    release = load_release()
    assert (
        release.file_url("4stems.tar.gz")
        == "https://github.com/deezer/spleeter/releases/download/v1.4.0/4stems.tar.gz"
    )
    assert release.models["4stems-16kHz"].sha256 == release.models["4stems"].sha256
    assert {
        name: model.config.stems for name, model in release.models.items() if "5" in name
    } == dict.fromkeys(
        ("5stems", "5stems-16kHz", "5stems-finetune"), ("vocals", "piano", "drums", "bass", "other")
    )


def test_cancelling_a_stalled_download_keeps_what_came(
    impatient: Fetcher, server: ReleaseServer, archive: bytes, assert_intact: Callable[..., None]
) -> None:
    server.faults = [Fault(stall_at=len(archive) // 2)]
    cancel = Event()

    def watch(progress: FetchProgress) -> None:
        if progress.n_done_bytes > len(archive) // 3:
            cancel.set()

    with pytest.raises(CancelledError):
        impatient.fetch([impatient.release.models["4stems"]], on_progress=watch, cancel=cancel)
    assert_intact()
    assert impatient.store.download_path("4stems.tar.gz").stat().st_size > len(archive) // 3
    pull(impatient)
    assert server.requests[-1].range is not None
    assert_intact("4stems")


def test_proxies_come_from_the_environment(
    fetcher: Fetcher,
    server: ReleaseServer,
    monkeypatch: pytest.MonkeyPatch,
    assert_intact: Callable[..., None],
) -> None:
    far = replace(fetcher, release=load_release("http://release.invalid/far"))
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/download/v1.4.0"))
    pull(far)
    assert [request.path for request in server.requests] == ["http://release.invalid/far/4stems.tar.gz"]
    assert_intact("4stems")
    monkeypatch.setenv("no_proxy", "release.invalid")
    with pytest.raises(DownloadError, match="cannot connect"):
        pull(far, "4stems-finetune")


def test_a_proxy_that_is_gone_is_named(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(DownloadError, match="proxy"):
            pull(fetcher)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support."), "pip install PySocks"),
        (requests.exceptions.SSLError("certificate verify failed"), "REQUESTS_CA_BUNDLE"),
        (
            OSError("Could not find a suitable TLS CA certificate bundle"),
            "REQUESTS_CA_BUNDLE",
        ),
    ],
)
def test_proxies_and_certificates_name_the_package_or_the_variable(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, fault: Exception, named: str
) -> None:
    def get(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(requests.Session, "get", get)
    with pytest.raises(DownloadError) as caught:
        pull(fetcher)
    assert named in caught.value.reason
