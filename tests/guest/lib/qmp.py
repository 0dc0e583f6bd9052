# SPDX-License-Identifier: GPL-2.0-or-later
"""Speaks QMP over a unix socket."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path


class QmpError(Exception):
    """The emulator refused a command, or the connection is gone."""


class QmpLate(QmpError):
    """There was no answer in time."""


class Qmp:
    def __init__(self, path: Path, seconds: float, alive: Callable[[], bool]) -> None:
        """Connects as soon as the socket is there; `alive()` tells whether to go on waiting."""
        self.events: list[dict] = []
        self.pending = b""
        self.requests = 0
        self.socket = self.connect(path, time.monotonic() + seconds, alive)
        self.greeting = self.receive(time.monotonic() + seconds)
        self.execute("qmp_capabilities")

    @staticmethod
    def connect(path: Path, deadline: float, alive: Callable[[], bool]) -> socket.socket:
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(path))
                return connection
            except OSError as error:
                connection.close()
                if not alive() or time.monotonic() > deadline:
                    raise QmpError("the QMP socket does not answer") from error
                time.sleep(0.02)

    def close(self) -> None:
        self.socket.close()

    def receive(self, deadline: float) -> dict:
        """The next message, an event or an answer."""
        while b"\n" not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0:
                raise QmpLate("no message in time")
            self.socket.settimeout(left)
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                raise QmpLate("no message in time") from None
            except OSError as error:
                raise QmpError(str(error)) from error
            if not more:
                raise QmpError("the emulator closed the QMP socket")
            self.pending += more
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)

    def execute(self, command: str, seconds: float = 60, **arguments):
        """What the command returned."""
        self.requests += 1
        request = {"execute": command, "id": self.requests}
        if arguments:
            request["arguments"] = {key.replace("_", "-"): value
                                    for key, value in arguments.items()}
        try:
            self.socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise QmpError(str(error)) from error
        deadline = time.monotonic() + seconds
        while True:
            message = self.receive(deadline)
            if "event" in message:
                self.events.append(message)
            elif message.get("id") != self.requests:
                continue  # the late answer to one that nobody waits for any more
            elif "error" in message:
                raise QmpError(message["error"].get("desc", str(message)))
            elif "return" in message:
                return message["return"]

    def hmp(self, line: str) -> str:
        return self.execute("human-monitor-command", command_line=line)

    def wait_event(self, name: str, seconds: float) -> dict:
        """The next event of that name; older ones of other names are kept."""
        deadline = time.monotonic() + seconds
        while True:
            for index, event in enumerate(self.events):
                if event["event"] == name:
                    return self.events.pop(index)
            message = self.receive(deadline)
            if "event" in message:
                self.events.append(message)
