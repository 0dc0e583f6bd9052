# SPDX-License-Identifier: GPL-2.0-or-later
"""The boot-sector guests: what each needs of the machine, and what the test does beside it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import tap
from emulator import SECONDS, Emulator, has_hardware_virtualization

PASSED = 33  # what isa-debug-exit makes of the guests' codes
REFUSED = 35
RESCUE_DISC = Path("/usr/lib/grub-rescue/grub-rescue-cdrom.iso")
EVERYWHERE = ("on", "split", "off")


def end_well(emulator: Emulator) -> None:
    emulator.expect_end(PASSED)


def end_well_after_minutes(emulator: Emulator) -> None:
    emulator.expect_end(PASSED, 3600)
    tap.expect(f"rounds {LONG_ROUNDS:08x}" in emulator.said(), "it did as many rounds as it was told")


def end_well_under_load(emulator: Emulator) -> None:
    """With four times as many busy programs as the host has processors."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
            for _ in range(4 * (os.cpu_count() or 1))]
    try:
        emulator.expect_end(PASSED, 1800)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    print(f"# {emulator.said().splitlines()[-1]}")


def page_or_be_refused(emulator: Emulator) -> None:
    """KVM without VT-x or AMD-V answers with #GP when a guest turns on 32-bit paging."""
    emulated = "kvm" in emulator.command and not has_hardware_virtualization()
    emulator.expect_end(REFUSED if emulated else PASSED)


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


def is_near(got: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Six bits of a colour become eight in more than one way."""
    return all(abs(one - other) <= 4 for one, other in zip(got, wanted))


def expect_colours(emulator: Emulator, name: str, colours: dict[tuple[float, float], tuple]) -> None:
    """Looks at points of the screen, given as parts of its width and height."""
    emulator.wait_said(f"\n{name}\n")
    screen = emulator.screen()
    for (x, y), wanted in colours.items():
        got = screen.pixel(int(x * screen.width), int(y * screen.height))
        if not is_near(got, wanted):
            raise emulator.failure(f"{name}: colour at {x}, {y} of a {screen.width} x "
                                   f"{screen.height} screen: {got}, expected {wanted}")
    emulator.qmp.hmp("sendkey spc")


def look_at_screens(emulator: Emulator) -> None:
    black, red, blue = (0, 0, 0), (170, 0, 0), (0, 0, 170)
    expect_colours(emulator, "TEXT", {
        (0.001, 0.01): red, (0.5, 0.02): red, (0.999, 0.035): red,
        (0.001, 0.045): blue, (0.999, 0.07): blue, (0.5, 0.09): black, (0.5, 0.99): black})
    yellow = (255, 255, 0)
    expect_colours(emulator, "COLOURS", {
        (0.001, 0.001): yellow, (0.999, 0.49): yellow, (0.5, 0.51): black, (0.49, 0.76): yellow,
        (0.51, 0.76): black, (0.001, 0.999): yellow, (0.999, 0.999): black})
    bright_red = (255, 85, 85)
    expect_colours(emulator, "PLANES", {
        (0.001, 0.001): bright_red, (0.499, 0.999): bright_red, (0.501, 0.5): black})
    expect_colours(emulator, "FRAMEBUFFER", {
        (0.001, 0.001): (0x12, 0x34, 0x56), (0.499, 0.499): (0x12, 0x34, 0x56),
        (0.501, 0.499): (255, 0, 0), (0.499, 0.501): (0, 255, 0),
        (0.501, 0.501): (0xfe, 0xdc, 0xba), (0.999, 0.999): (0xfe, 0xdc, 0xba)})
    emulator.expect_end(PASSED)


def inspect_and_reset(emulator: Emulator) -> None:
    """The guest stops for inspection, the emulator lives, a reset brings the guest back."""
    emulator.qmp.execute("cont")
    emulator.wait_event("STOP")
    status = emulator.qmp.execute("query-status")
    tap.expect_equal((status["status"], status["running"]), ("internal-error", False), "status")
    tap.expect("600dcafe" in emulator.qmp.hmp("info registers"), "info registers shows ebx")
    tap.expect("600dcafe" in emulator.errors(), "the dump on standard error shows ebx")
    emulator.qmp.execute("system_reset")
    emulator.wait_event("RESET")
    emulator.qmp.execute("cont")
    emulator.expect_end(PASSED)


@dataclass(frozen=True)
class Guest:
    image: str
    options: tuple[str, ...] = ()
    act: Callable[[Emulator], None] = end_well
    irqchips: tuple[str, ...] = ("on", "off")
    needs: tuple[Path, ...] = field(default=())
    floppy: bool = False  # the image is in the floppy drive, too
    kernel: str = ""  # the image is a kernel: -initrd, where DISK is its RAM disk
    netboot: str = ""  # the file that the network card's ROM is told to load, beside the images


EDU = ("-device", "edu")
PAUSED = ("-S",)

# Only on the software CPU: KVM without hardware virtualization takes seconds for a round, and its
# kernel's emulator does not promise to lock across two pages.
STORM = ("-smp", "4", "-cpu", "max")
LONG_ROUNDS = int(os.environ.get("RHEA_STORM_ROUNDS", "60000"))
LONG_STORM = ("-fw_cfg", f"name=opt/rhea/rounds,string={LONG_ROUNDS}")

KNOWN_RATE = ("-cpu", "qemu64,tsc-frequency=1000000000")

NO_DMA = ("-global", "fw_cfg_io.dma_enabled=off")

GUESTS: dict[str, Guest] = {
    "a20": Guest("a20"),
    "calibrate": Guest("calibrate", KNOWN_RATE),
    "calibrate-long": Guest("calibrate-long", KNOWN_RATE, end_well_under_load),
    "beyond": Guest("beyond", (*EDU, "-cpu", "max"), irqchips=EVERYWHERE),
    "cpuid": Guest("cpuid"),
    "longmode": Guest("longmode", EDU, irqchips=EVERYWHERE),
    "paging": Guest("paging"),
    "paging32": Guest("paging32", act=page_or_be_refused),
    "screens": Guest("screens", act=look_at_screens),
    "storm": Guest("storm", STORM),
    "storm-long": Guest("storm", (*STORM, *LONG_STORM), end_well_after_minutes),
    "smp": Guest("smp", ("-smp", "2"), irqchips=EVERYWHERE),
    "stuck": Guest("stuck", PAUSED, inspect_and_reset),
    "portio": Guest("portio"),
    "stringio": Guest("stringio", act=see_string_output),
    "mmio": Guest("mmio", EDU),
    "pit": Guest("pit", irqchips=EVERYWHERE),
    "rtc": Guest("rtc", irqchips=EVERYWHERE),
    "keyboard": Guest("keyboard", act=send_keys, irqchips=EVERYWHERE),
    "serial": Guest("serial", ("-serial", "unix:serial,server=on,wait=off"),
                    talk_on_serial_port, EVERYWHERE),
    "ide": Guest("ide", irqchips=EVERYWHERE),
    "atapi": Guest("atapi", ("-cdrom", str(RESCUE_DISC)), irqchips=EVERYWHERE, needs=(RESCUE_DISC,)),
    "floppy": Guest("floppy", irqchips=EVERYWHERE, floppy=True),
    "intx": Guest("intx", EDU, irqchips=EVERYWHERE),
    "msi": Guest("msi", EDU, irqchips=EVERYWHERE),
    "lapic": Guest("lapic", irqchips=EVERYWHERE),
    "ioapic": Guest("ioapic", EDU, irqchips=EVERYWHERE),
    "acpi": Guest("acpi", PAUSED, see_power_off, EVERYWHERE),
    "reset-cf9": Guest("reset-cf9", PAUSED, see_reset, EVERYWHERE),
    "reset-keyboard": Guest("reset-keyboard", PAUSED, see_reset),
    "reset-port92": Guest("reset-port92", PAUSED, see_reset),
    "reset-triple-fault": Guest("reset-triple-fault", PAUSED, see_reset, EVERYWHERE),
    "kernel-linux": Guest("kernel-linux", kernel="DISK"),
    "netboot": Guest("kernel-linux-ipxe", netboot="netboot.ipxe"),
    "kernel-linux-no-dma": Guest("kernel-linux", NO_DMA, kernel="DISK"),
    "kernel-linux-old": Guest("kernel-linux-old", kernel="DISK"),
    "kernel-multiboot": Guest("kernel-multiboot", kernel="DISK,DISK a,,b"),
    "kernel-multiboot-elf": Guest("kernel-multiboot-elf", kernel="DISK,DISK a,,b"),
    "kernel-multiboot-no-dma": Guest("kernel-multiboot-elf", NO_DMA, kernel="DISK,DISK a,,b"),
    "kernel-pvh": Guest("kernel-pvh", kernel="DISK"),
    "no-reboot": Guest("reset-cf9", (*PAUSED, "-no-reboot"), see_end_instead_of_reset),
}


def options_of(guest: Guest, images: Path, accel: str, irqchip: str) -> list[str]:
    """The emulator's options for one run."""
    image = images / f"{guest.image}.img"
    options = ["-accel", accel, "-m", "32", "-boot", "c", "-snapshot",
               "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    if guest.kernel:
        options += ["-kernel", str(image), "-append", "console=ttyS0 one two",
                    "-initrd", guest.kernel.replace("DISK", str(images / "ramdisk.img"))]
    elif guest.netboot:
        options += ["-boot", "n", "-nic", f"user,model=e1000,tftp={images},bootfile={guest.netboot}"]
    else:
        options += ["-drive", f"file={image},format=raw"]
    if guest.floppy:
        options += ["-drive", f"file={image},format=raw,if=floppy"]
    if accel == "kvm":
        options += ["-machine", f"kernel-irqchip={irqchip}"]
    return [*options, *guest.options]
