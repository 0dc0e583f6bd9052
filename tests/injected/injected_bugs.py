# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices with one bug each, and whether the conformance suite finds it: the table of docs/devices.md.

    injected_bugs.py --device-test PROGRAM --plugin FILE --page docs/devices.md    a test of each row
    injected_bugs.py --device-test PROGRAM --plugin FILE --table                   the table
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "guest" / "lib"))
import tap  # noqa: E402

SECONDS = 120.0
FIRST_LINE = "<!-- injected bugs: tests/injected/injected_bugs.py --table -->"
LAST_LINE = "<!-- end of injected bugs -->"


@dataclass(frozen=True)
class Bug:
    """What is wrong with a device, and words of what the suite says; or why nobody can say anything."""

    name: str
    what: str
    words: str = ""
    before: bool = False  # the suite of November 2026, before this table
    why_not: str = ""


# What an overrun of memory comes to depends on what lies there.
OVERRUN = r"dies of|written beyond the end of|written before it|corrupted"
PREVENTED = "harmless: members end with their device"
PCI = (
    Bug("index-unbounded", "a register is an index, unbounded", OVERRUN, before=True),
    Bug("index-off-by-one", "an index may be one too large", OVERRUN, before=True),
    Bug("length-unchecked", "a descriptor's length is not checked before the copy", OVERRUN),
    Bug("fifo-overrun", "the FIFO says that it has room when it has none", OVERRUN, before=True),
    Bug("loaded-index-unchecked", "a loaded index has no range", OVERRUN),
    Bug("loaded-size-unchecked", "`post_load()` does not check a size", r"dies of a division by zero"),
    Bug("ring-without-budget", "a walk of the ring has no budget", r"never comes back"),
    Bug("chain-endless", "a chain of descriptors is followed to its end", r"never comes back"),
    Bug("timer-of-no-delay", "a timer's period may be 0", r"time moves by \d+ ns: never comes back"),
    Bug("allocation-of-guest-size", "a buffer is as large as a descriptor says",
        r"asks for \d+ bytes of memory at once"),
    Bug("queue-without-bound", "what a stalled peer does not take is kept, however much",
        r"bytes that it keeps of writes to one register"),
    Bug("messages-without-limit", "a wrong access prints a line, each time", r"lines a guest had printed"),
    Bug("assertion-reachable", "an assertion about what the guest writes",
        r"write of 4 bytes at address .*: dies of an abort"),
    Bug("exception-reachable", "`at()` throws out of a handler",
        r"value 0x[0-9a-f]+: throws: vector::_M_range_check", before=True),
    Bug("division-by-zero", "a division by a register",
        r"read of 4 bytes at address .*: dies of a division by zero", before=True),
    Bug("register-not-saved", "a register is not saved", r"does not do what its original does", before=True),
    Bug("vector-not-saved", "a vector is not saved", r"does not do what its original does|memory differs"),
    Bug("timer-not-saved", "a timer is not saved", r"does not do what its original does"),
    Bug("flag-behind-line-not-saved", "the flag behind a line is not saved", r"does not do what its original does"),
    Bug("derived-not-remade", "`post_load()` does not show a window again", r"LoadIsLikeSave", before=True),
    Bug("post-load-refuses-its-own", "`post_load()` refuses what the device saved", r"LoadIsLikeSave", before=True),
    Bug("static-state", "a static member is state",
        r"does not do what its original does|it depends on what memory held", before=True),
    Bug("two-states-of-one-name", "two states have one name", r"declares two states named 'index'", before=True),
    Bug("register-not-reset", "a register is not reset", r"state field 'period' of .* differs", before=True),
    Bug("timer-not-reset", "a timer is not reset", r"state field 'timer' of .* differs", before=True),
    Bug("line-high-at-reset", "a line stays high at reset", r"lines that are high after a reset"),
    Bug("soft-reset-leaves-intx", "a soft reset leaves INTx high",
        why_not="only the data sheet says what that register does"),
    Bug("member-uninitialised", "a member is never initialised", r"state field 'option' of .* differs"),
    Bug("dma-around-the-api", "DMA goes past `dma()`, into the device's own BAR",
        r"transfers that were not made with dma\(\)"),
    Bug("dma-result-ignored", "a transfer's result is ignored",
        why_not="what a failed one read is all ones, nothing of the host's"),
    Bug("clock-of-the-host", "a register tells the host's time",
        r"does not do what its original does|LoadIsLikeSave"),
    Bug("timer-of-the-host", "a timer runs by the host's time", r"with the host's time|LoadIsLikeSave"),
    Bug("chardev-not-detached", "the chardev is not detached", r"UnplugLeavesNothing", before=True),
    Bug("failed-realize-leaves-things", "a `realize()` that fails leaves a chardev attached",
        r"ARefusedOneLeavesNothing"),
    Bug("call-after-unplug", "a call on the main loop comes after the unplug", r"dies of|after it was unplugged"),
    Bug("timer-after-unplug", "a timer stays armed at unplug", why_not=PREVENTED),
    Bug("region-left-at-unplug", "a region stays mapped at unplug", why_not=PREVENTED),
    Bug("property-hides-base", "a property hides one of its base's", r"declares the property 'rombar', which it has from", before=True),
)
ISA = (
    Bug("isa-register-not-saved", "a register is not saved", r"does not do what its original does", before=True),
    Bug("isa-line-high-at-reset", "the interrupt stays high at reset", r"lines that are high after a reset"),
    Bug("isa-line-not-repeated", "the interrupt is not repeated after a load", r"lines after a load, and before"),
    Bug("isa-fifo-overrun", "the FIFO says that it has room when it has none", OVERRUN, before=True),
    Bug("isa-base-not-unrealized", "`unrealize()` does not call its base's", why_not=PREVENTED),
)
CLEAN = ("none", "isa-none")


class Suite:
    def __init__(self, program: Path, plugin: Path) -> None:
        self.program = program
        self.plugin = plugin

    def run(self, name: str) -> tuple[int, str]:
        environment = {**os.environ, "RHEA_HANG_SECONDS": "3"}
        run = subprocess.run([str(self.program), str(self.plugin), f"--gtest_filter=*/bug_{name.replace('-', '_')}"],
                             capture_output=True, timeout=SECONDS, check=False, env=environment)
        return run.returncode, (run.stdout + run.stderr).decode(errors="replace")


def expect_found(suite: Suite, bug: Bug) -> None:
    status, said = suite.run(bug.name)
    if status == 0:
        raise tap.Failure("the suite finds nothing", said[-2000:])
    if not re.search(bug.words, said):
        raise tap.Failure(f"expected {bug.words!r}", said[-4000:])


def expect_passed(suite: Suite, name: str) -> None:
    status, said = suite.run(name)
    if status != 0:
        raise tap.Failure(f"status {status}", said[-4000:])


def table() -> str:
    lines = [FIRST_LINE, ""]
    for kind, bugs in (("PCI", PCI), ("ISA", ISA)):
        before = sum(bug.before for bug in bugs)
        now = sum(not bug.why_not for bug in bugs)
        harmless = sum(bug.why_not == PREVENTED for bug in bugs)
        lines.append(f"Of {len(bugs)} bugs of the {kind} device the suite found {before}, and finds {now}; {harmless} can do no harm any more.")
        lines.append("")
    lines += ["| bug | before | now |", "| --- | --- | --- |"]
    for bug in PCI + ISA:
        lines.append(f"| {bug.what} | {'found' if bug.before else ''} | {bug.why_not or 'found'} |")
    return "\n".join([*lines, "", LAST_LINE])


def expect_page_true(page: Path) -> None:
    text = page.read_text()
    start, end = text.find(FIRST_LINE), text.find(LAST_LINE)
    tap.expect(start >= 0 and end >= 0, f"{page} has no table of injected bugs")
    tap.expect_equal(text[start:end + len(LAST_LINE)], table(), "the page's table (--table prints it anew)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device-test", type=Path)
    parser.add_argument("--plugin", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.table:
        print(table())
        return 0
    suite = Suite(options.device_test.resolve(), options.plugin.resolve())
    # A run waits for its hang half of the time: two at once.
    with ThreadPoolExecutor(2) as pool:
        found = {bug: pool.submit(expect_found, suite, bug) for bug in PCI + ISA if not bug.why_not}
        missed = {bug: pool.submit(expect_passed, suite, bug.name) for bug in PCI + ISA if bug.why_not}
        clean = {name: pool.submit(expect_passed, suite, name) for name in CLEAN}
        cases = [(f"found: {bug.name}", job.result) for bug, job in found.items()]
        cases += [(f"not found, as the page says: {bug.name}", job.result) for bug, job in missed.items()]
        cases += [(f"without a bug: {name}", job.result) for name, job in clean.items()]
        cases.append(("the page's table is true", lambda: expect_page_true(options.page)))
        return tap.run(cases)


if __name__ == "__main__":
    sys.exit(main())
