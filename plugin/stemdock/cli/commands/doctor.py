"""plugin-cli doctor: checks of the installation, the models, the plug-ins and the hosts."""

from __future__ import annotations

import platform
import time
from typing import TYPE_CHECKING

import click

from stemdock.cli.checks import echo_checks
from stemdock.entries import Check
from stemdock.errors import StemdockError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock.plugins import Plugins


@click.command("doctor")
@click.pass_obj
def command(plugins: Plugins) -> int:
    """Check the installation, plug-ins and hosts.

    The exit status is 1 if songs cannot be separated.
    """
    return 1 if echo_checks(_checks(plugins)) == "failure" else 0


def _checks(plugins: Plugins) -> Iterator[Check]:
    yield Check(subject="python", status="ok", detail=f"{platform.python_version()} on {platform.platform()}")
    yield _ffmpeg()
    yield _providers()
    yield from _models(plugins)
    yield from plugins.checks()
    for host in plugins.hosts():
        try:
            yield from host.diagnose()
        except Exception as error:  # noqa: BLE001  third-party code may raise anything
            yield Check(subject=host.name, status="warning", detail=f"the check failed: {error!r}.")
    for status in plugins.status:
        subject = f"plug-in {status.name} ({status.origin})"
        if status.fault:
            yield Check(
                subject=subject,
                status="warning",
                detail=f"{status.fault}.",
                remedy="Update or uninstall this plug-in.",
            )
        else:
            yield Check(subject=subject, status="ok", detail="loaded")


def _ffmpeg() -> Check:
    from stemdock.audio.ffmpeg.process import find_ffmpeg  # noqa: PLC0415  loaded when needed

    path = find_ffmpeg()
    if path:
        return Check(subject="ffmpeg", status="ok", detail=path)
    return Check(
        subject="ffmpeg",
        status="warning",
        detail="not found. Only wav, flac, mp3 and ogg files can be read.",
        remedy="Install ffmpeg to read m4a, video and other files.",
    )


def _providers() -> Check:
    from stemdock.inference.runtime import available_providers  # noqa: PLC0415  loads onnxruntime

    return Check(subject="providers", status="ok", detail=", ".join(available_providers()))


def _models(plugins: Plugins) -> Iterator[Check]:
    # Loading a model checks the file, onnxruntime, and that the model matches its card.
    from stemdock.inference.opening import open_model  # noqa: PLC0415

    entries = plugins.models()
    if not entries:
        yield Check(
            subject="models",
            status="failure",
            detail="no model is installed.",
            remedy="Install Stemdock again, or download a model with: plugin-cli models pull 2stems",
        )
    for entry in entries:
        began = time.perf_counter()
        try:
            open_model(entry.name, plugins)
        except StemdockError as error:
            yield Check(
                subject=f"model {entry.name}", status="failure", detail=f"{error}.", remedy=error.remedy
            )
        else:
            yield Check(
                subject=f"model {entry.name}",
                status="ok",
                detail=f"loads in {time.perf_counter() - began:.1f} s ({entry.path or entry.source})",
            )
