# SPDX-License-Identifier: GPL-2.0-or-later
"""PCI devices for Rhea in Python: derive from Device, and call run().

    rhea -device python,script=doorbell.py

Handlers are called one at a time, with registers' values as numbers. What is not overridden does nothing. The
protocol stands in docs/process-devices.md.
"""

from __future__ import annotations

import json
import os
import socket
from collections import deque


class DmaError(Exception):
    """The guest has bus mastering off, or nothing answers at the address."""


class Device:
    vendor, device, revision = 0x1b36, 0x0000, 0
    pci_class = 0xff0000
    bars: dict[int, int] = {}          # number: size
    io_bars: frozenset[int] = frozenset()  # those of them that are ports
    has_interrupt = True
    messages = 0                       # MSI vectors

    # ---- What a device overrides

    def reset(self) -> None:
        """Registers get their reset values."""

    def read(self, bar: int, offset: int, size: int) -> int:
        return (1 << (8 * size)) - 1

    def write(self, bar: int, offset: int, size: int, value: int) -> None:
        pass

    def timer(self, number: int) -> None:
        """A timer that was armed has come to its time."""

    def save(self):
        """All state, as anything that JSON has."""

    def load(self, state) -> None:
        """What save() gave; raise ValueError for what is no state of this device."""

    # ---- What a device calls

    def interrupt(self, level: bool, vector: int = 0) -> None:
        """Raises or lowers INTx; when the guest has enabled MSI a raise sends message `vector`."""
        self._send({"do": "interrupt", "level": bool(level), "vector": vector})

    def dma_read(self, address: int, length: int) -> bytes:
        return bytes.fromhex(self._ask({"do": "dma-read", "address": address, "length": length})["data"])

    def dma_write(self, address: int, data: bytes) -> None:
        self._ask({"do": "dma-write", "address": address, "data": data.hex()})

    def arm(self, number: int, nanoseconds: int) -> None:
        """Timer `number` (0 to 7) comes when this much of the guest's time has passed."""
        self._send({"do": "arm", "timer": number, "in": nanoseconds})

    def cancel(self, number: int) -> None:
        self._send({"do": "cancel", "timer": number})

    def now(self) -> int:
        """The guest's time in nanoseconds."""
        return self._ask({"do": "clock"})["now"]

    def log(self, text: str) -> None:
        """Shown under -d guest_errors."""
        self._send({"do": "log", "text": text})

    # ---- The protocol

    def run(self) -> None:
        self._socket = socket.socket(fileno=int(os.environ["RHEA_DEVICE_SOCKET"]))
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._waiting: deque[dict] = deque()
        self._asked = 0
        # Rhea asks first what the device is, and hears nothing else before the answer.
        if (first := self._receive()) is None:
            return
        self._handle(first)
        self.reset()
        while (message := self._waiting.popleft() if self._waiting else self._receive()) is not None:
            self._handle(message)

    def _handle(self, message: dict) -> None:
        what = message["do"]
        answer: dict = {}
        if what == "read":
            answer["value"] = self.read(message["bar"], message["offset"], message["size"])
        elif what == "write":
            self.write(message["bar"], message["offset"], message["size"], message["value"])
        elif what == "timer":
            self.timer(message["timer"])
        elif what == "reset":
            self.reset()
        elif what == "save":
            answer["state"] = self.save()
        elif what == "load":
            try:
                self.load(message["state"])
            except (ValueError, KeyError, TypeError) as error:
                answer["error"] = str(error)
        elif what == "describe":
            answer |= {"vendor": self.vendor, "device": self.device, "class": self.pci_class,
                       "revision": self.revision, "interrupt": self.has_interrupt, "messages": self.messages,
                       "bars": [{"bar": bar, "size": size, "io": bar in self.io_bars}
                                for bar, size in self.bars.items()]}
        if "id" in message:
            self._send({"answer": message["id"], **answer})

    def _send(self, message: dict) -> None:
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def _receive(self) -> dict | None:
        line = self._lines.readline()
        return json.loads(line) if line else None

    def _ask(self, message: dict) -> dict:
        self._asked += 1
        self._send({**message, "id": self._asked})
        while (answer := self._receive()) is not None:
            if answer.get("answer") != self._asked:
                self._waiting.append(answer)
                continue
            if "error" in answer:
                raise DmaError(answer["error"])
            return answer
        raise SystemExit
