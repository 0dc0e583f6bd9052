# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots GRUB's rescue disc, live in a terminal or up to a picture of its menu."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import png
from hmp import Monitor, MonitorGone

DISC = Path("/usr/lib/grub-rescue/grub-rescue-cdrom.iso")
PICTURE_SECONDS = 120.0
MONITOR_SECONDS = 20.0
QUIT_SECONDS = 5.0
POLL_SECONDS = 0.5

TRY_NEXT = """
Try next:
  build/rhea -accel kvm:tcg -m 512 -cdrom your.iso -boot d -display curses
  build/rhea -accel kvm:tcg -m 96 -fda floppy.img -boot a -monitor stdio
  build/rhea -device help
  scripts/test"""


def machine_command(rhea: Path, display: str, socket: Path) -> list[str]:
    return [str(rhea), "-accel", "kvm:tcg", "-m", "96", "-cdrom", str(DISC), "-boot", "d",
            "-display", display, "-monitor", f"unix:{socket},server=on,wait=off"]


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


def menu_is_up(picture: png.Picture) -> bool:
    """GRUB's menu has a bar on the chosen line: a band of rows lit nearly from side to side."""
    band = 0
    for row in range(picture.height):
        band = band + 1 if picture.lit(row) > picture.width * 0.8 else 0
        if band >= 6:
            return True
    return False


def take_picture(monitor: Monitor, file: Path) -> png.Picture | None:
    file.unlink(missing_ok=True)
    answer = monitor.command(f"screendump {file} -f png")
    try:
        return png.read(file.read_bytes())
    except FileNotFoundError:
        raise MonitorGone(f"screendump made no picture; it said: {answer.strip()}") from None
    except png.BadPng:
        return None  # the screen has no size yet, or the file is half written


def wait_for_menu(monitor: Monitor, file: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    last = None
    while True:
        picture = take_picture(monitor, file)
        if picture and picture != last and menu_is_up(picture):
            return True
        last = picture
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)


def boot_for_picture(rhea: Path, target: Path, seconds: float, scratch: Path) -> int:
    socket, file = scratch / "monitor", scratch / "screen.png"
    start = time.monotonic()
    guest = subprocess.Popen(machine_command(rhea, "none", socket), stdin=subprocess.DEVNULL)
    monitor = None
    try:
        monitor = Monitor(socket, MONITOR_SECONDS, alive=lambda: guest.poll() is None)
        up = wait_for_menu(monitor, file, seconds)
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
        print(f"quickstart: no GRUB menu after {seconds:.0f} s; {target} shows how far it came",
              file=sys.stderr)
        return 1
    print(f"GRUB's menu was up after {took:.1f} s; its picture is in {target}")
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


def boot_live(rhea: Path, seconds: float | None, scratch: Path) -> int:
    socket = scratch / "monitor"
    guest = subprocess.Popen(machine_command(rhea, "curses", socket))
    timer = quit_later(socket, guest, seconds) if seconds else None
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


def check_host(rhea: Path) -> str | None:
    """What is missing for a boot, in words."""
    if not os.access(rhea, os.X_OK):
        return f"{rhea} is not there; the build did not make it"
    if not DISC.is_file():
        return f"{DISC} is not there; scripts/install-deps demo installs it"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=Path, required=True)
    parser.add_argument("--screenshot", type=Path)
    parser.add_argument("--seconds", type=float)
    options = parser.parse_args()
    problem = check_host(options.rhea)
    if problem:
        print(f"quickstart: {problem}", file=sys.stderr)
        return 1
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("quickstart: /dev/kvm cannot be used here; where the host has it, your user must be "
              "in the group kvm", file=sys.stderr)
    # A signal that ends this script must end the guest too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    live = options.screenshot is None and sys.stdin.isatty() and sys.stdout.isatty()
    with tempfile.TemporaryDirectory(prefix="rhea-") as folder:
        if live:
            status = boot_live(options.rhea, options.seconds, Path(folder))
        else:
            status = boot_for_picture(options.rhea, options.screenshot or Path("rhea-grub.png"),
                                      options.seconds or PICTURE_SECONDS, Path(folder))
    if status == 0:
        print(TRY_NEXT)
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
