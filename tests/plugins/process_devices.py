# SPDX-License-Identifier: GPL-2.0-or-later
"""-device python and external-device on the real binary, with good and bad processes behind them."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "guest" / "lib"))
import tap  # noqa: E402
from qmp import QmpError  # noqa: E402
from qtest_machine import BASE, ONES, SECONDS, SLOT, QtestMachine  # noqa: E402

EXAMPLE = ROOT / "examples" / "python-device" / "copier.py"

HEAD = """
import os, socket, json, sys, time
s = socket.socket(fileno=int(os.environ["RHEA_DEVICE_SOCKET"]))
f = s.makefile("r")
def say(m): s.sendall((m if isinstance(m, str) else json.dumps(m)).encode() + b"\\n")
def hear(): return json.loads(f.readline())
def describe(**more):
    m = hear()
    say({"answer": m["id"], "vendor": 0x1b36, "device": 1, "interrupt": True, "bars": [{"bar": 0, "size": 4096}], **more})
def until(what):
    while (m := hear())["do"] != what:
        if "id" in m: say({"answer": m["id"]})
    return m
"""

# What the script does, and the words of the one warning.
BAD = (
    ("hangs", "describe(); until('read'); time.sleep(1000)", "its process does not answer"),
    ("dies", "describe(); until('read'); sys.exit(3)", "its process ended with status 3"),
    ("crashes", "describe(); until('read'); os.kill(os.getpid(), 11)", "its process died: Segmentation fault"),
    ("closes", "describe(); until('read'); s.shutdown(2); time.sleep(1000)", "its process has closed the socket"),
    ("no JSON", "describe(); until('read'); say('hello'); time.sleep(1000)", "its process sends nonsense: hello"),
    ("unknown request", "describe(); until('read'); say({'do': 'dance'}); time.sleep(1000)",
     'its process sends nonsense: {"do":"dance"}'),
    ("an answer to nothing", "describe(); until('read'); say({'answer': 60000}); time.sleep(1000)",
     "its process sends nonsense: an answer to nothing"),
    ("wrong types", "describe(); until('read'); say({'do': 'arm', 'timer': -1, 'in': 'x'}); time.sleep(1000)",
     "its process sends nonsense"),
    ("a deep value", "describe(); until('read'); say('[' * 500000); time.sleep(1000)", "its process sends nonsense"),
    ("a gigabyte", "describe(); until('read')\ntry:\n for i in range(1000): s.sendall(b'x' * 1000000)\nexcept OSError: os._exit(1)",
     "its process sends a line of more than 1048576 bytes"),
    ("a flood", "describe(); until('read')\ntry:\n while True: say({'do': 'interrupt', 'level': True})\nexcept OSError: os._exit(1)",
     "its process does not answer"),
)
# A reset may speak of interrupts, the first one, too.
RESETS = """
import rhea_device
class Lines(rhea_device.Device):
    vendor, device = 0x1b36, 2
    bars = {0: 4096}
    def reset(self): self.interrupt(True)
Lines().run()
"""
# At start-up: the script, and words of the error.
REFUSED = (
    ("no describe", "sys.exit(4)", "its process ended with status 4"),
    ("a syntax error", "(", "its process ended with status 1"),
    ("an odd size", "describe(bars=[{'bar': 0, 'size': 100}])", "the size of bar 0 is no power of two"),
    ("a bar twice", "describe(bars=[{'bar': 0, 'size': 64}] * 2)", "bar 0 is there twice"),
    ("a large number", "describe(vendor=1 << 40)", '"vendor" is no number from 0 to 0xffff'),
    ("no list", "describe(bars={})", '"bars" is no list'),
)


class Machine(QtestMachine):
    def __init__(self, rhea: Path, script: str | Path, *more: str, device: str = "") -> None:
        super().__init__()
        if isinstance(script, str):
            (self.folder / "device.py").write_text(HEAD + script, encoding="utf-8")
            script = self.folder / "device.py"
        device = device or f"python,script={script},id=py0,addr={SLOT}"
        self.start(rhea, ["-device", device, *more], {"PYTHONPATH": str(ROOT / "hw" / "misc")})


def copies(machine: Machine) -> None:
    machine.connect()
    tap.expect_equal(machine.config_read(0), 0x7e591b36, "vendor and device")
    tap.expect_equal(machine.read(0), 0xc0b1e001, "identification")
    machine.ask("write 0x1000 8 0x0123456789abcdef")
    for register, value in ((4, 0x1000), (8, 0x2000), (0x10, 8), (0x14, 1)):
        machine.write(register, value)
    tap.expect_equal(machine.read(0x14), 1, "it works")
    machine.ask("clock_step 100000")
    deadline = time.monotonic() + SECONDS
    while machine.read(0x14) == 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    tap.expect_equal(machine.ask("read 0x2000 8"), "0x0123456789abcdef", "the copy")
    tap.expect_equal(machine.read(0x18), 1, "the interrupt's register")
    tap.expect_equal(machine.config_read(4) >> 19 & 1, 1, "the interrupt's line")
    machine.write(0x18, 0)
    tap.expect_equal(machine.config_read(4) >> 19 & 1, 0, "the line at the end of the write that lowers it")
    machine.config(0x04, 2)
    machine.write(0x14, 1)
    machine.ask("clock_step 100000")
    while machine.read(0x14) == 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    tap.expect_equal(machine.read(0x14), 2, "without bus mastering")
    machine.qmp.execute("system_reset")
    machine.config(0x10, BASE)
    machine.config(0x04, 6)
    tap.expect_equal(machine.read(4), 0, "the address after a reset")
    machine.qmp.execute("device_del", id="py0")
    tap.expect_equal(machine.config_read(0), ONES, "after unplug")
    machine.qmp.execute("device_add", driver="python", script=str(EXAMPLE), id="py1", addr=str(SLOT))
    tap.expect_equal(machine.config_read(0), 0x7e591b36, "plugged in again")
    tap.expect_equal(machine.said(), "", "standard error")


def is_given_up(machine: Machine, words: str) -> None:
    machine.connect()
    start = time.monotonic()
    tap.expect_equal(machine.read(0), ONES, "the read")
    tap.expect_equal(machine.read(4), ONES, "the next")
    machine.write(4, 1)
    tap.expect(time.monotonic() - start < 5, "the guest's access takes too long")
    machine.qmp.execute("query-status", seconds=2)
    machine.qmp.execute("system_reset")
    machine.expect_given_up("py0", words)
    machine.qmp.execute("device_del", id="py0")


def raises_at_reset(machine: Machine) -> None:
    machine.connect()
    tap.expect_equal(machine.config_read(0), 0x00021b36, "vendor and device")
    tap.expect_equal(machine.config_read(4) >> 19 & 1, 0, "the interrupt's line, which is down after a reset")
    tap.expect_equal(machine.said(), "", "standard error")


def a_state_is_refused(machine: Machine) -> None:
    machine.connect()
    try:
        machine.qmp.execute("device_add", driver="python", script="/nonexistent.py", id="py1")
        raise tap.Failure("taken")
    except QmpError as error:
        tap.expect("script '/nonexistent.py': No such file" in str(error), str(error))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=Path, required=True)
    rhea = parser.parse_args().rhea.resolve()

    def on_machine(script: str | Path, case, *arguments, **more):
        def run() -> None:
            with Machine(rhea, script, **more) as machine:
                case(machine, *arguments)
        return run

    cases = [("the example copies", on_machine(EXAMPLE, copies)),
             ("a program of any kind", on_machine(
                 EXAMPLE, copies, device=f"external-device,program={EXAMPLE},id=py0,addr={SLOT}")),
             ("an interrupt at reset", on_machine(RESETS, raises_at_reset)),
             ("hot plug of nothing", on_machine(EXAMPLE, a_state_is_refused)),
             ("no script", on_machine(EXAMPLE, Machine.expect_refused, "Parameter 'script' is missing", device="python")),
             ("no interpreter", on_machine(
                 EXAMPLE, Machine.expect_refused, "'nopython' cannot be started",
                 device=f"python,script={EXAMPLE},interpreter=nopython"))]
    cases += [(f"given up: {name}", on_machine(script, is_given_up, words)) for name, script, words in BAD]
    cases += [(f"refused: {name}", on_machine(script, Machine.expect_refused, words)) for name, script, words in REFUSED]
    return tap.run(cases)


if __name__ == "__main__":
    sys.exit(main())
