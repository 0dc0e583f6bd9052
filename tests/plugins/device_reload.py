# SPDX-License-Identifier: GPL-2.0-or-later
"""device-reload on the real binary: a device's plug-in is built again while the machine stands."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "guest" / "lib"))
import tap  # noqa: E402
from qmp import Qmp, QmpError  # noqa: E402

SECONDS = 60.0
LATCH = 0x500
PATH = "/machine/peripheral/latch0"


class Machine:
    """A machine without a CPU that has a latch out of plug-in `latch.so`."""

    def __init__(self, rhea: Path, plugins: Path, *more: str) -> None:
        self.plugins = plugins
        self.temporary = tempfile.TemporaryDirectory(prefix="rhea-plugins-")
        self.folder = Path(self.temporary.name)
        self.file = self.folder / "latch.so"
        self.build("good")
        self.process = subprocess.Popen(
            [str(rhea), "-accel", "qtest", "-display", "none", "-qtest", f"unix:{self.folder}/qtest,server=on,wait=off",
             "-qtest-log", "none", "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off",
             "-device-plugin", str(self.file), "-device", "plugin-latch,id=latch0,mask=0x3f", *more],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.qmp = Qmp(self.folder / "qmp", SECONDS, alive=lambda: self.process.poll() is None)
        self.qtest = socket.socket(socket.AF_UNIX)
        self.qtest.connect(str(self.folder / "qtest"))
        self.answers = self.qtest.makefile("r")

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.communicate()
        self.qtest.close()
        self.temporary.cleanup()

    def build(self, name: str) -> None:
        """What a build does to the file: the worst way, over the old one's bytes."""
        shutil.copyfile(self.plugins / f"plugin-{name}.so", self.file)

    def ask(self, line: str) -> str:
        self.qtest.sendall(f"{line}\n".encode())
        return self.answers.readline().removeprefix("OK").strip()

    def write(self, value: int) -> None:
        self.ask(f"outb {LATCH} {value}")

    def read(self) -> int:
        return int(self.ask(f"inb {LATCH}"), 0)

    def reload(self, name: str = "latch0") -> str:
        """The error, or nothing."""
        try:
            self.qmp.execute("x-device-reload", id=name)
        except QmpError as error:
            return str(error)
        return ""

    def expect_refused(self, words: str) -> None:
        said = self.reload()
        tap.expect(words in said, f"expected {words!r}: {said!r}")
        tap.expect("\n" not in said, said)


def new_code_goes_on(machine: Machine) -> None:
    machine.write(0x1a)
    machine.build("second")
    tap.expect_equal(machine.reload(), "", "the answer")
    tap.expect_equal(machine.read(), 0x9a, "the new code on the old state")
    tap.expect_equal(machine.qmp.execute("qom-get", path=PATH, property="mask"), 0x3f, "the user's property")
    machine.write(0xff)
    tap.expect_equal(machine.read(), 0xbf, "what it keeps")
    listed = machine.qmp.execute("human-monitor-command", **{"command-line": "device_add help"})
    tap.expect("second edition of a latch" in listed, "the list shows the old one")
    machine.build("good")
    tap.expect_equal(machine.reload(), "", "the way back")
    tap.expect_equal(machine.read(), 0x3f, "the first code on the second's state")


def by_hmp(machine: Machine) -> None:
    machine.write(0x05)
    machine.build("second")
    said = machine.qmp.execute("human-monitor-command", **{"command-line": "device-reload latch0"})
    tap.expect_equal(said, "", "the answer")
    tap.expect_equal(machine.read(), 0x85, "the new code on the old state")
    said = machine.qmp.execute("human-monitor-command", **{"command-line": "device_reload nobody"})
    tap.expect_equal(said, "Error: Device 'nobody' not found\r\n", "an unknown one")


def piped(rhea: Path, plugins: Path) -> None:
    """All that a script says comes in one piece, and the end of the input at once behind it."""
    with tempfile.TemporaryDirectory(prefix="rhea-plugins-") as folder:
        file = Path(folder) / "latch.so"
        shutil.copyfile(plugins / "plugin-good.so", file)
        run = subprocess.run(
            [str(rhea), "-accel", "qtest", "-display", "none", "-monitor", "stdio", "-device-plugin", str(file),
             "-device", "plugin-latch,id=latch0"], input="device-reload latch0\ninfo qtree\nquit\n",
            stdout=subprocess.PIPE, text=True, timeout=SECONDS, check=False)
        tap.expect_equal(run.returncode, 0, "status")
        tap.expect('id "latch0"' in run.stdout, run.stdout)


def the_old_one_stays(machine: Machine, name: str, words: str) -> None:
    machine.write(0x2a)
    machine.build(name)
    machine.expect_refused(words)
    tap.expect_equal(machine.read(), 0x2a, "the old device's state")
    machine.write(0x11)
    tap.expect_equal(machine.read(), 0x11, "the old device's work")
    machine.build("second")
    tap.expect_equal(machine.reload(), "", "a better build")
    tap.expect_equal(machine.read(), 0x91, "the new code on the old state")


def saving_throws(machine: Machine) -> None:
    machine.write(0x2a)
    machine.build("save-throws")
    tap.expect_equal(machine.reload(), "", "the answer")
    machine.build("good")
    machine.expect_refused("its code throws an exception: no save today")
    tap.expect_equal(machine.read(), 0x2a, "the device's state")
    machine.write(0x11)
    tap.expect_equal(machine.read(), 0x11, "the device's work")


def wrong_devices(machine: Machine) -> None:
    machine.qmp.execute("device_add", driver="edu", id="edu0")
    tap.expect("'edu' is built in" in machine.reload("edu0"), machine.reload("edu0"))
    tap.expect("not found" in machine.reload("nobody"), "an unknown one")
    machine.file.unlink()
    machine.expect_refused("No such file or directory")
    os.mkfifo(machine.file)
    machine.expect_refused("it is a pipe")
    machine.file.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=Path, required=True)
    parser.add_argument("--plugins", type=Path, required=True)
    options = parser.parse_args()

    def on_machine(case, *arguments, more: tuple[str, ...] = ()):
        def run() -> None:
            with Machine(options.rhea.resolve(), options.plugins.resolve(), *more) as machine:
                case(machine, *arguments)
        return run

    stays = (("other-state", "the old device stays"), ("refuses", "no latch today; the old device stays"),
             ("crashes", "died: Segmentation fault"), ("throws", "not today"), ("other-build", "another Rhea"),
             ("realize-throws", "its code throws an exception: no realize today; the old device stays"),
             ("reset-throws", "its code throws an exception: no reset today; the old device stays"),
             ("load-throws", "its code throws what is no exception; the old device stays"),
             ("exists", "the type 'edu' is there already"), ("hangs", "within 10 s"))
    cases = [("the new code goes on with the state", on_machine(new_code_goes_on)),
             ("by HMP", on_machine(by_hmp)),
             ("by a pipe", lambda: piped(options.rhea.resolve(), options.plugins.resolve())),
             ("a device that throws when it is saved", on_machine(saving_throws)),
             ("devices that cannot be exchanged", on_machine(wrong_devices)),
             ("a sandbox without children", on_machine(Machine.expect_refused, "-sandbox spawn=deny lets no program",
                                                       more=("-sandbox", "on,spawn=deny")))]
    cases += [(f"the old device stays: {name}", on_machine(the_old_one_stays, name, words)) for name, words in stays]
    return tap.run(cases)


if __name__ == "__main__":
    sys.exit(main())
