"""The command `plugin-cli models`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from stemdock import ModelError, StemdockError
from stemdock.cli import Seconds, complete_installed, complete_models, echo_error, echo_path, fetch_reporter
from stemdock_models.catalogue import URL_VARIABLE
from stemdock_models.errors import StoreError
from stemdock_models.option_values import check_address, checked_sha256
from stemdock_models.store import FOLDER_VARIABLE, default_store, store_faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock import Plugins

_LONGEST_TIMEOUT: Final = 24 * 3600

# Each command imports the slow modules that it needs (requests, onnxruntime).


@click.group(
    "models", epilog=f"Models are installed in the folder {FOLDER_VARIABLE}, or else in your data folder."
)
def command() -> None:
    """List, download, check, add and remove models."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array for programs.")
@click.pass_obj
def list_models(plugins: Plugins, as_json: bool) -> None:
    """List all models: the installed ones and the ones that can be downloaded."""
    from stemdock_models.listing import HEADER, list_rows, table  # noqa: PLC0415

    faults = store_faults()
    rows = list_rows(plugins, faults)
    for fault in faults:
        if isinstance(fault, StoreError):
            click.echo(f"warning: {fault}. {fault.remedy}", err=True)
    if as_json:
        click.echo(json.dumps([row.values() for row in rows], indent=2))
        return
    for line in table([HEADER, *(row.cells() for row in rows)]):
        click.echo(line)
    for row in rows:
        if row.fault:
            click.echo(f"warning: {row.fault}", err=True)


@command.command("pull")
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=complete_models)
@click.option(
    "--base-url", metavar="URL",
    help=f"Download from this folder on a server. [default: {URL_VARIABLE}, or else Deezer's release]",
)  # fmt: skip
@click.option(
    "--sha256", metavar="HEX", callback=checked_sha256,
    help="Accept the archive with this hash instead of Deezer's.",
)  # fmt: skip
@click.option(
    "--timeout", type=Seconds(min=0, min_open=True, max=_LONGEST_TIMEOUT), default=30, show_default=True,
    help="Retry after this many seconds without an answer from the server.",
)  # fmt: skip
@click.pass_obj
def pull(
    plugins: Plugins, names: Sequence[str], base_url: str | None, sha256: str | None, timeout: float
) -> None:
    """Download models, convert them and install them. Prints their paths.

    Resumes an interrupted download where it stopped. Uses the proxies in HTTPS_PROXY, HTTP_PROXY and
    NO_PROXY.
    """
    from stemdock import plain_name  # noqa: PLC0415
    from stemdock_models.catalogue import load_release  # noqa: PLC0415
    from stemdock_models.download import RetryPolicy  # noqa: PLC0415
    from stemdock_models.fetching import Fetcher  # noqa: PLC0415
    from stemdock_models.pulling import check_downloadable  # noqa: PLC0415

    release = load_release(base_url)
    check_address(release, base_url)
    fetcher = Fetcher(release=release, retry=RetryPolicy(timeout=timeout), sha256=sha256)
    requested = list(dict.fromkeys(map(plain_name, names)))
    if sha256 and len(requested) > 1:
        raise click.UsageError("--sha256 is the hash of one archive: pull one model at a time")
    downloads = {download.name: download for download in plugins.downloads()}
    check_downloadable(requested, {**release.models, **downloads}, plugins)
    with fetch_reporter() as on_progress:
        entries = fetcher.fetch(
            [release.models[name] for name in requested if name in release.models], on_progress=on_progress
        )
        entries += [
            downloads[name].fetch(on_progress=on_progress) for name in requested if name not in release.models
        ]
    for entry in entries:
        echo_path(entry.path or Path(entry.name))


@command.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME...]", shell_complete=complete_installed)
@click.pass_obj
def verify(plugins: Plugins, names: Sequence[str]) -> int:
    """Check installed models, or only the named ones.

    Compares each file with its sha256, loads the model, and compares its network with its card. The exit
    status is 1 if a model is damaged.
    """
    from stemdock import open_model  # noqa: PLC0415

    faults: list[StemdockError] = [] if names else [*store_faults()]
    for name in names or [entry.name for entry in plugins.models()]:
        try:
            open_model(name, plugins)
        except StemdockError as error:
            faults.append(error)
        else:
            click.echo(f"{name}: ok")
    for fault in faults:
        echo_error(fault)
    return 1 if faults else 0


@command.command("path")
@click.argument("name", shell_complete=complete_installed)
@click.pass_obj
def print_path(plugins: Plugins, name: str) -> None:
    """Print the path of an installed model."""
    from stemdock import find_entry, verify_model  # noqa: PLC0415

    entry = find_entry(name, plugins)
    if entry.path is None:
        remedy = f"Use it by its name: plugin-cli separate --model {name}"
        raise ModelError(name, "has no file, because it is part of a plug-in", remedy=remedy)
    verify_model(entry)
    echo_path(entry.path)


@command.command("remove")
@click.argument("name", shell_complete=complete_installed)
@click.pass_obj
def remove(plugins: Plugins, name: str) -> None:
    """Remove a model that was downloaded or added, and its partial download."""
    from stemdock import plain_name  # noqa: PLC0415
    from stemdock_models.catalogue import load_release  # noqa: PLC0415
    from stemdock_models.installing import Task  # noqa: PLC0415
    from stemdock_models.removing import remove_model  # noqa: PLC0415

    with fetch_reporter() as on_progress:
        remove_model(
            plain_name(name),
            store=default_store(),
            release=load_release(),
            plugins=plugins,
            task=Task(on_progress, cancel=None),
        )


@command.command("add")
@click.argument("source", type=click.Path(path_type=Path), metavar="ARCHIVE|CHECKPOINT_DIR|MODEL.onnx")
@click.option(
    "--name", default="",
    help="Give the model this name. [default: the name of the archive or folder; of an .onnx file, the name "
    "in its card]",
)  # fmt: skip
@click.option(
    "--config", default="", metavar="NAME|FILE.json",
    help="Use this configuration for a checkpoint. [default: the one of the released model of the same name]",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace a model of the same name.")
@click.pass_obj
def add(plugins: Plugins, source: Path, name: str, config: str, overwrite: bool) -> None:
    """Install a model from a file or folder. Prints its path.

    Accepts an archive of Spleeter's release that you downloaded, the folder of a checkpoint that you
    trained with Spleeter (with its JSON file as --config), or a model from plugin-cli export.
    """
    from stemdock_models.adding import Addition, add_model  # noqa: PLC0415
    from stemdock_models.catalogue import load_release  # noqa: PLC0415
    from stemdock_models.installing import Task  # noqa: PLC0415

    if config and source.suffix.lower() == ".onnx" and not source.is_dir():
        raise click.UsageError(
            f"--config is only for checkpoints and their archives: {source} contains its own"
        )
    addition = Addition(source=source, name=name, config=config, overwrite=overwrite)
    with fetch_reporter() as on_progress:
        entry = add_model(
            addition,
            store=default_store(),
            release=load_release(),
            plugins=plugins,
            task=Task(on_progress, cancel=None),
        )
    if entry.path is not None:
        echo_path(entry.path)
