# SPDX-License-Identifier: GPL-2.0-or-later
"""The boot-sector guests: what each needs of the machine, and what the test does beside it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import tap
from emulator import SECONDS, Emulator

PASSED = 33  # what isa-debug-exit makes of the guests' code for success
RESCUE_DISC = Path("/usr/lib/grub-rescue/grub-rescue-cdrom.iso")
BOTH = ("on", "split")


def just_run(emulator: Emulator) -> None:
    emulator.expect_end(PASSED)


def send_keys(emulator: Emulator) -> None:
    emulator.wait_said("READY")
    emulator.qmp.execute("send-key", keys=[{"type": "qcode", "data": "a"}])
    # The second key waits until the first is up again.
    emulator.qmp.hmp("sendkey right")
    emulator.expect_end(PASSED)


def talk_on_serial_port(emulator: Emulator) -> None:
    emulator.wait_said("READY")
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(SECONDS)
        line.connect(str(emulator.scratch / "serial"))
        line.sendall(b"rhea")
        answer = b""
        while len(answer) < 4:
            more = line.recv(4 - len(answer))
            if not more:
                break
            answer += more
    tap.expect_equal(answer, b"RHEA", "answer on the serial port")
    emulator.expect_end(PASSED)


def see_string_output(emulator: Emulator) -> None:
    emulator.wait_said("rep outsb was here\n")
    emulator.expect_end(PASSED)


def see_power_off(emulator: Emulator) -> None:
    emulator.qmp.execute("cont")
    event = emulator.wait_event("SHUTDOWN")
    tap.expect_equal(event["data"], {"guest": True, "reason": "guest-shutdown"}, "SHUTDOWN event")
    emulator.expect_end(0)


def see_reset(emulator: Emulator) -> None:
    emulator.qmp.execute("cont")
    event = emulator.wait_event("RESET")
    tap.expect_equal(event["data"], {"guest": True, "reason": "guest-reset"}, "RESET event")
    emulator.expect_end(PASSED)
    tap.expect_equal(emulator.said().count("first time"), 1, "starts before the reset")


def see_end_instead_of_reset(emulator: Emulator) -> None:
    emulator.qmp.execute("cont")
    event = emulator.wait_event("SHUTDOWN")
    tap.expect_equal(event["data"], {"guest": True, "reason": "guest-reset"}, "SHUTDOWN event")
    emulator.expect_end(0)
    tap.expect("second time" not in emulator.said(), "the guest came back")


@dataclass(frozen=True)
class Guest:
    image: str
    options: tuple[str, ...] = ()
    act: Callable[[Emulator], None] = just_run
    irqchips: tuple[str, ...] = ("on",)
    needs: tuple[Path, ...] = field(default=())
    floppy: bool = False


EDU = ("-device", "edu")
PAUSED = ("-S",)

GUESTS: dict[str, Guest] = {
    "portio": Guest("portio"),
    "stringio": Guest("stringio", act=see_string_output),
    "mmio": Guest("mmio", EDU),
    "pit": Guest("pit", irqchips=BOTH),
    "rtc": Guest("rtc", irqchips=BOTH),
    "keyboard": Guest("keyboard", act=send_keys, irqchips=BOTH),
    "serial": Guest("serial", ("-serial", "unix:serial,server=on,wait=off"),
                    talk_on_serial_port, BOTH),
    "ide": Guest("ide", irqchips=BOTH),
    "atapi": Guest("atapi", ("-cdrom", str(RESCUE_DISC)), irqchips=BOTH, needs=(RESCUE_DISC,)),
    "floppy": Guest("floppy", irqchips=BOTH, floppy=True),
    "intx": Guest("intx", EDU, irqchips=BOTH),
    "msi": Guest("msi", EDU, irqchips=BOTH),
    "lapic": Guest("lapic", irqchips=BOTH),
    "ioapic": Guest("ioapic", EDU, irqchips=BOTH),
    "acpi": Guest("acpi", PAUSED, see_power_off, BOTH),
    "reset-cf9": Guest("reset-cf9", PAUSED, see_reset, BOTH),
    "reset-keyboard": Guest("reset-keyboard", PAUSED, see_reset),
    "reset-port92": Guest("reset-port92", PAUSED, see_reset),
    "reset-triple-fault": Guest("reset-triple-fault", PAUSED, see_reset, BOTH),
    "no-reboot": Guest("reset-cf9", (*PAUSED, "-no-reboot"), see_end_instead_of_reset),
}


def options_of(guest: Guest, images: Path, accel: str, irqchip: str) -> list[str]:
    """The emulator's options for one run."""
    image = images / f"{guest.image}.img"
    medium = "floppy" if guest.floppy else "ide"
    options = ["-accel", accel, "-m", "32", "-boot", "a" if guest.floppy else "c", "-snapshot",
               "-drive", f"file={image},format=raw,if={medium}",
               "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    if accel == "kvm":
        options += ["-machine", f"kernel-irqchip={irqchip}"]
    return [*options, *guest.options]
