"""plugin-cli web."""

from __future__ import annotations

import webbrowser
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

import click

from stemdock_web.errors import WebMissingError

if TYPE_CHECKING:
    from stemdock_web.keys import Tokens
    from stemdock_web.place import Place

_PACKAGES: Final = ("starlette", "uvicorn")
_GIGABYTE: Final = 1_000_000_000


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen at this address.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Listen at this port.  [default: any free port]",
)
@click.option("--no-browser", is_flag=True, help="Print the address without opening it.")
@click.option(
    "--max-upload",
    type=click.FloatRange(min=0.001),
    default=2.0,
    show_default=True,
    metavar="GB",
    help="Refuse larger songs.",
)
@click.option(
    "--max-disk",
    type=click.FloatRange(min=0.001),
    default=20.0,
    show_default=True,
    metavar="GB",
    help="Use at most this much disk space for songs and stems.",
)
@click.option(
    "--static",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a page for a web host that needs no server, and exit.",
)
@click.option(
    "--runtime",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --static: the npm package onnxruntime-web, as `npm pack` writes it.",
)
def command(
    host: str,
    port: int,
    no_browser: bool,
    max_upload: float,
    max_disk: float,
    static: Path | None,
    runtime: Path | None,
) -> None:
    """Separate and mix songs on a page in your browser.

    Starts a server on this machine, opens the page, and runs until you press Ctrl-C. Songs and stems are
    removed then, and when a page is closed. Only this machine can open the page, unless you choose another
    address with --host. Prints the page's address.

    With --static, writes a page that separates songs inside the browser, without a server, and prints its
    folder.
    """
    if static is not None:
        _write_static(static, runtime)
        return
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise WebMissingError(package)
    # Slow, and --help does not need them.
    from stemdock_web.limits import Limits  # noqa: PLC0415
    from stemdock_web.serving import serve  # noqa: PLC0415

    limits = Limits(n_song_bytes=round(max_upload * _GIGABYTE), n_disk_bytes=round(max_disk * _GIGABYTE))

    def on_start(place: Place, tokens: Tokens) -> None:
        click.echo(f"{place.url}#{tokens.token}")
        if others := place.url_for_others():
            click.echo(f"{others}#{tokens.token}")
        click.echo("press Ctrl-C to stop; songs and stems are removed then", err=True)
        tokens.on_twice = _warn_of_other
        if not place.is_local:
            click.echo(
                "warning: everyone in your network who has this address can use the page, and the connection "
                "is not encrypted",
                err=True,
            )
        if not no_browser:
            # Some browsers keep the call until they are closed.
            Thread(target=webbrowser.open, args=(f"{place.url}#{tokens.single()}",), daemon=True).start()

    serve(host, port, limits, on_start=on_start)


def _warn_of_other() -> None:
    click.echo(
        "warning: the address for your browser was used twice, perhaps by another user of this machine; "
        "the page that it opened first is closed, and its songs are removed. Open the printed address",
        err=True,
    )


def _write_static(folder: Path, runtime: Path | None) -> None:
    if runtime is None:
        raise click.UsageError("--static needs --runtime. Run: npm pack onnxruntime-web")
    # numpy loads slowly, and --help does not need it.
    from stemdock import load_plugins  # noqa: PLC0415
    from stemdock_web.static_build import write_static  # noqa: PLC0415

    write_static(folder, runtime, load_plugins())
    click.echo(folder)
