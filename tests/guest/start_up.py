# SPDX-License-Identifier: GPL-2.0-or-later
"""What start-up takes, what it says, and where the guest's screen goes without -display."""

from __future__ import annotations

import argparse
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))
import tap  # noqa: E402
from emulator import program  # noqa: E402
from qmp import Qmp  # noqa: E402

SECONDS = 30.0
NOT_SHOWN = "the guest's screen is not shown"
TAKES_TERMINAL = b"\x1b[?1049h"
QUIT_KEYS = b"\x1dx"  # Ctrl-] x

# Options that are taken, and the words of the one warning they cost, if they do.
TAKEN = (
    ("-nographic -serial stdio -monitor none", ""),
    ("-nographic -serial none", ""),
    ("-display none -monitor /dev/null -serial /dev/null", ""),
    ("-nographic -serial null -monitor none", ""),
    ("-display none -monitor null -serial null", ""),
    ("-display none -name guest=x,process=y", ""),
    ("-display none -smp 4,sockets=2 -smp cores=2", ""),
    ("-display none -boot once=d,menu=on,strict=on,splash-time=0,reboot-timeout=-1", ""),
    ("-display none -machine pc,accel=qtest,smp.cpus=2,boot.order=dc", ""),
    ("-display none -no-fd-bootchk", ""),
    ("-display none -global nope.x=1", "warning: global nope.x has invalid class name"),
    ("-display none -global edu.dma_mask=1", "warning: global edu.dma_mask=1 not used"),
    ("-display none -trace edu0:edu_dma -device edu,id=edu0", ""),
    ("-display none -trace edu1:edu_dma -device edu,id=edu0", "warning: -trace edu1:…: no device has this id"),
    ("-display none -global driver=edu,property=dma_mask,value=1 -device edu", ""),
    ("-display none -machine pc-i440fx-2.4,accel=qtest", ""),
    ("-machine none,accel=qtest", ""),
    ("-display none -machine microvm,accel=qtest -vga std", "warning: -vga std: this board has no place for a graphics card"),
    ("-display none -machine microvm,accel=qtest -vga none", ""),
    ("-display none -machine microvm,accel=qtest -boot order=dc", "warning: -boot order=dc: this board has no order of drives"),
    ("-display none -machine microvm,accel=qtest -boot menu=on,splash-time=10,strict=on", ""),
    ("-machine none,accel=qtest -vga std", "warning: -vga std: this board has no place for a graphics card"),
    ("-display none -uuid 550e8400-e29b-41d4-a716-446655440000 -no-acpi -no-hpet", ""),
    ("-display none -smbios type=1,serial=1 -only-migratable -overcommit mem-lock=off", ""),
    ("-display none -object memory-backend-memfd,id=m,size=16M "
     "-machine pc,accel=qtest,memory-backend=m,mem-merge=off,dump-guest-core=off", ""),
    ("-nographic", ""),
)


class Started:
    """The emulator without a CPU; `terminal` is its standard input and output, if it has one."""

    def __init__(self, rhea: Path, line: str, terminal: int | None = None,
                 kind: str = "xterm") -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="rhea-guest-")
        self.socket = Path(self.folder.name) / "qmp"
        options = shlex.split(line)
        accel = [] if "-machine" in options else ["-accel", "qtest"]
        stream = subprocess.DEVNULL if terminal is None else terminal
        self.process = subprocess.Popen(
            [str(rhea), *accel, "-qmp", f"unix:{self.socket},server=on,wait=off", *options],
            stdin=stream, stdout=stream, stderr=subprocess.PIPE, env={**os.environ, "TERM": kind})

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        self.folder.cleanup()

    def qmp(self) -> Qmp:
        return Qmp(self.socket, SECONDS, alive=lambda: self.process.poll() is None)

    def end(self) -> str:
        """Ends it by QMP; what it said on standard error."""
        connection = self.qmp()
        connection.execute("quit")
        said = self.process.communicate(timeout=SECONDS)[1].decode()
        connection.close()
        tap.expect_equal(self.process.returncode, 0, "status")
        return said


def expect_taken(rhea: Path, line: str, words: str) -> None:
    with Started(rhea, line) as started:
        said = started.end()
    if words not in said or said.count("\n") != (1 if words else 0):
        raise tap.Failure(f"expected {words or 'nothing'!r} on standard error", said)


def process_is_named(rhea: Path) -> None:
    with Started(rhea, "-display none -name guest=x,process=hatchling-of-emus") as started:
        started.qmp().close()
        name = Path(f"/proc/{started.process.pid}/comm").read_text(encoding="utf-8").strip()
    tap.expect_equal(name, "hatchling-of-em", "the process's name")


def screen_is_mentioned(rhea: Path, line: str, words: str) -> None:
    with Started(rhea, line) as started:
        said = started.end()
    if not all(word in said for word in words.split()) or (NOT_SHOWN in said) != bool(words):
        raise tap.Failure("wrong words on the screen's whereabouts", said)


class Terminal:
    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_) -> None:
        os.close(self.ours)
        os.close(self.theirs)

    def wait_for(self, text: bytes) -> None:
        seen, deadline = b"", time.monotonic() + SECONDS
        while text not in seen:
            if not select.select([self.ours], [], [], max(0, deadline - time.monotonic()))[0]:
                raise tap.Failure(f"{text!r} did not come", repr(seen[-500:]))
            seen += os.read(self.ours, 65536)


def screen_comes_to_the_terminal(rhea: Path) -> None:
    with Terminal() as terminal, Started(rhea, "-m 512M", terminal.theirs) as started:
        terminal.wait_for(TAKES_TERMINAL)
        os.write(terminal.ours, QUIT_KEYS)
        said = started.process.communicate(timeout=SECONDS)[1].decode()
        tap.expect_equal((started.process.returncode, said), (0, ""), "status and words")


def plain_terminal_shows_no_screen(rhea: Path) -> None:
    with Terminal() as terminal, Started(rhea, "", terminal.theirs, "dumb") as started:
        said = started.end()
        tap.expect(NOT_SHOWN in said and "TERM=dumb" in said, f"it does not say why: {said}")
        tap.expect(not select.select([terminal.ours], [], [], 0)[0], "it writes to the terminal")


def printing_to_a_full_disk_fails(rhea: Path, option: str) -> None:
    with open("/dev/full", "wb") as full:
        ended = subprocess.run([str(rhea), *shlex.split(option)], stdout=full, timeout=SECONDS,
                               stderr=subprocess.PIPE, check=False)
    tap.expect_equal(
        (ended.returncode, ended.stderr.decode().partition(": ")[2]),
        (1, "could not write to standard output: No space left on device\n"), "status and words")


def terminal_in_use_is_named(rhea: Path) -> None:
    with Terminal() as terminal, Started(rhea, "-serial stdio", terminal.theirs) as started:
        said = started.end()
    if NOT_SHOWN not in said or "'serial0'" not in said:
        raise tap.Failure("it does not say who has the terminal", said)


def order_once_is_forgotten_at_reset(rhea: Path) -> None:
    def order(connection: Qmp) -> str:
        connection.hmp("o /b 0x70 0x3d")
        return connection.hmp("i /b 0x71").split()[-1]
    with Started(rhea, "-display none -boot once=d") as started:
        connection = started.qmp()
        before = order(connection)
        connection.execute("system_reset")
        deadline = time.monotonic() + SECONDS
        while order(connection) == before and time.monotonic() < deadline:
            time.sleep(0.05)
        tap.expect_equal((before, order(connection)), ("0x03", "0x12"), "CMOS 3Dh")
        connection.close()
        started.process.send_signal(signal.SIGTERM)
        started.process.wait(SECONDS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True, help="the emulator")
    rhea = parser.parse_args().rhea
    cases = [(line, lambda line=line, words=words: expect_taken(rhea, line, words))
             for line, words in TAKEN]
    cases += [(f"screen: {line or 'no options'}",
               lambda line=line, words=words: screen_is_mentioned(rhea, line, words))
              for line, words in (("", "no terminal"), ("-vga none", ""), ("-nodefaults", ""),
                                  ("-display none", ""), ("-nographic", ""))]
    cases += [(f"to a full disk: {option}",
               lambda option=option: printing_to_a_full_disk_fails(rhea, option))
              for option in ("-help", "-device help", "--version")]
    cases += [(case.__name__, lambda case=case: case(rhea))
              for case in (process_is_named, screen_comes_to_the_terminal, terminal_in_use_is_named,
                           plain_terminal_shows_no_screen, order_once_is_forgotten_at_reset)]
    return tap.run(cases)


if __name__ == "__main__":
    sys.exit(main())
