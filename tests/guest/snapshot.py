# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that are saved in mid work by one process and go on in another, on the same accelerator and
on the other one."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "lib"), str(HERE / "images")]
import tap  # noqa: E402
from cache import Cache  # noqa: E402
from emulator import Emulator, need_kvm, program  # noqa: E402
from packages import PackageError  # noqa: E402
from serial_line import SerialLine  # noqa: E402
from steps import Run, hear, say  # noqa: E402

# What KVM offers its guests beyond the processor's own features, the software processor has not.
PLAIN_PROCESSOR = ("-cpu", "qemu64,kvm=off")
KERNEL_TROUBLE = r"BUG: |Oops|general protection|invalid opcode|Call Trace"
PROMPT = r"guest:/# "
SECONDS = 600.0


def rounds(emulator: Emulator) -> list[int]:
    return [int(number, 16) for number in re.findall(r"^round ([0-9a-f]{8})$", emulator.said(), re.M)]


def boot_sector(rhea: Path, images: Path, accels: tuple[str, str], *options: str) -> None:
    """Memory, an 8254 through 8259s and a local APIC's timer, under a disk that is not written."""
    if "kvm" in accels:
        need_kvm()
    def machine(accel: str, *more: str) -> Emulator:
        return Emulator(rhea, ["-accel", accel, "-m", "16", "-snapshot", *PLAIN_PROCESSOR,
                               "-drive", f"file={images}/snapshot.img,format=raw", *options, *more])
    with machine(accels[0]) as first:
        first.wait_for(lambda: len(rounds(first)) >= 2, "two rounds")
        file = first.scratch / "saved"
        first.qmp.execute("x-snapshot-save", seconds=SECONDS, filename=str(file))
        before = rounds(first)[-1]
        first.wait_for(lambda: rounds(first)[-1] >= before + 2, "rounds after it was saved")
        with machine(accels[1], "-x-snapshot", str(file)) as second:
            second.wait_for(lambda: len(rounds(second)) >= 3, "three rounds of the loaded guest")
            after = rounds(second)
            tap.expect("begin" not in second.said(), "the guest went on, it did not begin anew")
            tap.expect(before <= after[0] <= before + 2, f"saved in round {before}, went on in {after}")


def linux(rhea: Path, image: str, processors: int) -> None:
    """A shell's loop, files in memory and a kernel's clocks."""
    try:
        folder = Cache().get(image)
    except PackageError as error:
        raise tap.Skip(f"the guest's image cannot be made: {error}") from None
    options = ["-accel", "tcg", "-m", "192", "-smp", str(processors), "-kernel", f"{folder}/linux",
               "-initrd", f"{folder}/initrd", "-append", "console=ttyS0"]
    first_line, second_line = SerialLine(), SerialLine()
    with Emulator(rhea, [*options, *first_line.options]) as first:
        run = Run(first, first_line, SECONDS)
        for step in (hear(PROMPT), say("seq 1 200000 > /numbers; n=0; while :; do n=$((n + 1)); md5sum < /numbers; "
                                       "echo turn $n; done\n"),
                     hear(r"(?m)^turn 3\r?$")):
            step(run)
        file = first.scratch / "saved"
        first.qmp.execute("x-snapshot-save", seconds=SECONDS, filename=str(file))
        hashed = re.search(r"(?m)^([0-9a-f]{32})  -", first_line.text())[1]
        turn = int(re.findall(r"(?m)^turn (\d+)\r?$", first_line.text())[-1])
        with Emulator(rhea, [*options, *second_line.options, "-x-snapshot", str(file)]) as second:
            run = Run(second, second_line, SECONDS)
            hear(rf"(?m)^turn {turn + 3}\r?$")(run)
            tap.expect_equal(set(re.findall(r"(?m)^([0-9a-f]{32})  -", second_line.text())), {hashed},
                             "what the loop makes of its file")
            say("\x03")(run)
            for step in (hear(PROMPT), say("sleep 1; wc -l /numbers; cat /proc/uptime\n"),
                         hear(r"(?m)^200000 /numbers"), hear(PROMPT)):
                step(run)
            tap.expect(not re.search(KERNEL_TROUBLE, second_line.text()), "the kernel is content")
            tap.expect("Linux version" not in second_line.text(), "it did not boot anew")
            say("exit\n")(run)
            hear("reboot: Power down")(run)
            second.expect_end(0)
    for line in (first_line, second_line):
        line.close()


def refused(rhea: Path, images: Path) -> None:
    """At the start of a program, in one line."""
    with Emulator(rhea, ["-accel", "tcg", "-m", "16", "-S"]) as first:
        file = first.scratch / "saved"
        first.qmp.execute("x-snapshot-save", filename=str(file))
        for options, why in ((("-m", "32"), "memory 'pc.ram' has "),
                             (("-m", "16", "-smp", "2"), "1 processors, this machine 2"),
                             (("-m", "16", "-cpu", "Haswell"), "'qemu64', this machine's is 'Haswell'"),
                             (("-m", "16", "-device", "edu"), "(edu) is in this machine, but not in")):
            with Emulator(rhea, ["-accel", "tcg", *options, "-x-snapshot", str(file)]) as second:
                second.expect_end(1)
                lines = second.errors().strip().split("\n")
                tap.expect_equal(len(lines), 1, f"lines of {lines}")
                tap.expect(why in lines[0] and "-x-snapshot" in lines[0], lines[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True)
    parser.add_argument("--images", type=lambda name: Path(name).resolve(), required=True)
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    cases = [("refused at the start", lambda: refused(options.rhea, options.images))]
    for pair in (("tcg", "tcg"), ("kvm", "kvm"), ("kvm", "tcg"), ("tcg", "kvm"),
                 ("kvm,kernel-irqchip=split", "kvm"), ("kvm", "kvm,kernel-irqchip=off")):
        cases.append((f"a boot sector from {pair[0]} to {pair[1]}",
                      lambda pair=pair: boot_sector(options.rhea, options.images, pair)))
    cases += [("linux-amd64 on two processors", lambda: linux(options.rhea, "linux-amd64", 2)),
              ("linux-i386", lambda: linux(options.rhea, "linux-i386", 1))]
    return tap.run([case for case in cases
                    if not options.cases or any(word in case[0] for word in options.cases)])


if __name__ == "__main__":
    sys.exit(main())
