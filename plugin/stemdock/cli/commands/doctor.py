"""plugin-cli doctor."""

from __future__ import annotations

import platform
import shutil
import time
from typing import TYPE_CHECKING

import click

from stemdock.entries import Check
from stemdock.errors import StemdockError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock.plugins import Plugins


@click.command("doctor")
@click.pass_obj
def command(plugins: Plugins) -> int:
    """Check the installation, plug-ins and hosts.

    Exit status 1 if something is broken that separating a song needs.
    """
    failed = False
    for check in _checks(plugins):
        failed |= check.status == "failure"
        remedy = f" {check.remedy}" if check.remedy else ""
        click.echo(f"{check.status:8}{check.subject}: {check.detail}{remedy}")
    return 1 if failed else 0


def _checks(plugins: Plugins) -> Iterator[Check]:
    yield Check(subject="python", status="ok", detail=f"{platform.python_version()} on {platform.platform()}")
    yield _ffmpeg()
    yield _providers()
    yield from _models(plugins)
    yield from plugins.checks()
    for host in plugins.hosts():
        try:
            yield from host.diagnose()
        except Exception as error:  # noqa: BLE001  a stranger's code may raise anything
            yield Check(subject=host.name, status="warning", detail=f"its check failed: {error!r}.")
    for status in plugins.status:
        subject = f"plug-in {status.name} ({status.origin})"
        if status.fault:
            yield Check(
                subject=subject, status="warning", detail=f"{status.fault}.", remedy="Update or remove it."
            )
        else:
            yield Check(subject=subject, status="ok", detail="loaded")


def _ffmpeg() -> Check:
    path = shutil.which("ffmpeg")
    if path:
        return Check(subject="ffmpeg", status="ok", detail=path)
    return Check(
        subject="ffmpeg",
        status="warning",
        detail="not found: wav, flac, mp3 and ogg can be read, m4a and video cannot.",
        remedy="Install ffmpeg to read those too.",
    )


def _providers() -> Check:
    from stemdock.inference.runtime import available_providers  # noqa: PLC0415  loads onnxruntime

    return Check(subject="providers", status="ok", detail=", ".join(available_providers()))


def _models(plugins: Plugins) -> Iterator[Check]:
    # Loading is the test: it reads the file, the library behind it, and the contract between them.
    from stemdock.inference.opening import open_model  # noqa: PLC0415

    entries = plugins.models()
    if not entries:
        yield Check(
            subject="models",
            status="failure",
            detail="none.",
            remedy="Install Stemdock again, or export one.",
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
