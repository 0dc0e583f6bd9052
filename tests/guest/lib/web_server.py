# SPDX-License-Identifier: GPL-2.0-or-later
"""A web server on the host's loopback: gives one file, takes files, and says what came."""

from __future__ import annotations

import base64
import hashlib
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MIB = 1 << 20
STEP = 1 << 16


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.data)))
        self.end_headers()
        self.wfile.write(self.server.data)

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        digest = hashlib.md5()
        while left > 0 and (piece := self.rfile.read(min(left, STEP))):
            digest.update(piece)
            left -= len(piece)
        answer = f"the server has {digest.hexdigest()}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_) -> None:
        pass


class WebServer(ThreadingHTTPServer):
    """Serves until the test's end."""

    daemon_threads = True

    def __init__(self, mebibytes: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        # Text: busybox's wget sends no zeros.
        self.data = base64.b64encode(random.Random(1).randbytes(mebibytes * MIB * 3 // 4))
        self.digest = hashlib.md5(self.data).hexdigest()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]
