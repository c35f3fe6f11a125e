"""What the addresses of exports do."""

from __future__ import annotations

import asyncio
from secrets import token_hex
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from stemdock import legal_name
from stemdock_web.errors import RefusedError
from stemdock_web.export_orders import order_from_values
from stemdock_web.folder_archive import archived, n_archived_bytes
from stemdock_web.running_exports import RunningExport
from stemdock_web.server.asking import body_of, recognise, session_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from stemdock_web.downloads import Download
    from stemdock_web.exporting import Exported
    from stemdock_web.session import Session
    from stemdock_web.sessions import Sessions

_BINARY: Final = "application/octet-stream"
_WAIT: Final = 0.5
"""Seconds after which an export that is not complete says how far it is."""
_MOST: Final = 4
"""Exports that a page can wait for."""


class ExportRoutes:
    """The addresses of exports."""

    def __init__(self, sessions: Sessions) -> None:
        """Serves the exports of all pages."""
        self._sessions = sessions

    def table(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/api/songs/{song}/exports", self._begin, methods=["POST"]),
            Route("/api/exports/{number}", self._follow),
            Route("/api/exports/{number}", self._cancel, methods=["DELETE"]),
            Route("/downloads/{secret}", self._download),
        ]

    async def _begin(self, request: Request) -> Response:
        session = session_of(request, self._sessions)
        song = session.song(request.path_params["song"])
        if song.state != "done" or song.live is None:
            raise RefusedError(
                409, "the song is not separated yet", remedy="Export it when the separation is complete."
            )
        order = order_from_values(await body_of(request), song.live.stems)
        if len(session.exports) >= _MOST:
            # A page that was loaded again does not ask for them.
            forgotten = [number for number, each in session.exports.items() if each.is_over]
            await asyncio.gather(*(session.exports.pop(number).end() for number in forgotten))
        if len(session.exports) >= _MOST:
            raise RefusedError(
                429, f"there are already {_MOST} exports of this page", remedy="Wait for one of them."
            )
        number = token_hex(8)
        running = session.exports[number] = RunningExport(song=song, live=song.live, order=order)
        running.begin(session.folder, session.exporting, self._sessions.exporter, self._sessions.space)
        return JSONResponse({"id": number}, status_code=202)

    async def _follow(self, request: Request) -> Response:
        """How far an export is, or where its file is."""
        session = session_of(request, self._sessions)
        number = request.path_params["number"]
        running = _running(session, number)
        try:
            exported = await running.wait(_WAIT)
        except RefusedError:
            session.exports.pop(number, None)
            raise
        if exported is None:
            return JSONResponse({"fraction": running.fraction}, status_code=202)
        session.exports.pop(number, None)
        secret, name = session.keep(exported.path), _name(running, exported)
        address = f"/downloads/{secret}?name={quote(name)}"
        return JSONResponse({"address": address, "name": name, "notes": exported.notes})

    async def _cancel(self, request: Request) -> Response:
        session = session_of(request, self._sessions)
        running = _running(session, request.path_params["number"])
        await running.end()
        session.exports.pop(request.path_params["number"], None)
        return Response(status_code=204)

    async def _download(self, request: Request) -> Response:
        """A finished export. Its address is the secret, because a download cannot send a key."""
        download = self._sessions.find_download(request.path_params["secret"])
        if download is None:
            raise RefusedError(404, "this export is gone", remedy="Export it again.")
        recognise(request)
        path = download.path
        name = legal_name(request.query_params.get("name", ""), fallback=path.name)
        if not path.is_dir():
            return _Keeping(download, FileResponse(path, media_type=_BINARY, filename=name))
        title = name.removesuffix(".zip")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
        if n_bytes := n_archived_bytes(path, title):
            headers["Content-Length"] = str(n_bytes)
        whole = archived(path, title)
        return _Keeping(download, StreamingResponse(whole, media_type=_BINARY, headers=headers))


class _Keeping(Response):
    """Sends an export, whose files stay meanwhile."""

    def __init__(self, download: Download, response: Response) -> None:
        super().__init__()
        self._download = download
        self._response = response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._download.running():
            await self._response(scope, receive, send)


def _running(session: Session, number: str) -> RunningExport:
    if number not in session.exports:
        raise RefusedError(404, "this export is gone", remedy="Export it again.")
    return session.exports[number]


def _name(running: RunningExport, exported: Exported) -> str:
    """The name of the file for the user."""
    choice = running.order.choice
    if choice.is_folder:
        kind = f" ({choice.title})" if choice.output.format else ""
        return legal_name(f"{running.song.title}{kind}.zip")
    if choice.holds_all:
        return exported.path.name  # the name of the song already
    return legal_name(f"{running.song.title} ({running.order.stem or 'mix'}){exported.path.suffix}")
