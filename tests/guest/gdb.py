# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's gdb debugs guests of ours: a boot sector in real mode, and a 64-bit kernel with symbols
on two processors."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))
import debugger  # noqa: E402
import tap  # noqa: E402
from emulator import Emulator, has_hardware_virtualization, need_kvm, program  # noqa: E402

PASSED = 33  # what isa-debug-exit makes of 16


class Bench:
    """What the cases share."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.kernel = options.images / "debug-kernel.elf"
        # A KVM that emulates its guests looks at no data breakpoints.
        self.watches = options.accel != "kvm" or has_hardware_virtualization()

    def emulator(self, *options: str) -> Emulator:
        if self.options.accel == "kvm":
            need_kvm()
        return Emulator(self.options.rhea, [
            "-accel", self.options.accel, "-m", "64", "-snapshot", *debugger.OPTIONS,
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4", *options])

    def with_kernel(self, *options: str) -> Emulator:
        return self.emulator("-smp", "2", "-kernel", str(self.kernel), *options)

    def with_sector(self) -> Emulator:
        return self.emulator("-drive", f"file={self.options.images}/debug-sector.img,format=raw", "-S")


def boot_sector(bench: Bench) -> None:
    """Real mode, from the first instruction on."""
    with bench.with_sector() as emulator:
        debugger.debug(emulator, (
            "show architecture",
            "info registers eip cs",
            "break *0x7c00", "continue",
            "print/x $cs * 16 + $eip", "x/2xb 0x7dfe", "x/i 0x7c00",
            "stepi", "print/x $eip", "print/x $cs_base",
            "delete", "break *0x7c40", "continue", "info registers esi",
            *(("delete", "watch *(unsigned short *)0x7c60", "continue", "continue")
              if bench.watches else ("stepi",)),
            "delete", "print *(short *)0x7c60 = 1000", "stepi", "print $bx",
            "hbreak *0x7c40", "continue", "continue", "print/x $eip", "delete",
            "monitor info status",
            "print *(char *)0x7c62 = 16", "detach",
        ), (
            r"currently \"i8086\"",
            r"^eip +0xfff0\b", r"^cs +0xf000\b",
            r"0x7c00", r"\$\d+ = 0x7c00", r"0x7dfe:\s+0x55\s+0xaa", r"jmp +\$0x7c0,",
            r"\$\d+ = 0x5", r"\$\d+ = 0x7c00",
            r"^esi +0x1234\b",
            *((r"Old value = 0", r"New value = 1", r"Old value = 1", r"New value = 2")
              if bench.watches else ()),
            r"\$\d+ = 1000", r"\$\d+ = 1000", r"\$\d+ = 0x40",
            r"VM status: paused",
            r"\$\d+ = 16 '\\020'",
        ))
        emulator.expect_end(PASSED)


def kernel_from_the_start(bench: Bench) -> None:
    """Symbols of the upper half while the processor is still in real mode, as people debug Linux."""
    with bench.with_kernel("-S") as emulator:
        debugger.debug(emulator, (
            "hbreak first_main", "continue", "bt", "delete",
            "print $efer", "print $cs_base",
            "hbreak second_main", "continue", "info threads", "delete",
            "break work if job->id == 1", "continue", "print *job", "bt", "delete",
            *(("watch seldom", "continue", "delete") if bench.watches else ()),
            "tbreak depth if n == 0", "continue", "bt", "finish",
            "thread 1", "bt 1", "thread 2", "stepi", "stepi",
            "print wanted_exit = 16", "detach",
        ), (
            r"Breakpoint 1, (0x\w+ in )?first_main", r"^#0 .*first_main \(\)",
            r"LMA", r"\$\d+ = 0\b",
            r"Breakpoint 2, (0x\w+ in )?second_main", r"^ +1 +Thread 1\.1", r"^\* 2 +Thread 1\.2",
            r"Breakpoint 3, work \(job=", r"id = 1", r'name = .*"second"', r"^#1 .*second_main \(\)",
            *((r"watchpoint 4: seldom", r"New value = \d+000\b") if bench.watches else ()),
            r"breakpoint \d, depth \(n=", r"^#3 .*depth \(n=.*3\)", r"^#4 .*work \(job=",
            r"Value returned is \$\d+ = \d+",
            r"^#0 .* (work|depth|first_main|start_second) \(", r"\$\d+ = 16",
        ), bench.kernel)
        emulator.expect_end(PASSED)


def kernel_later(bench: Bench) -> None:
    """A debugger that comes when all is running, goes, and comes again."""
    with bench.with_kernel() as emulator:
        emulator.wait_for(lambda: "\nCPU#1" in emulator.qmp.hmp("info registers -a") and re.search(
            r"RIP=ffffffff8", emulator.qmp.hmp("info registers 1")), "the second processor's code")
        debugger.debug(emulator, (
            "show architecture",
            "info registers rip efer cr0 cr3 cr4 cr8 fs_base gs_base k_gs_base",
            "print $xmm15", "print $fctrl", "info registers ftag mxcsr",
            "print $rbx = 0x1122334455667788", "print/x $ebx", "print $xmm7.uint128 = 5",
            "print/x $xmm7.v2_int64", "print $st0 = 1.5", "print $st0",
            "maintenance packet qqemu.sstepbits", "maintenance packet Qqemu.sstep=5",
            "stepi", "stepi", "maintenance packet Qqemu.sstep=7", "stepi",
            "maintenance packet Qqemu.PhyMemMode:1", "x/2xb 0x8000",
            "maintenance packet Qqemu.PhyMemMode:0",
            "thread apply all -q print jobs[0].name",
            "info threads", "detach",
        ), (
            r"currently \"i386:x86-64\"",
            r"^rip +0xffffffff802", r"^efer .*LMA", r"^cr0 .*PG", r"^cr3 +0x102000\b", r"^cr4 .*PAE",
            r"^cr8 +0x0\b", r"^fs_base +0x0\b", r"^gs_base +0x0\b", r"^k_gs_base +0x0\b",
            r"v4_int32 = \{", r"= (64|895)", r"^ftag +0x(5555|ffff)\b", r"^mxcsr ",
            r"= 1234605616436508552", r"= 0x55667788", r"= 5", r"\{0x5, 0x0\}", r"= 1\.5", r"= 1\.5",
            r"ENABLE=1,NOIRQ=2,NOTIMER=4", r"received: \"OK\"", r"received: \"OK\"",
            r"received: \"OK\"", r"0x8000:\s+0xfa\s+0x31", r"received: \"OK\"",
            r'"first"', r'"first"', r"Thread 1\.1", r"Thread 1\.2",
        ), bench.kernel)
        tap.expect_equal(emulator.qmp.execute("query-status")["status"], "running",
                         "state after the debugger has gone")
        debugger.debug(emulator, ("print total > 0", "monitor info cpus", "kill"),
                       (r"= true", r"CPU #1: thread_id"), bench.kernel)
        emulator.expect_end(0)


def interrupted(bench: Bench) -> None:
    """Ctrl-C, large transfers, and registers of a chosen layout."""
    with bench.with_kernel() as emulator:
        dump = emulator.scratch / "dump"
        debugger.debug(emulator, (
            "monitor gdb_layout i386",
            f"dump binary memory {dump} 0x0 0x400000", f"restore {dump} binary 0x1000000",
            "compare-sections .text",
            "python import threading, os, signal",
            "python threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()",
            "continue", "print $_siginfo_is_none = 1", "detach",
        ), (
            r"the next debugger to connect is told: i386",
            r"Restoring binary file", r"received signal SIGINT|Program received signal SIGINT",
        ), bench.kernel)
        tap.expect_equal(dump.stat().st_size, 4 << 20, "bytes that were read")
        debugger.debug(emulator, ("show architecture", "info registers eip", "detach"),
                       (r"currently \"i386\"", r"^eip "))


CASES: dict[str, Callable[[Bench], None]] = {
    "boot-sector": boot_sector,
    "kernel-from-the-start": kernel_from_the_start,
    "kernel-later": kernel_later,
    "interrupted": interrupted,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True, help="the emulator")
    parser.add_argument("--images", type=lambda name: Path(name).resolve(), required=True,
                        help="folder of the guests' images")
    parser.add_argument("--accel", default="tcg")
    parser.add_argument("names", nargs="*", help="cases (default: all)")
    options = parser.parse_args()
    bench = Bench(options)
    return tap.run([(f"{name}, {options.accel}", lambda case=CASES[name]: case(bench))
                    for name in options.names or CASES])


if __name__ == "__main__":
    sys.exit(main())
