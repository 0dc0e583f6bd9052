# SPDX-License-Identifier: GPL-2.0-or-later
"""The real guests: unmodified firmware, boot loaders and operating systems out of Debian packages.
One row a guest: what it boots from, what it must show, what is typed, how it ends."""

from __future__ import annotations

from dataclasses import dataclass

import re

import debugger
import network
import virtio_systems
from grub import DISC, FLOPPY, STICK, move_bar
from steps import (Run, Step, firmware_says, hear, never_heard, powers_off, press, quit_machine, say,
                   see, suspends, write)


@dataclass(frozen=True)
class System:
    options: tuple[str, ...]  # `{recipe}` in them stands for the folder of what the recipe makes
    steps: tuple[Step, ...]
    images: tuple[str, ...] = ()  # recipes of images/recipes.py
    needs: str = ""  # a file of a package that scripts/install-deps installs
    quick: bool = False  # short enough for every run of scripts/test
    seconds: float = 300  # for each step: only catches hangs


def grub_menu(run: Run) -> None:
    """Moves the menu's bar, and ends the machine."""
    move_bar(run.emulator)


def rescue(image, *options: str, quick: bool = False) -> System:
    return System(("-m", "96", "-snapshot", *options), (grub_menu,), needs=str(image), quick=quick)


# A shell's work of which the test knows the outcome: text through sorting, packing and hashing,
# and sums of floating-point numbers.
WORK = (
    say("seq 1 20000 | sort -r | gzip | gunzip | md5sum\n"),
    hear("c7345da82422f5bbfb30e41a05540dc3"),
    say("awk 'BEGIN { for (i = 1; i <= 100000; i++) s += 1 / (i * i); printf \"%.12f\\n\", s }'\n"),
    hear(r"\b1\.644924066898\b"),
)
KERNEL_TROUBLE = r"unchecked MSR access|BUG: |Oops|general protection|invalid opcode|Call Trace"
SHELL = r"guest:/# "


def kernel_boot(image: str, machine: str, processors: int = 1, arguments: str = "") -> System:
    """Debian's kernel and busybox, loaded by the emulator, to a shell and power-off."""
    folder = f"{{{image}}}"
    return System(
        ("-m", "256", "-smp", str(processors), "-kernel", f"{folder}/linux",
         "-initrd", f"{folder}/initrd", "-append", f"console=ttyS0{arguments}"),
        (hear(rf"Linux \S+ {machine}, {processors} CPU"), hear(SHELL), *WORK, hear(SHELL),
         say("exit\n"), hear("reboot: Power down"), never_heard(KERNEL_TROUBLE), powers_off),
        images=(image,), quick=processors == 1 and not arguments)


def linux_numa() -> System:
    """Two nodes of memory and two of processors, and a node's distance to the other."""
    usual = kernel_boot("linux-amd64", "x86_64", 4)
    nodes = "/sys/devices/system/node/node1"
    return System(
        (*usual.options, "-smp", "4,sockets=2", "-object", "memory-backend-ram,id=m0,size=96M",
         "-object", "memory-backend-memfd,id=m1,size=160M", "-numa", "node,memdev=m0,cpus=0,cpus=1",
         "-numa", "node,memdev=m1,cpus=2-3", "-numa", "dist,src=0,dst=1,val=31"),
        (hear(SHELL), say(f"echo it is $(cat {nodes}/cpulist {nodes}/distance)\n"),
         hear(r"(?m)^it is 2-3 31 10"), say(f"grep MemTotal {nodes}/meminfo\n"),
         hear(r"Node 1 MemTotal: +1[0-6]\d{4} kB"), *WORK, hear(SHELL),
         say("exit\n"), never_heard(KERNEL_TROUBLE), powers_off),
        images=usual.images)


# The second time by a key, which is the guest's to hear as well.
SUSPEND = (
    say("mount -t sysfs none /sys; echo mem > /sys/power/state; echo awake again\n"),
    suspends, lambda run: run.emulator.qmp.hmp("system_wakeup"), hear(r"(?m)^awake again$"),
    say("echo mem > /sys/power/state; echo awake anew\n"),
    suspends, press("spc"), hear(r"(?m)^awake anew$"), hear(SHELL), *WORK, hear(SHELL),
)


def linux_suspend() -> System:
    usual = kernel_boot("linux-amd64", "x86_64")
    return System(usual.options,
                  (hear(SHELL), *SUSPEND, say("exit\n"), never_heard(KERNEL_TROUBLE), powers_off),
                  images=usual.images)


def debian_disk(processors: int) -> System:
    """GRUB, kernel, initramfs and systemd of a disk, to a login and power-off."""
    prompt = r"root@rhea-guest:~# "
    return System(
        ("-m", "512", "-smp", str(processors), "-snapshot",
         "-drive", "file={debian-disk}/disk.img,format=raw"),
        (hear("Debian GNU/Linux"), hear("Linux version"), hear("rhea-guest login:"), say("root\n"),
         hear(prompt), say("nproc; systemctl is-system-running --wait\n"),
         hear(rf"(?m)^{processors}$"), hear("(?m)^(running|degraded)$"), hear(prompt), *WORK,
         hear(prompt),
         say("systemctl poweroff\n"), hear("reboot: Power down"), never_heard(KERNEL_TROUBLE),
         powers_off),
        images=("debian-disk",), seconds=900)


# Debian's kernel tells its symbols by itself; nokaslr keeps them where they are through a reset.
KERNEL_SYMBOLS = ("start_kernel", "do_sys_openat2", "schedule", "jiffies_64")
SYMBOL_LINE = rf"(?m)^([0-9a-f]{{16}}) \w ({'|'.join(KERNEL_SYMBOLS)})\r?$"


def debug_linux(run: Run) -> None:
    """Breakpoints and watchpoints in a kernel that works on two processors, and from its start."""
    found = {name: int(address, 16) for address, name in re.findall(SYMBOL_LINE, run.line.text())}
    jiffies = found.pop("jiffies_64")
    symbols = debugger.symbol_file(run.emulator.scratch / "symbols", found)
    debugger.debug(run.emulator, (
        "break do_sys_openat2", "continue", "info threads", "delete",
        "break schedule", "continue", "x/2i $pc", "delete",
        f"watch *(unsigned long *){jiffies:#x}", "continue", "continue", "delete",
        "thread apply all -q info registers rip", "monitor info status", "detach",
    ), (
        r"Breakpoint 1, .*do_sys_openat2", r"Thread 1\.1 ", r"Thread 1\.2 ",
        r"Breakpoint 2, .*schedule", r"<schedule\+\d+>",
        r"New value = (\d+)", r"Old value = (\d+)", r"^rip ", r"^rip ", "paused",
    ), symbols, run.seconds)
    run.line.type("echo still $((6 * 7)) here\n")
    hear(r"(?m)^still 42 here")(run)
    debugger.debug(run.emulator, (
        "monitor system_reset", "hbreak start_kernel", "continue", "print $pc == &start_kernel",
        "info registers cr0", "delete", "detach",
    ), (r"Breakpoint 1, .*start_kernel", r"= 1", r"^cr0 .*PG"), symbols, run.seconds)


def linux_network(card: str, drivers: tuple[str, ...], *more: network.Step) -> System:
    folder = "{linux-network}"
    return System(
        ("-m", "512", "-kernel", f"{folder}/linux", "-initrd", f"{folder}/initrd", "-append",
         "console=ttyS0", "-netdev", "user,id=n0", "-device", f"{card},netdev=n0,id=card"),
        (*network.start(*drivers), *more, *network.pulled_out("card"), *network.END),
        images=("linux-network",), seconds=600)


def linux_debugged() -> System:
    usual = kernel_boot("linux-amd64", "x86_64", 2)
    options = [option.replace("console=ttyS0", "console=ttyS0 nokaslr") for option in usual.options]
    names = "|".join(KERNEL_SYMBOLS)
    return System(
        (*options, *debugger.OPTIONS),
        (hear(SHELL), say(f"grep -E ' ({names})$' /proc/kallsyms; echo that was all\n"),
         hear(r"(?m)^that was all"),
         say("while :; do cat /proc/uptime > /dev/null; done &\n"), hear(SHELL + r"[\s\S]*" + SHELL),
         debug_linux, hear("Linux version"), hear(SHELL), *WORK, hear(SHELL),
         say("exit\n"), powers_off),
        images=usual.images)


def debug_reset_vector(run: Run) -> None:
    debugger.debug(run.emulator, (
        "x/2xb 0xfffffff0", "stepi", "stepi", "stepi", "info registers cr0", "hbreak *0xfffffff0", "detach",
    ), (r"0xfffffff0:\s+0x\w\w\s+0x\w\w", r"^cr0 ", r"breakpoint 1 at 0xfffffff0"))


def debug_shell(run: Run) -> None:
    """UEFI's shell waits, in 64-bit mode."""
    debugger.debug(run.emulator, (
        "show architecture", "info registers rip efer cr3", "x/3i $pc", "stepi", "stepi",
        "hbreak *$pc", "continue", "delete", "detach",
    ), (r"i386:x86-64", r"^rip ", r"^efer .*LMA", r"^=> 0x", r"Breakpoint 1, "), seconds=run.seconds)


def virtio(disk: str, card: str) -> System:
    return System((*virtio_systems.options("{linux-virtio}", disk, card), *virtio_systems.MORE),
                  (*virtio_systems.STEPS, *virtio_systems.MORE_STEPS, *virtio_systems.END),
                  images=("linux-virtio",), seconds=600)


def microvm(*options: str) -> System:
    """Without legacy interrupts nothing is there to measure the processor's clock by."""
    usual = virtio_systems.options("{linux-virtio}", "virtio-blk-device", "virtio-net-device")
    return System(("-machine", "microvm", *usual,
                   "-append", "console=ttyS0 tsc_early_khz=1000000", *options),
                  (*virtio_systems.STEPS, *virtio_systems.END), images=("linux-virtio",), seconds=600)


def microvm_by_qboot() -> System:
    """No ACPI: the kernel ends, and cannot switch off."""
    usual = kernel_boot("linux-amd64", "x86_64")
    return System(("-machine", "microvm,acpi=off", *usual.options, "-device", "virtio-rng-device"),
                  (hear(r"Linux \S+ x86_64, 1 CPU"), hear(SHELL), *WORK, hear(SHELL),
                   say("cat /proc/cmdline\n"), hear(r"virtio_mmio\.device=512@0xfeb00e00:12"),
                   never_heard(KERNEL_TROUBLE), quit_machine),
                  images=usual.images)


PASS = (see(r"Memtest86\+"), see(r"Pass: +[1-9]\d* +Errors: 0\b"), quit_machine)
IPXE = (see("iPXE initialising devices...ok"), see("Ctrl-B"), press("ctrl-b"), see("iPXE>"),
        write("show version"), see(r"version:string = 1\.0\.0"), quit_machine)

SYSTEMS: dict[str, System] = {
    "seabios": System(("-m", "32", "-boot", "c"),
                      (firmware_says("SeaBIOS (version"), see(r"No bootable device\."), quit_machine),
                      quick=True),
    "grub-cdrom": rescue(DISC, "-cdrom", str(DISC), "-boot", "d", quick=True),
    "grub-disk": rescue(STICK, "-drive", f"file={STICK},format=raw", "-boot", "c"),
    "grub-virtio": rescue(STICK, "-drive", f"file={STICK},format=raw,if=virtio", "-boot", "c"),
    "grub-floppy": rescue(FLOPPY, "-drive", f"file={FLOPPY},format=raw,if=floppy", "-boot", "a"),
    "memtest-cdrom": System(("-m", "64", "-cdrom", "{memtest}/memtest.iso", "-boot", "d"), PASS,
                            ("memtest",), seconds=3600),
    "memtest-kernel": System(("-m", "64", "-kernel", "{memtest}/memtest.bin"), PASS,
                             ("memtest",), seconds=3600),
    "ipxe-cdrom": System(("-m", "64", "-cdrom", "{ipxe}/ipxe.iso", "-boot", "d"), IPXE, ("ipxe",),
                         quick=True),
    "ipxe-kernel": System(("-m", "64", "-kernel", "{ipxe}/ipxe.lkrn"), IPXE, ("ipxe",)),
    "linux-amd64": kernel_boot("linux-amd64", "x86_64"),
    "linux-amd64-smp": kernel_boot("linux-amd64", "x86_64", 4),
    # For -accel tcg,x-verify=on: on a busy host the kernel finds too few of the timer's interrupts.
    "linux-amd64-unhurried": kernel_boot("linux-amd64", "x86_64", 1, " no_timer_check"),
    "linux-amd64-smp-unhurried": kernel_boot("linux-amd64", "x86_64", 2, " no_timer_check"),
    "linux-i386-unhurried": kernel_boot("linux-i386", "i686", 1, " no_timer_check"),
    "linux-suspend": linux_suspend(),
    "linux-numa": linux_numa(),
    "linux-debugged": linux_debugged(),
    "linux-e1000": linux_network("e1000", ("e1000",), network.STATISTICS, network.SELF_TEST),
    "linux-rtl8139": linux_network("rtl8139", ("mii", "8139cp"), *network.TALLY),
    "linux-virtio": virtio("virtio-blk-pci", "virtio-net-pci"),
    "linux-virtio-legacy": virtio("virtio-blk-pci,disable-modern=on",
                                  "virtio-net-pci,disable-modern=on"),
    "linux-virtio-packed": virtio("virtio-blk-pci-non-transitional,packed=on",
                                  "virtio-net-pci-non-transitional,packed=on"),
    "linux-microvm": microvm(),
    "linux-microvm-modern": microvm("-global", "virtio-mmio.force-legacy=off"),
    "linux-microvm-qboot": microvm_by_qboot(),
    "linux-i386": kernel_boot("linux-i386", "i686"),
    "installer": System(("-m", "1024", "-kernel", "{installer}/linux", "-initrd", "{installer}/initrd.gz",
                         "-append", "console=ttyS0 DEBIAN_FRONTEND=newt"),
                        (hear("Select a language"), quit_machine), ("installer",), seconds=900),
    "debian-disk": debian_disk(1),
    "debian-disk-smp": debian_disk(4),
    "ovmf-shell": System(("-m", "256", "-drive", "if=pflash,format=raw,readonly=on,file={ovmf}/code.fd",
                          "-drive", "if=pflash,format=raw,snapshot=on,file={ovmf}/vars.fd"),
                         (hear("UEFI Interactive Shell"), hear("Shell> "), say("ver\r"),
                          hear("UEFI v2"), say("reset -s\r"), powers_off),
                         ("ovmf",), seconds=600),
    "ovmf-debugged": System(("-m", "256", "-drive", "if=pflash,format=raw,readonly=on,file={ovmf}/code.fd",
                             "-drive", "if=pflash,format=raw,snapshot=on,file={ovmf}/vars.fd", "-S",
                             *debugger.OPTIONS),
                            (debug_reset_vector, hear("Shell> "), debug_shell, say("ver\r"),
                             hear("UEFI v2"), say("reset -s\r"), powers_off),
                            ("ovmf",), seconds=600),
    "ovmf-grub": System(("-m", "256", "-drive", "if=pflash,format=raw,readonly=on,file={ovmf}/code.fd",
                         "-drive", "if=pflash,format=raw,snapshot=on,file={ovmf}/vars.fd",
                         "-drive", "file={grub-efi}/disk.img,format=raw,snapshot=on"),
                        (hear("GRUB for EFI: say where"), say("\r"),
                         hear("platform: efi, processor: x86_64"),
                         hear("GRUB for EFI: power off"), say("\x1b[B\r"), powers_off),
                        ("ovmf", "grub-efi"), seconds=600),
}
