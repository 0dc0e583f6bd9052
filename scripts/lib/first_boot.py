# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots a demonstration, live in a terminal or up to a picture of the guest's screen."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import png
from demos import DEMOS, Demo, DemoError
from hmp import Monitor, MonitorGone
from tally import kvm_is_usable

PICTURE_SECONDS = 300.0
MONITOR_SECONDS = 20.0
QUIT_SECONDS = 5.0
POLL_SECONDS = 0.5

TRY_NEXT = """
Try next:
  scripts/quickstart --screenshot screen.png      a picture instead of the live screen
  scripts/quickstart --demo grub                  GRUB's rescue disc, on the VGA screen
  build/rhea -accel {accel} -m 512 -cdrom your.iso -boot d -display curses
  build/rhea -accel {accel} -m 512 -kernel vmlinuz -initrd initrd.img -append console=ttyS0 -nographic
  build/rhea -device help
  scripts/test"""


def best_accelerator() -> str:
    """KVM where the host's processor runs guests by itself. Without that, a KVM that works by
    interpreting every instruction is slower than the software CPU."""
    flags = set()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("flags"):
            flags = set(line.partition(":")[2].split())
            break
    return "kvm" if kvm_is_usable() and flags & {"vmx", "svm"} else "tcg"


@dataclass(frozen=True)
class Boot:
    rhea: Path
    accel: str
    demo: Demo
    seconds: float | None

    def command(self, added: tuple[str, ...], socket: Path) -> list[str]:
        return [str(self.rhea), "-accel", self.accel, *self.demo.options, *added,
                "-monitor", f"unix:{socket},server=on,wait=off"]


def stop(guest: subprocess.Popen, monitor: Monitor | None) -> None:
    """Asks the machine to end, then makes it."""
    if monitor:
        monitor.quit()
    for patience, signal_number in ((QUIT_SECONDS, signal.SIGTERM), (QUIT_SECONDS, signal.SIGKILL)):
        try:
            guest.wait(patience if monitor or signal_number == signal.SIGKILL else 0)
            return
        except subprocess.TimeoutExpired:
            guest.send_signal(signal_number)
    guest.wait()


def take_picture(monitor: Monitor, file: Path) -> png.Picture | None:
    file.unlink(missing_ok=True)
    answer = monitor.command(f"screendump {file} -f png")
    try:
        return png.read(file.read_bytes())
    except FileNotFoundError:
        raise MonitorGone(f"screendump made no picture; it said: {answer.strip()}") from None
    except png.BadPng:
        return None  # the screen has no size yet, or the file is half written


def wait_until_up(monitor: Monitor, demo: Demo, file: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        picture = take_picture(monitor, file)
        if picture and demo.is_up(monitor, picture):
            # What was seen may have come after that picture: the one to keep is taken now.
            while not take_picture(monitor, file):
                time.sleep(POLL_SECONDS)
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)


def boot_for_picture(boot: Boot, target: Path, scratch: Path) -> int:
    socket, file = scratch / "monitor", scratch / "screen.png"
    seconds = boot.seconds or PICTURE_SECONDS
    start = time.monotonic()
    guest = subprocess.Popen(boot.command(boot.demo.still, socket), stdin=subprocess.DEVNULL)
    monitor = None
    try:
        monitor = Monitor(socket, MONITOR_SECONDS, alive=lambda: guest.poll() is None)
        up = wait_until_up(monitor, boot.demo, file, seconds)
        took = time.monotonic() - start
        if file.is_file():
            shutil.copyfile(file, target)
    except MonitorGone as error:
        ended = guest.poll()
        why = error if ended is None else f"rhea ended with status {ended}"
        print(f"quickstart: no picture: {why}", file=sys.stderr)
        return 1
    finally:
        stop(guest, monitor)
    if not up:
        print(f"quickstart: no {boot.demo.name} after {seconds:.0f} s; {target} shows how far it "
              "came", file=sys.stderr)
        return 1
    print(f"{boot.demo.name} was up after {took:.1f} s; the screen's picture is in {target}")
    return 0


def quit_later(socket: Path, guest: subprocess.Popen, seconds: float) -> threading.Timer:
    def end() -> None:
        with contextlib.suppress(MonitorGone):
            Monitor(socket, QUIT_SECONDS, alive=lambda: False).quit()
            return
        guest.terminate()
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    return timer


def boot_live(boot: Boot, scratch: Path) -> int:
    socket = scratch / "monitor"
    print(boot.demo.hint, flush=True)
    guest = subprocess.Popen(boot.command(boot.demo.live, socket))
    timer = quit_later(socket, guest, boot.seconds) if boot.seconds else None
    try:
        status = guest.wait()
    finally:
        if timer:
            timer.cancel()
        stop(guest, None)
        # A machine that was killed could not put the terminal back.
        if guest.returncode < 0:
            subprocess.run(["stty", "sane"], check=False)
    return 0 if status == 0 else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=Path, required=True)
    parser.add_argument("--accel", default=None)
    parser.add_argument("--demo", choices=DEMOS, default="linux")
    parser.add_argument("--screenshot", type=Path)
    parser.add_argument("--seconds", type=float)
    options = parser.parse_args()
    accel = options.accel or best_accelerator()
    try:
        boot = Boot(options.rhea, accel, DEMOS[options.demo](), options.seconds)
    except DemoError as error:
        print(f"quickstart: {error}", file=sys.stderr)
        return 1
    print(f"accelerator: {accel}", flush=True)
    # A signal that ends this script must end the guest too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    live = options.screenshot is None and sys.stdin.isatty() and sys.stdout.isatty()
    with tempfile.TemporaryDirectory(prefix="rhea-") as folder:
        if live:
            status = boot_live(boot, Path(folder))
        else:
            target = options.screenshot or Path(f"rhea-{options.demo}.png")
            status = boot_for_picture(boot, target, Path(folder))
    if status == 0:
        print(TRY_NEXT.format(accel=accel))
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
