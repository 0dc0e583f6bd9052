# SPDX-License-Identifier: GPL-2.0-or-later
"""Talks to the human monitor of a running machine over its unix socket."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from pathlib import Path

PROMPT = re.compile(rb"\((?:qemu|rhea)\) $")


class MonitorGone(ConnectionError):
    pass


class Monitor:
    def __init__(self, path: Path, seconds: float, alive) -> None:
        """Connects as soon as the socket is there; `alive()` tells whether to go on waiting."""
        deadline = time.monotonic() + seconds
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(str(path))
                break
            except OSError as error:
                self.socket.close()
                if not alive() or time.monotonic() > deadline:
                    raise MonitorGone("the monitor's socket does not answer") from error
                time.sleep(0.05)
        self.socket.settimeout(seconds)
        self.read_to_prompt()

    def read_to_prompt(self) -> str:
        said = b""
        while not PROMPT.search(said):
            try:
                more = self.socket.recv(65536)
            except OSError as error:
                raise MonitorGone(str(error)) from error
            if not more:
                raise MonitorGone("the monitor closed its socket")
            said += more
        return said.decode(errors="replace")

    def command(self, line: str) -> str:
        try:
            self.socket.sendall(line.encode() + b"\n")
        except OSError as error:
            raise MonitorGone(str(error)) from error
        return self.read_to_prompt()

    def quit(self) -> None:
        """Ends the machine. Closing at once might drop the command, so this waits for the end."""
        with contextlib.suppress(OSError):  # gone already, which is what was asked for
            self.socket.sendall(b"quit\n")
            while self.socket.recv(65536):
                pass
        self.socket.close()
