"""plugin-cli models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stemdock import ModelError, ModelNotFoundError, StemdockError
from stemdock.cli import complete_installed, complete_models, echo_error, fetch_reporter
from stemdock_models.catalogue import URL_VARIABLE
from stemdock_models.store import FOLDER_VARIABLE, default_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock import Plugins

# What only one of the commands needs (requests, onnxruntime), it imports itself.


@click.group(
    "models", epilog=f"Models are kept in the folder {FOLDER_VARIABLE}, or else in your data folder."
)
def command() -> None:
    """List, fetch, check, add and remove models."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array for programs.")
@click.pass_obj
def list_models(plugins: Plugins, as_json: bool) -> None:
    """List every model, installed or to be fetched."""
    from stemdock_models.listing import HEADER, list_rows, table  # noqa: PLC0415

    rows = list_rows(plugins, default_store().scan()[1])
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
    help=f"Folder on a server that holds the archives. [default: {URL_VARIABLE}, or else Deezer's release]",
)  # fmt: skip
@click.option("--sha256", metavar="HEX", help="Of the archive, if it is to be another than Deezer's own.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=30, show_default=True,
    help="Seconds without an answer after which a connection counts as broken.",
)  # fmt: skip
@click.pass_obj
def pull(
    plugins: Plugins, names: Sequence[str], base_url: str | None, sha256: str | None, timeout: float
) -> None:
    """Fetch models, convert them and install them. Prints their paths.

    A download that broke off goes on where it stopped. Proxies are taken from HTTPS_PROXY, HTTP_PROXY and
    NO_PROXY.
    """
    from stemdock import plain_name  # noqa: PLC0415
    from stemdock_models.catalogue import load_release  # noqa: PLC0415
    from stemdock_models.download import Line  # noqa: PLC0415
    from stemdock_models.hub import Hub  # noqa: PLC0415

    release = load_release(base_url)
    hub = Hub(release=release, line=Line(timeout=timeout), sha256=sha256.lower() if sha256 else None)
    wanted = list(dict.fromkeys(map(plain_name, names)))
    if sha256 and len(wanted) > 1:
        raise click.UsageError("--sha256 is of one archive: pull its model alone")
    downloads = {download.name: download for download in plugins.downloads()}
    for name in wanted:
        if name not in release.models and name not in downloads:
            raise ModelNotFoundError(name, known=tuple(downloads))
    with fetch_reporter() as on_progress:
        entries = hub.fetch(
            [release.models[name] for name in wanted if name in release.models], on_progress=on_progress
        )
        entries += [
            downloads[name].fetch(on_progress=on_progress) for name in wanted if name not in release.models
        ]
    for entry in entries:
        click.echo(entry.path or entry.name)


@command.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME...]", shell_complete=complete_installed)
@click.pass_obj
def verify(plugins: Plugins, names: Sequence[str]) -> int:
    """Check installed models, all of them if none is named.

    Compares the file with its sha256, loads it, and compares its network with its card. Exit status 1 if
    one is damaged.
    """
    from stemdock import open_model  # noqa: PLC0415

    faults: list[StemdockError] = [] if names else [*default_store().scan()[1]]
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
    """Print the file of an installed model."""
    from stemdock import find_entry, verify_model  # noqa: PLC0415

    entry = find_entry(name, plugins)
    if entry.path is None:
        raise ModelError(name, "has no file", remedy="It is part of the plug-in that offers it.")
    verify_model(entry)
    click.echo(entry.path)


@command.command("remove")
@click.argument("name", shell_complete=complete_installed)
@click.pass_obj
def remove(plugins: Plugins, name: str) -> None:
    """Remove a model that was fetched or added, and what is left of its download."""
    from stemdock import plain_name  # noqa: PLC0415
    from stemdock_models.removing import remove_model  # noqa: PLC0415

    remove_model(plain_name(name), default_store(), plugins)


@command.command("add")
@click.argument("source", type=click.Path(path_type=Path), metavar="ARCHIVE|CHECKPOINT_DIR|MODEL.onnx")
@click.option("--name", default="", help="What the model is called. [default: as the file or folder]")
@click.option(
    "--config", default="", metavar="NAME|FILE.json",
    help="What the checkpoint was trained with. [default: as the released model of that name]",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace the model of that name.")
@click.pass_obj
def add(plugins: Plugins, source: Path, name: str, config: str, overwrite: bool) -> None:
    """Install a model from disk under a name of its own. Prints its path.

    Takes an archive of Spleeter's release that was downloaded by hand, the folder of a checkpoint that
    Spleeter trained (with its JSON file as --config), or a model that plugin-cli export wrote.
    """
    from stemdock_models.adding import Addition, add_model  # noqa: PLC0415
    from stemdock_models.catalogue import load_release  # noqa: PLC0415
    from stemdock_models.installing import Task  # noqa: PLC0415

    addition = Addition(source=source, name=name, config=config, overwrite=overwrite)
    with fetch_reporter() as on_progress:
        entry = add_model(
            addition,
            store=default_store(),
            release=load_release(),
            plugins=plugins,
            task=Task(on_progress, cancel=None),
        )
    click.echo(entry.path)
