# SPDX-License-Identifier: GPL-2.0-or-later
"""-device vfio-user-pci on the real binary, with good and bad servers behind it."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "guest" / "lib"))
import tap  # noqa: E402
import vfio_server as server  # noqa: E402
from qtest_machine import BASE, ONES, SECONDS, SLOT, QtestMachine  # noqa: E402

SERVER = Path(server.__file__)
SHARED = ("-object", "memory-backend-memfd,id=mem,size=128M,share=on", "-machine", "memory-backend=mem")
MEMORY, PORTS, MESSAGES = 0xfe100000, 0xc000, 0xfe200000
TABLE_BYTES = 3 * 16
MSI, MSIX, VENDOR = 0x05, 0x11, 0x09

# What the server does when a register is read, and the words of the one warning.
BAD = (
    ("hangs", "its server does not answer"),
    ("dies", "its server has closed the socket"),
    ("nonsense", "its server sends nonsense: a message of 4294967295 bytes and type 15"),
    ("gigabyte", "its server sends nonsense: a message of 1073741824 bytes"),
    ("unasked", "its server sends nonsense: an answer to nothing"),
    ("short", "its server sends nonsense: a reply to command 9 with 0 bytes"),
    ("unknown", "its server sends nonsense: command 99 with 4 bytes"),
    ("long-dma", "its server sends nonsense: command 11 with 16 bytes"),
    ("descriptors", "its server sends nonsense: more than 8 descriptors"),
    ("flood", "its server does not answer"),
    ("deaf", "its server does not"),
    ("no-memory", "its server does not take guest memory at 0x0: Cannot allocate memory"),
)
# At start-up: what the server does, and words of the error.
REFUSED = (
    ("version", "its server speaks version 7.1 of the protocol, Rhea 0.1"),
    ("no-json", "its server sends nonsense: capabilities that are no JSON"),
    ("bad-twin", "its server sends nonsense: its 'twin_socket' is no socket"),
    ("no-pci", "its server's device is no PCI device"),
    ("bridge", "its server's device is a bridge"),
    ("huge-bar", "its server says that BAR 0 has 1125899906842624 bytes"),
    ("silent", "its server does not answer"),
)


class Machine(QtestMachine):
    def __init__(self, rhea: Path, behave: str = "", *more: str, twin: bool = False, shared: bool = True) -> None:
        super().__init__()
        self.path = self.folder / "server"
        command = [sys.executable, str(SERVER), "--socket", str(self.path), "--behave", behave, "--again"]
        self.server = subprocess.Popen(command + ["--twin"] * twin, stdout=subprocess.PIPE, text=True)
        tap.expect_equal(self.server.stdout.readline(), "ready\n", "the server")
        self.start(rhea, [*(SHARED if shared else ()), "-trace", "pci_msi", "-D", str(self.folder / "log"), *(
            more or ("-device", f"vfio-user-pci,socket={self.path},id=vfu0,addr={SLOT}"))])

    def __exit__(self, *arguments) -> None:
        self.server.kill()
        self.server.wait()
        super().__exit__(*arguments)

    def connect(self) -> Machine:
        super().connect()
        self.map()
        return self

    def map(self) -> None:
        for register, value in ((0x10, BASE), (0x14, MEMORY), (0x18, 0), (0x1c, PORTS), (0x20, MESSAGES), (0x04, 7)):
            self.config(register, value)

    def capability(self, wanted: int) -> int:
        at = self.config_read(0x34) & 0xff
        while at and self.config_read(at) & 0xff != wanted:
            at = self.config_read(at) >> 8 & 0xff
        return at

    def copy(self, how: int, length: int = 8) -> int:
        for register, value in ((server.SOURCE, 0x1000), (server.TARGET, 0x2000), (server.LENGTH, length),
                                (server.COPY, how)):
            self.write(register, value)
        return self.read(server.RESULT)

    def until(self, condition, what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            tap.expect(time.monotonic() < deadline, f"no {what}")
            time.sleep(0.01)

    def interrupt_is_high(self) -> bool:
        return bool(self.config_read(4) >> 19 & 1)

    def hmp(self, line: str) -> str:
        return self.qmp.execute("human-monitor-command", **{"command-line": line})


def registers_and_memory(machine: Machine) -> None:
    machine.connect()
    tap.expect_equal(machine.config_read(0), 0x7e5a1b36, "vendor and device")
    tap.expect_equal(machine.config_read(0x2c), 0x12341af4, "subsystem")
    tap.expect_equal(machine.config_read(8), 0xff000003, "class and revision")
    tap.expect_equal(machine.read(server.ID), server.IDENTIFICATION, "identification")
    machine.write(server.SCRATCH, 0x12345678)
    tap.expect_equal(machine.read(server.SCRATCH), 0x12345678, "what was written")
    tap.expect_equal(int(machine.ask(f"readb {BASE + server.SCRATCH + 1}"), 0), 0x56, "a byte of it")
    tap.expect_equal(machine.config_read(0x1c), PORTS | 1, "the BAR of ports")
    tap.expect_equal(int(machine.ask(f"inl {PORTS + 24}"), 0), ONES, "behind the region's end")
    tap.expect_equal(machine.read(server.COMMAND), 7, "the command register as the server knows it")
    vendor = machine.capability(VENDOR)
    tap.expect_equal(machine.config_read(vendor + 4), int.from_bytes(b"hea!", "little"), "the vendor's capability")
    for offset in (0x10, 0x1010):  # mapped, and by messages
        machine.ask(f"writel {MEMORY + offset} 0xcafe0000")
        tap.expect_equal(int(machine.ask(f"readl {MEMORY + offset}"), 0), 0xcafe0000, f"memory at {offset:#x}")
    tap.expect("vfio-user-pci-bar1-memory" in machine.hmp("info mtree"), "the page is not mapped")
    tap.expect_equal(machine.said(), "", "standard error")


def memory_that_could_shrink(machine: Machine) -> None:
    machine.connect()
    machine.ask(f"writel {MEMORY + 0x10} 0xcafe0000")
    tap.expect_equal(int(machine.ask(f"readl {MEMORY + 0x10}"), 0), 0xcafe0000, "by messages")
    tap.expect("vfio-user-pci-bar1-memory" not in machine.hmp("info mtree"), "the page is mapped")


def transfers(machine: Machine) -> None:
    machine.connect()
    machine.ask("write 0x1000 8 0x0123456789abcdef")
    tap.expect(machine.read(server.MAPS) > 0, "no memory was given")
    tap.expect_equal(machine.copy(server.BY_MAPPING), 1, "by mapping")
    tap.expect_equal(machine.ask("read 0x2000 8"), "0x0123456789abcdef", "the copy")
    machine.ask("write 0x2000 8 0x00")
    tap.expect_equal(machine.copy(server.BY_MESSAGES), 1, "by messages")
    tap.expect_equal(machine.ask("read 0x2000 8"), "0x0123456789abcdef", "the second copy")
    tap.expect_equal(machine.copy(server.BY_MESSAGES, 0x10000), 1, "the most at once")
    machine.config(4, 3)
    tap.expect_equal(machine.copy(server.BY_MESSAGES), 2, "without bus mastering")
    tap.expect_equal(machine.said(), "", "standard error")


def interrupts(machine: Machine) -> None:
    machine.connect()
    machine.write(server.RAISE, 0)
    machine.until(machine.interrupt_is_high, "INTx")
    before = machine.read(server.UNMASKED)
    tap.expect(not machine.interrupt_is_high(), "INTx is high behind an access")
    tap.expect_equal(machine.read(server.UNMASKED), before + 1, "how often the server was told")
    msi = machine.capability(MSI)
    for register, value in ((msi + 4, 0xfee00000), (msi + 12, 0x40), (msi, 0x00210000)):
        machine.config(register, value)
    machine.write(server.RAISE, 3)
    log = machine.folder / "log"
    machine.until(lambda: log.exists() and "0x43" in log.read_text(), "MSI")
    machine.config(msi, 0)
    msix = machine.capability(MSIX)
    tap.expect_equal(machine.config_read(msix + 4), 4, "where the table is")
    tap.expect_equal(machine.config_read(msix) >> 16 & 0x7ff, 2, "the table's size")
    machine.config(msix, 0xc0000000)
    pending = MESSAGES + TABLE_BYTES

    def raised() -> bool:
        machine.write(server.RAISE, 2)
        return int(machine.ask(f"readl {pending}"), 0) == 4
    machine.until(raised, "pending MSI-X")
    machine.config(msix, 0)
    machine.write(server.RAISE, 0)
    machine.until(machine.interrupt_is_high, "INTx again")
    tap.expect_equal(machine.said(), "", "standard error")


def doorbells(machine: Machine) -> None:
    machine.connect()
    for value in (5, 6):
        machine.write(server.BELL, value)
    tap.expect_equal(machine.read(server.RINGS), 2, "how often it rang")
    tap.expect_equal(machine.read(server.BELL), 0, "what the server was told of it")
    for value in (7, 8):
        machine.write(server.BELL_OF_7, value)
    tap.expect_equal(machine.read(server.RINGS_OF_7), 1, "how often the one of 7 rang")
    tap.expect_equal(machine.read(server.BELL_OF_7), 8, "the write that rang nothing")
    tap.expect_equal(machine.said(), "", "standard error")


def no_doorbell(machine: Machine) -> None:
    machine.connect()
    machine.write(server.BELL, 5)
    tap.expect_equal(machine.read(server.BELL), 5, "the write, as a message")
    tap.expect_equal(machine.read(server.RINGS), 0, "how often it rang")
    tap.expect_equal(machine.said(), "", "standard error")


def reset(machine: Machine) -> None:
    machine.connect()
    before = machine.read(server.RESETS)
    machine.write(server.RAISE, 0)
    machine.until(machine.interrupt_is_high, "INTx")
    machine.qmp.execute("system_reset")
    tap.expect(not machine.interrupt_is_high(), "INTx is high after a reset")
    machine.map()
    tap.expect_equal(machine.read(server.RESETS), before + 1, "resets")
    machine.write(server.RAISE, 0)
    machine.until(machine.interrupt_is_high, "INTx after the reset")


def plugged_again(machine: Machine) -> None:
    machine.connect()
    tap.expect_equal(machine.read(server.ID), server.IDENTIFICATION, "identification")
    machine.qmp.execute("device_del", id="vfu0")
    tap.expect_equal(machine.config_read(0), ONES, "after unplug")
    machine.qmp.execute("device_add", driver="vfio-user-pci", socket=str(machine.path), id="vfu1", addr=str(SLOT))
    machine.map()
    tap.expect_equal(machine.read(server.ID), server.IDENTIFICATION, "plugged in again")
    tap.expect_equal(machine.said(), "", "standard error")


def is_given_up(machine: Machine, words: str) -> None:
    machine.connect()
    start = time.monotonic()
    tap.expect_equal(machine.read(0), ONES, "the read")
    tap.expect_equal(machine.read(4), ONES, "the next")
    machine.write(4, 1)
    tap.expect(time.monotonic() - start < 5, "the guest's access takes too long")
    tap.expect_equal(int(machine.ask(f"readl {MEMORY}"), 0), ONES, "memory that was mapped")
    machine.qmp.execute("query-status", seconds=2)
    machine.qmp.execute("system_reset")
    machine.expect_given_up("vfu0", words)
    machine.qmp.execute("device_del", id="vfu0")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=Path, required=True)
    rhea = parser.parse_args().rhea.resolve()

    def on_machine(behave: str, case, *arguments, more: tuple[str, ...] = (), **options):
        def run() -> None:
            with Machine(rhea, behave, *more, **options) as machine:
                case(machine, *arguments)
        return run

    good = (registers_and_memory, transfers, interrupts, doorbells, reset, plugged_again)
    cases = [(f"{case.__name__}{', two sockets' * twin}", on_machine("", case, twin=twin))
             for twin in (False, True) for case in good]
    refused = Machine.expect_refused
    cases += [("memory that could shrink", on_machine("unsealed", memory_that_could_shrink)),
              ("no socket", on_machine("", refused, "Parameter 'socket' is missing", more=("-device", "vfio-user-pci"))),
              ("nobody there", on_machine("", refused, "/nonexistent", more=("-device", "vfio-user-pci,socket=/nonexistent"))),
              ("memory of our own", on_machine("", refused, "it is not shared (-object memory-backend-memfd", shared=False))]
    cases.append(("interrupts whose reading would wait", on_machine("blocking", reset)))
    cases += [(f"no doorbell: {name}", on_machine(name, no_doorbell))
              for name in ("no-bells", "no-eventfd", "bell-outside")]
    cases += [(f"given up: {name}", on_machine(name, is_given_up, words)) for name, words in BAD]
    cases += [(f"refused: {name}", on_machine(name, refused, words)) for name, words in REFUSED]
    return tap.run(cases)


if __name__ == "__main__":
    sys.exit(main())
