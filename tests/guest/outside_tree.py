# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices from outside the tree in a Debian guest that uses them through a driver (uio_pci_generic): one whose plug-in
is built anew and reloaded meanwhile, and one that is a Python script."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE / "lib"), str(HERE / "images")]
import tap  # noqa: E402
from cache import Cache  # noqa: E402
from emulator import Emulator, program  # noqa: E402
from packages import PackageError  # noqa: E402
from serial_line import SerialLine  # noqa: E402
from steps import Run, hear, never_heard, powers_off, say  # noqa: E402

SECONDS = 600
SHELL = r"guest:/# "
TROUBLE = r"BUG: |Oops|general protection|Call Trace|nobody cared"
# Memory behind what the kernel uses, for DMA: devmem may reach it.
APPEND = "console=ttyS0 mem=192M cryptomgr.notests nowatchdog"
SOURCE, TARGET = 0xe000000, 0xe001000
# The shell as the device's driver: its registers, its interrupts, and its place in configuration space. Whoever opens
# the file hears of interrupts from then on, so it stays open; each switches INTx off, until the shell has seen it.
DRIVER = r"""
insmod /modules/uio.ko && insmod /modules/uio_pci_generic.ko
echo 1b36 {device} > /sys/bus/pci/drivers/uio_pci_generic/new_id
at=/sys/bus/pci/devices/0000:00:05.0
base=$(cut -d ' ' -f 1 $at/resource | head -n 1)
register() {{ echo $((base + $1)); }}
put() {{ devmem $(register $1) 32 $2; }}
get() {{ devmem $(register $1) 32; }}
config() {{ printf "\\x$2" | dd of=$at/config bs=1 seek=$1 conv=notrunc 2> /dev/null; }}
exec 3< /dev/uio0
wait_for_interrupt() {{ dd bs=4 count=1 <&3 2> /dev/null | od -A n -t u4 | tr -d ' '; config 5 00; }}
echo driver of $(basename $(readlink $at/driver)) is ready
"""


def guest_memory(image: Path, scratch: Path) -> Path:
    """The kernel unpacks one archive after the other."""
    target = scratch / "initrd"
    target.write_bytes(b"".join((image / name).read_bytes() for name in ("initrd", "modules")))
    return target


class Guest:
    def __init__(self, rhea: Path, accel: str, *options: str, append: str = APPEND,
                 variables: dict[str, str] | None = None) -> None:
        try:
            image = Cache().get("driver-lab")
        except PackageError as error:
            raise tap.Skip(f"the guest's image cannot be made: {error}") from None
        self.temporary = tempfile.TemporaryDirectory(prefix="rhea-outside-")
        self.line = SerialLine()
        os.environ.update(variables or {})
        self.emulator = Emulator(rhea, [
            "-accel", accel, "-m", "256", "-kernel", str(image / "linux"),
            "-initrd", str(guest_memory(image, Path(self.temporary.name))), "-append", append,
            *options, *self.line.options])
        self.run = Run(self.emulator, self.line, SECONDS)

    def __enter__(self) -> Guest:
        self.emulator.__enter__()
        return self

    def __exit__(self, *details) -> None:
        self.emulator.__exit__(*details)
        self.line.close()
        self.temporary.cleanup()

    def load_driver(self, device: str) -> None:
        hear(SHELL)(self.run)
        for command in DRIVER.format(device=device).strip().split("\n"):
            self.type(command)
        hear(r"(?m)^driver of uio_pci_generic is ready")(self.run)
        hear(SHELL)(self.run)

    def type(self, command: str) -> None:
        say(command + "\n")(self.run)

    def expect(self, command: str, answer: str) -> None:
        self.type(f"echo it is $({command})")
        hear(rf"(?m)^it is {answer}\r?$")(self.run)
        hear(SHELL)(self.run)

    def power_off(self) -> None:
        never_heard(TROUBLE)(self.run)
        self.type("exit")
        hear("reboot: Power down")(self.run)
        powers_off(self.run)


def reload(rhea: Path, accel: str, plugins: Path) -> None:
    """A doorbell that counts by 3. Its next edition counts by twice that; the driver notices nothing else."""
    with tempfile.TemporaryDirectory(prefix="rhea-plugin-") as folder:
        file = Path(folder) / "bell.so"
        shutil.copyfile(plugins / "bell-first.so", file)
        with Guest(rhea, accel, "-device-plugin", str(file), "-device", "minimal-pci,id=bell,step=3,addr=5") as guest:
            guest.load_driver("7e57")
            guest.type("put 0 1")
            guest.expect("wait_for_interrupt", "1")
            guest.expect("get 0", "0x00000003")
            guest.type("put 4 0; (while :; do get 4; done > /tmp/quiet) &")
            shutil.copyfile(plugins / "bell-second.so", file)
            guest.emulator.qmp.execute("x-device-reload", id="bell")
            guest.expect("get 0", "0x00000003")
            guest.type("put 0 1")
            guest.expect("wait_for_interrupt", "2")
            guest.expect("get 0", "0x00000009")
            guest.type("put 4 0; kill %1")
            guest.expect("sort -u /tmp/quiet | head -n 1", "0x00000000")
            guest.power_off()


def python(rhea: Path, accel: str) -> None:
    """The example that copies memory, and raises an interrupt when it is done."""
    script = ROOT / "examples" / "python-device" / "copier.py"
    # On a busy host ACPI's interrupt routing may run into the kernel's time limit for AML.
    with Guest(rhea, accel, "-device", f"python,script={script},id=copier,addr=5", append=f"{APPEND} pci=noacpi",
               variables={"PYTHONPATH": str(ROOT / "hw" / "misc")}) as guest:
        guest.load_driver("7e59")
        guest.expect("get 0", "0xC0B1E001")
        guest.type("config 4 06")
        for n, value in enumerate((0x01234567, 0x89abcdef)):
            guest.type(f"devmem {SOURCE + 4 * n} 32 {value}")
        guest.type(f"put 4 {SOURCE}; put 8 {TARGET}; put 16 8; put 20 1")
        guest.expect("wait_for_interrupt", "1")
        guest.expect("get 24", "0x00000001")
        guest.type("put 24 0")
        guest.expect("get 20", "0x00000000")
        guest.expect(f"devmem {TARGET}", "0x01234567")
        guest.expect(f"devmem {TARGET + 4}", "0x89ABCDEF")
        guest.power_off()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True)
    parser.add_argument("--accel", default="tcg")
    parser.add_argument("--plugins", type=Path, required=True, help="the folder of bell-first.so and bell-second.so")
    options = parser.parse_args()
    return tap.run([("a plug-in is reloaded under its driver", lambda: reload(options.rhea, options.accel, options.plugins.resolve())),
                    ("a driver of a Python device", lambda: python(options.rhea, options.accel))])


if __name__ == "__main__":
    sys.exit(main())
