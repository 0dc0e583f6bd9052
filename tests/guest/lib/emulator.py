# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts the emulator for a test, steers it over QMP, and ends it whatever happens."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import screen
import tap
from qmp import Qmp, QmpError

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts" / "lib"))
from tally import kvm_is_usable  # noqa: E402

# Bounds that only catch hangs: a KVM without hardware virtualization runs two million
# instructions a second, on machines that are busy with other tests.
SECONDS = float(os.environ.get("RHEA_GUEST_SECONDS", "240"))
END_SECONDS = 10.0
POLL_SECONDS = 0.05
LOG_LINES = 25


class Emulator:
    """One run of the emulator. Use it in a `with` statement."""

    def __init__(self, program: Path, options: Sequence[str]) -> None:
        self.scratch_folder = tempfile.TemporaryDirectory(prefix="rhea-guest-")
        self.scratch = Path(self.scratch_folder.name)
        self.debug_log = self.scratch / "debug.log"
        self.error_log = self.scratch / "stderr"
        self.command = [str(program), "-display", "none", "-nic", "none",
                        "-qmp", f"unix:{self.scratch}/qmp,server=on,wait=off",
                        "-debugcon", f"file:{self.debug_log}", "-global", "isa-debugcon.iobase=0x402",
                        *options]
        self.connection: Qmp | None = None
        with open(self.error_log, "wb") as errors:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=errors,
                                            cwd=self.scratch)

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_) -> None:
        if self.connection:
            self.connection.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.scratch_folder.cleanup()

    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def qmp(self) -> Qmp:
        if not self.connection:
            try:
                self.connection = Qmp(self.scratch / "qmp", SECONDS, self.alive)
            except QmpError as error:
                raise self.failure(str(error)) from error
        return self.connection

    def said(self) -> str:
        """What the guest and its firmware wrote to the debug console."""
        try:
            return self.debug_log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def errors(self) -> str:
        return self.error_log.read_text(encoding="utf-8", errors="replace")

    def failure(self, text: str) -> tap.Failure:
        """A failure with all that helps to find its cause."""
        details = ["command: " + " ".join(self.command), f"status: {self.process.poll()}"]
        if self.alive():
            details.append(self.registers())
        details += ["debug console:", *self.said().split("\n")[-LOG_LINES:]]
        details += ["standard error:", *self.errors().split("\n")[-LOG_LINES:]]
        return tap.Failure(text, "\n".join(details))

    def check_translation(self) -> None:
        """With -accel tcg,x-verify=on: translated code has done what the interpreter does."""
        if "interpreter's, translator's" in self.errors():
            raise self.failure("translated code did otherwise")

    def registers(self) -> str:
        try:
            if not self.connection:
                self.connection = Qmp(self.scratch / "qmp", END_SECONDS, self.alive)
            return self.connection.hmp("info registers")
        except (QmpError, ValueError) as error:
            return f"no registers: {error}"

    def wait_for(self, condition, what: str, seconds: float = SECONDS):
        """Waits until the condition holds, as long as the emulator runs; gives its value."""
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if not self.alive():
                raise self.failure(f"the emulator ended before {what}")
            if time.monotonic() > deadline:
                raise self.failure(f"no {what} after {seconds:.0f} s")
            time.sleep(POLL_SECONDS)

    def wait_said(self, text: str) -> None:
        self.wait_for(lambda: text in self.said(), f"'{text}' on the debug console")

    def wait_end(self, seconds: float = SECONDS) -> int:
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self.failure(f"still running after {seconds:.0f} s") from None

    def expect_end(self, status: int, seconds: float = SECONDS) -> None:
        ended = self.wait_end(seconds)
        if ended != status:
            raise self.failure(f"ended with status {ended}, expected {status}")

    def wait_event(self, name: str) -> dict:
        try:
            return self.qmp.wait_event(name, SECONDS)
        except QmpError as error:
            raise self.failure(f"no event {name}: {error}") from error

    def screen(self) -> screen.Screen:
        path = self.scratch / "screen.ppm"
        self.qmp.execute("screendump", filename=str(path))
        return screen.read_ppm(path)

    def try_screen(self) -> screen.Screen | None:
        """The screen, or None while the guest changes its mode."""
        try:
            return self.screen()
        except (QmpError, ValueError, OSError):
            return None


def program(name: str) -> Path:
    """For the command line: a program's path, whatever the current folder will be."""
    return Path(shutil.which(name) or name).resolve()


def need_kvm() -> None:
    """Skips the case on hosts without KVM."""
    if not kvm_is_usable():
        raise tap.Skip("KVM: /dev/kvm cannot be used here")


def has_hardware_virtualization() -> bool:
    """Whether the host's processor has VT-x or AMD-V, and so its KVM runs guests' code natively."""
    flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(encoding="ascii"), re.M)
    return bool(flags and {"vmx", "svm"} & set(flags[1].split()))
