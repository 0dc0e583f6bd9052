# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers that do not read, do not come or say too much: the monitors answer, and signals end the program."""

from __future__ import annotations

import argparse
import array
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))
import tap  # noqa: E402
from emulator import program  # noqa: E402

SECONDS = 60.0
# What a monitor may take to answer and a signal to end the program: the manual's promise with
# RHEA_PROMPT=1, else there is time for a machine that is busy with other tests.
STRICT = os.environ.get("RHEA_PROMPT") == "1"
ANSWER = 1.0 if STRICT else 10.0
END = 3.0 if STRICT else 20.0

# mov al, 'x'; again: out 0e9h, al; jmp again
BABBLER = bytes.fromhex("b078e6e9ebfc")


class Qmp:
    """One client of a QMP socket."""

    def __init__(self, path: Path) -> None:
        deadline = time.monotonic() + SECONDS
        while not path.exists():
            tap.expect(time.monotonic() < deadline, "no QMP socket")
            time.sleep(0.02)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SECONDS)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("r", encoding="utf-8")
        self.lines.readline()
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments) -> dict:
        message = {"execute": command, "arguments": arguments}
        self.socket.sendall(json.dumps(message).encode() + b"\n")
        while True:
            answer = json.loads(self.lines.readline())
            if "event" not in answer:
                return answer

    def human(self, line: str) -> str:
        return self.ask("human-monitor-command", **{"command-line": line})["return"]

    def longest_answer(self, times: int = 10) -> float:
        worst = 0.0
        for _ in range(times):
            before = time.monotonic()
            self.ask("query-status")
            worst = max(worst, time.monotonic() - before)
            time.sleep(0.02)
        return worst


class Run:
    """The emulator in a folder of its own, with a QMP socket."""

    def __init__(self, rhea: Path) -> None:
        self.temporary = tempfile.TemporaryDirectory(prefix="rhea-guest-")
        self.folder = Path(self.temporary.name)
        self.rhea = rhea
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.temporary.cleanup()

    def start(self, *options: str) -> None:
        command = [str(self.rhea), "-nodefaults", "-display", "none", "-qmp",
                   f"unix:{self.folder / 'qmp'},server=on,wait=off", *options]
        self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def babbler(self) -> str:
        image = self.folder / "disk"
        image.write_bytes(BABBLER.ljust(510, b"\0") + b"\x55\xaa" + bytes(512 * 2000))
        return str(image)

    def answers_and_ends(self, client: Qmp) -> None:
        worst = client.longest_answer()
        tap.expect(worst < ANSWER, f"query-status took {worst:.2f} s")
        before = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=SECONDS)
        took = time.monotonic() - before
        tap.expect(took < END, f"SIGTERM took {took:.2f} s")


def wait_until_full(peer: socket.socket) -> None:
    """Waits for the guest behind its firmware to have said as much as the socket holds."""
    deadline = time.monotonic() + SECONDS
    before = -1
    while True:
        tap.expect(time.monotonic() < deadline, f"the guest has said {before} bytes")
        time.sleep(0.5)
        waiting = array.array("i", [0])
        fcntl.ioctl(peer, termios.FIONREAD, waiting)
        if waiting[0] > 100 and waiting[0] == before:
            return
        before = waiting[0]


def debug_console(rhea: Path) -> str:
    """A debug console whose peer does not read holds up nobody but its guest."""
    with Run(rhea) as run:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(run.folder / "console"))
            listener.listen(1)
            run.start("-accel", "tcg", "-drive", f"file={run.babbler()},format=raw,if=ide",
                      "-debugcon", f"unix:{run.folder / 'console'}")
            peer, _ = listener.accept()
            client = Qmp(run.folder / "qmp")
            wait_until_full(peer)
            tap.expect("IP=" in client.human("info registers"), "no registers")
            client.ask("stop")
            client.ask("cont")
            run.answers_and_ends(client)
            peer.close()
    return "query-status and SIGTERM in time"


def waiting_server(rhea: Path) -> str:
    """A server that HMP makes with wait=on waits for nobody."""
    with Run(rhea) as run:
        run.start("-accel", "qtest")
        client = Qmp(run.folder / "qmp")
        said = client.human(f"chardev-add socket,id=s,path={run.folder / 's'},server=on,wait=on")
        tap.expect(said == "", said)
        run.answers_and_ends(client)
    return "answered at once"


def log_on_fifo(rhea: Path) -> str:
    """A log file that is a FIFO is refused, or written as it is read; it stops nothing."""
    with Run(rhea) as run:
        fifo = run.folder / "fifo"
        os.mkfifo(fifo)
        run.start("-accel", "qtest")
        client = Qmp(run.folder / "qmp")
        said = client.human(f"chardev-add null,id=n,logfile={fifo}")
        tap.expect("nobody reads this pipe" in said, said)
        run.answers_and_ends(client)
    return said.strip()


def descriptor_flood(rhea: Path) -> str:
    """A client that passes descriptors which no command takes keeps nobody else out."""
    with Run(rhea) as run:
        run.start("-accel", "qtest", "-qmp", f"unix:{run.folder / 'other'},server=on,wait=off")
        hostile = Qmp(run.folder / "qmp")
        rights = array.array("i", [hostile.socket.fileno()] * 10)
        for _ in range(300):
            hostile.socket.sendmsg([b" "], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        hostile.ask("query-status")
        count = len(os.listdir(f"/proc/{run.process.pid}/fd"))
        tap.expect(count < 100, f"{count} descriptors are open")
        run.answers_and_ends(Qmp(run.folder / "other"))
    return f"{count} descriptors open after 3000 were passed"


def resident_mib(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def endless_message(rhea: Path) -> str:
    """A message without an end takes bounded memory."""
    with Run(rhea) as run:
        run.start("-accel", "qtest", "-qmp", f"unix:{run.folder / 'other'},server=on,wait=off")
        hostile = Qmp(run.folder / "qmp")
        before = resident_mib(run.process.pid)
        for piece in (b"[" + b"[1," * 1000000, b'{"a":"' + b"x" * 40000000):
            hostile.socket.sendall(piece)
        grown = resident_mib(run.process.pid) - before
        tap.expect(grown < 100, f"grew by {grown} MiB")
        run.answers_and_ends(Qmp(run.folder / "other"))
    return f"grew by {grown} MiB"


TESTS = {
    "debug-console": debug_console,
    "waiting-server": waiting_server,
    "log-on-fifo": log_on_fifo,
    "descriptor-flood": descriptor_flood,
    "endless-message": endless_message,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True, help="the emulator")
    rhea = parser.parse_args().rhea
    return tap.run([(name, lambda test=test: tap.comment(test(rhea))) for name, test in TESTS.items()])


if __name__ == "__main__":
    sys.exit(main())
