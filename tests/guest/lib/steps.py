# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test does beside a real guest: waits for its words, types, and sees how it ends."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import text_screen
from emulator import Emulator
from serial_line import SerialLine

LOOK_SECONDS = 0.5
TAIL_LINES = 25


@dataclass
class Run:
    emulator: Emulator
    line: SerialLine
    seconds: float  # for each step
    screen_text: str = ""
    looked: float = 0.0

    def wait_for(self, condition, what: str):
        try:
            return self.emulator.wait_for(condition, what, self.seconds)
        except AssertionError as failure:
            heard = self.line.text().split("\n")[-TAIL_LINES:]
            failure.details += "\n".join(["", "serial line:", *heard, "screen:", self.screen_text])
            raise

    def look(self) -> str:
        """The text screen; not too often, for looking costs the guest time."""
        if time.monotonic() - self.looked >= LOOK_SECONDS:
            self.screen_text = text_screen.read(self.emulator.qmp.hmp)
            self.looked = time.monotonic()
        return self.screen_text


Step = Callable[[Run], None]


def hear(pattern: str) -> Step:
    return lambda run: run.wait_for(lambda: run.line.find(pattern), f"'{pattern}' on the serial line")


def never_heard(pattern: str) -> Step:
    """So far, the serial line has not said it."""
    def act(run: Run) -> None:
        match = re.search(pattern, run.line.text())
        if match:
            raise run.emulator.failure(f"'{match[0]}' on the serial line")
    return act


def say(text: str) -> Step:
    return lambda run: run.line.type(text)


def see(pattern: str) -> Step:
    return lambda run: run.wait_for(lambda: re.search(pattern, run.look()),
                                    f"'{pattern}' on the screen")


def firmware_says(text: str) -> Step:
    return lambda run: run.wait_for(lambda: text in run.emulator.said(), f"'{text}' in the firmware's log")


def press(*keys: str) -> Step:
    """Keys one after the other, by HMP's names: `ctrl-b`, `ret`."""
    def act(run: Run) -> None:
        for key in keys:
            run.emulator.qmp.hmp(f"sendkey {key}")
            time.sleep(0.2)
    return act


def write(text: str) -> Step:
    """Types words of letters and digits on the keyboard, and the return key."""
    names = {" ": "spc", "-": "minus", ".": "dot", "/": "slash"}
    return press(*(names.get(letter, letter) for letter in text), "ret")


def suspends(run: Run) -> None:
    """The guest has suspended the machine to memory."""
    run.wait_for(lambda: run.emulator.qmp.execute("query-status")["status"] == "suspended",
                 "the suspended machine")


def powers_off(run: Run) -> None:
    """The guest has switched the machine off."""
    run.emulator.expect_end(0)


def quit_machine(run: Run) -> None:
    run.emulator.qmp.execute("quit")
    run.emulator.expect_end(0)
