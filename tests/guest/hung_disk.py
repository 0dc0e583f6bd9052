# SPDX-License-Identifier: GPL-2.0-or-later
"""Files on a file system that stops answering: monitors go on, commands wait alone, SIGTERM ends Rhea.

The file system is a FUSE export of qemu-storage-daemon, held by SIGSTOP. Skipped where there is none.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))
import tap  # noqa: E402
from emulator import program  # noqa: E402
from qmp import Qmp, QmpLate  # noqa: E402

STRICT = os.environ.get("RHEA_PROMPT") == "1"
ANSWER_SECONDS = 1.0 if STRICT else 10.0
END_SECONDS = 3.0 if STRICT else 20.0
SECONDS = 60.0
MIB = 1 << 20
PF_EXITING = 4

# Reads eight sectors (which go past the page cache) with the BIOS, over and over, and says so on
# port 0e9h; the other one writes them.
READER = bytes.fromhex("31c08ed8b800088ec0"  # xor ax,ax; mov ds,ax; mov ax,800h; mov es,ax
                       "b80802bb0000b90900ba8000cd13"  # mov ax,0208h; bx=0; cx=9; dx=80h; int 13h
                       "b072e6e9"  # mov al,'r'; out 0e9h,al
                       "ebec")
WRITER = READER.replace(bytes.fromhex("b80802"), bytes.fromhex("b80803"))
# mov al,'x'; again: out 0e9h,al; jmp again
BABBLER = bytes.fromhex("b078e6e9ebfc")


class Slow:
    """A file that answers until hang() is called."""

    def __init__(self, folder: Path, name: str) -> None:
        source, self.path = folder / f"{name}.source", folder / name
        source.write_bytes(bytes(4 * MIB))
        self.path.touch()
        self.daemon = subprocess.Popen(
            ["qemu-storage-daemon", "--blockdev", f"driver=file,filename={source},node-name=f",
             "--export", f"type=fuse,id=e,node-name=f,mountpoint={self.path},writable=on,growable=on"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + SECONDS
        while not os.path.ismount(self.path):
            tap.expect(self.daemon.poll() is None and time.monotonic() < deadline, "no FUSE export")
            time.sleep(0.05)

    def hang(self) -> None:
        self.daemon.send_signal(signal.SIGSTOP)

    def answer(self) -> None:
        self.daemon.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.answer()
        self.daemon.terminate()
        try:
            self.daemon.wait(10)
        except subprocess.TimeoutExpired:
            # A request that was given up while it stood still: it waits for it, and hears nothing else.
            self.daemon.kill()
            self.daemon.wait()
            subprocess.run(["umount", "--lazy", self.path], check=False)


def boot_sector(code: bytes) -> bytes:
    return code.ljust(510, b"\0") + b"\x55\xaa"


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether all that is left is the kernel's: closing a file asks its file system, too."""
    if process.poll() is not None:
        return True
    stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii")
    return int(stat.rpartition(")")[2].split()[6]) & PF_EXITING != 0


def end(process: subprocess.Popen[bytes]) -> None:
    before = time.monotonic()
    process.terminate()
    while not has_ended(process):
        took = time.monotonic() - before
        tap.expect(took < END_SECONDS, f"SIGTERM does not end it in {END_SECONDS} s")
        time.sleep(0.02)
    tap.comment(f"the end took {time.monotonic() - before:.2f} s")


class Machine:
    def __init__(self, rhea: Path, folder: Path, *options: str) -> None:
        self.said = folder / "said"
        self.monitor_path = folder / "qmp"
        self.process = subprocess.Popen(
            [str(rhea), "-accel", "tcg", "-m", "16", "-display", "none", "-nodefaults",
             "-qmp", f"unix:{folder / 'qmp'},server=on,wait=off",
             "-qmp", f"unix:{folder / 'other'},server=on,wait=off",
             *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        alive = lambda: self.process.poll() is None  # noqa: E731
        self.qmp = Qmp(folder / "qmp", SECONDS, alive)
        self.other = Qmp(folder / "other", SECONDS, alive)

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + SECONDS
        while not self.said.is_file() or self.said.stat().st_size < count:
            tap.expect(self.process.poll() is None and time.monotonic() < deadline, "the guest is silent")
            time.sleep(0.05)

    def expect_answers(self) -> None:
        for command in ("query-status", "query-block", "query-chardev"):
            self.other.execute(command, ANSWER_SECONDS)

    def end(self) -> None:
        end(self.process)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def with_disk(rhea: Path, code: bytes, stop: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="rhea-hung-") as name:
        folder = Path(name)
        disk = Slow(folder, "disk.img")
        machine = None
        try:
            disk.path.write_bytes(boot_sector(code))
            machine = Machine(rhea, folder, "-drive", f"file={disk.path},format=raw,cache=directsync",
                              "-chardev", f"file,id=said,path={folder / 'said'}",
                              "-device", "isa-debugcon,iobase=0xe9,chardev=said")
            machine.wait_for(10)
            disk.hang()
            time.sleep(0.5)
            machine.expect_answers()
            if stop:
                machine.qmp.socket.sendall(b'{"execute": "stop"}\n')
                time.sleep(0.3)
                status = machine.other.execute("query-status", ANSWER_SECONDS)
                tap.expect(status["status"] == "paused", f"stop leaves it {status['status']}")
                machine.expect_answers()
            machine.end()
        finally:
            disk.answer()
            if machine is not None:
                machine.close()
            disk.close()


def with_output(rhea: Path, option: str) -> None:
    with tempfile.TemporaryDirectory(prefix="rhea-hung-") as name:
        folder = Path(name)
        (folder / "boot.img").write_bytes(boot_sector(BABBLER))
        file = Slow(folder, "output")
        machine = None
        try:
            machine = Machine(rhea, folder, "-drive", f"file={folder / 'boot.img'},format=raw",
                              "-chardev", option.format(file.path),
                              "-device", "isa-debugcon,iobase=0xe9,chardev=c")
            deadline = time.monotonic() + SECONDS
            while file.path.read_bytes()[:8] != b"x" * 8:
                tap.expect(time.monotonic() < deadline, "the guest is silent")
                time.sleep(0.1)
            file.hang()
            time.sleep(1)
            machine.expect_answers()
            machine.end()
        finally:
            file.answer()
            if machine is not None:
                machine.close()
            file.close()


@dataclass
class Command:
    name: str
    arguments: dict[str, object] = field(default_factory=dict)


def expect_refused_or_waiting(machine: Machine) -> None:
    """Of the command sent last: its client has no answer, or hears of the file system."""
    deadline = time.monotonic() + 1
    try:
        answer = machine.qmp.receive(deadline)
        while "event" in answer:
            answer = machine.qmp.receive(deadline)
    except QmpLate:
        return
    if "does not answer" not in str(answer):
        raise tap.Failure("the command did not ask the file system", str(answer))


def with_path(command: Command, path: Path) -> Command:
    return Command(command.name, json.loads(json.dumps(command.arguments).replace("PATH", str(path))))


def with_command(rhea: Path, command: Command, before: Command | None = None) -> None:
    """A command that asks a file which does not answer: its client may wait, nobody else does. The
    file has been opened while it still answered if there is a command before."""
    with tempfile.TemporaryDirectory(prefix="rhea-hung-") as name:
        folder = Path(name)
        (folder / "boot.img").write_bytes(boot_sector(BABBLER))
        file = Slow(folder, "file")
        machine = None
        try:
            machine = Machine(rhea, folder, "-drive", f"file={folder / 'boot.img'},format=raw,snapshot=on",
                              "-drive", "if=floppy,id=f0", "-vga", "std",
                              "-chardev", f"file,id=said,path={folder / 'said'}",
                              "-device", "isa-debugcon,iobase=0xe9,chardev=said")
            machine.wait_for(10)
            if before is not None:
                first = with_path(before, file.path)
                machine.qmp.execute(first.name, **first.arguments)
            file.hang()
            time.sleep(1.5)  # what the kernel knew of the file it has forgotten
            now = with_path(command, file.path)
            machine.qmp.socket.sendall(
                json.dumps({"execute": now.name, "arguments": now.arguments}).encode() + b"\n")
            time.sleep(0.3)
            said = machine.said.stat().st_size
            machine.expect_answers()
            if before is None:
                expect_refused_or_waiting(machine)
            if command.name != "x-snapshot-save":  # while it is saved the guest stands still
                machine.wait_for(said + 10)
            machine.end()
        finally:
            file.answer()
            if machine is not None:
                machine.close()
            file.close()


START_OPTIONS = (
    "-drive file=PATH,format=raw", "-cdrom PATH", "-pflash PATH", "-blockdev file,node-name=a,filename=PATH",
    "-kernel PATH", "-bios PATH", "-L PATH", "-option-rom PATH", "-device VGA,romfile=PATH", "-boot splash=PATH",
    "-fw_cfg name=opt/a,file=PATH", "-smbios file=PATH", "-acpitable data=PATH", "-mem-path PATH",
    "-object secret,id=s,file=PATH", "-readconfig PATH", "-device-plugin PATH", "-x-snapshot PATH",
    "-D PATH -d guest_errors", "-trace file=PATH", "-pidfile PATH", "-qtest null -qtest-log PATH",
    "-serial file:PATH", "-chardev pipe,id=c,path=PATH",
)


def at_start(rhea: Path) -> None:
    """Options with a file that does not answer while the program starts: a signal ends it."""
    with tempfile.TemporaryDirectory(prefix="rhea-hung-") as name:
        file = Slow(Path(name), "disk.img")
        file.hang()
        time.sleep(1.5)
        started = {}
        try:
            for options in START_OPTIONS:
                started[options] = subprocess.Popen(
                    [str(rhea), "-accel", "tcg", "-display", "none", *options.replace("PATH", str(file.path)).split()],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(3)
            for options, process in started.items():
                tap.expect(process.poll() is None, f"{options}: it does not wait for its file")
            for process in started.values():
                end(process)
        finally:
            file.answer()
            for process in started.values():
                process.kill()
                process.wait()
            file.close()


def hmp(line: str) -> Command:
    return Command("human-monitor-command", {"command-line": line})


INSERT = Command("blockdev-change-medium", {"device": "f0", "filename": "PATH", "format": "raw"})
ADD_NODE = Command("blockdev-add", {"driver": "file", "node-name": "late", "filename": "PATH"})
ADD_CHARDEV = Command("chardev-add", {"id": "late", "backend": {"type": "file", "data": {"out": "PATH"}}})
LOGGED = {"type": "null", "data": {"logfile": "PATH"}}
OPENING = [
    INSERT,
    Command("screendump", {"filename": "PATH"}),
    Command("pmemsave", {"val": 0, "size": 65536, "filename": "PATH"}),
    Command("memsave", {"val": 0, "size": 65536, "filename": "PATH"}),
    Command("dump-guest-memory", {"paging": False, "protocol": "file:PATH"}),
    ADD_CHARDEV,
    Command("chardev-change", {"id": "said", "backend": LOGGED}),
    ADD_NODE,
    hmp("logfile PATH"),
    Command("object-add", {"qom-type": "secret", "id": "late", "file": "PATH"}),
    Command("device_add", {"driver": "VGA", "romfile": "PATH"}),
    Command("device_add", {"driver": "python", "script": "PATH"}),
    Command("x-snapshot-save", {"filename": "PATH"}),
    Command("x-snapshot-load", {"filename": "PATH"}),
]
USING = [
    (hmp("logfile PATH"), hmp("log exec")),
    (ADD_NODE, Command("blockdev-del", {"node-name": "late"})),
    (ADD_NODE, Command("block_resize", {"node-name": "late", "size": 1 << 20})),
    (ADD_NODE, Command("query-named-block-nodes")),
    (ADD_CHARDEV, Command("chardev-remove", {"id": "late"})),
    (hmp("logfile PATH"), hmp("logfile /dev/null")),
    (INSERT, Command("eject", {"device": "f0", "force": True})),
    (INSERT, Command("query-block")),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True)
    rhea = parser.parse_args().rhea
    if shutil.which("qemu-storage-daemon") is None or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        print("1..0 # SKIP no FUSE exports here")
        return 0
    return tap.run([
        ("a disk that hangs in a read", lambda: with_disk(rhea, READER, False)),
        ("a disk that hangs in a write", lambda: with_disk(rhea, WRITER, False)),
        ("stop with a disk that hangs", lambda: with_disk(rhea, READER, True)),
        ("output to a file that hangs", lambda: with_output(rhea, "file,id=c,path={}")),
        ("a log on a file that hangs", lambda: with_output(rhea, "null,id=c,logfile={}")),
        ("files that hang at the start", lambda: at_start(rhea)),
        *((f"{command.name} of a file that hangs, {number}",
           lambda command=command: with_command(rhea, command))
          for number, command in enumerate(OPENING)),
        *((f"{command.name} after {before.name}", lambda before=before, command=command:
           with_command(rhea, command, before)) for before, command in USING),
    ])


if __name__ == "__main__":
    sys.exit(main())
