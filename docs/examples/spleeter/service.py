"""A small web service: POST a song to /separate, get a zip archive of its stems.

It loads the model once, and separates one song at a time.
"""

from __future__ import annotations

import io
import sys
import tempfile
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from spleeter.separator import Separator

separator = Separator(sys.argv[1], multiprocess=False)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            song = Path(folder) / "song"
            song.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                separator.separate_to_file(str(song), folder, filename_format="stems/{instrument}.{codec}")
            except Exception as error:
                self.send_error(400, "cannot be separated", str(error))
                return
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w") as zipped:
                for stem in sorted((Path(folder) / "stems").iterdir()):
                    zipped.write(stem, stem.name)
        self.send_response(200)
        self.send_header("Content-Type", "application/zip")
        self.end_headers()
        self.wfile.write(archive.getvalue())

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(f"port {server.server_port}", flush=True)
    server.serve_forever()
