# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernel on a virtio disk and network card: 64 MiB both ways on the one, an address and
100 MiB both ways by the other; 1 MiB both ways through a serial port; memory that it gives back; a key."""

from __future__ import annotations

import random
import socket
import threading

import network
from steps import Run, Step, hear, never_heard, powers_off, press, say

# Of the disk that images/virtio_linux.py makes, and when the letters in its first half are capitals.
DISK_SUM, CAPITALS_SUM = "4a758d4289d5ccc8de3d22e232280ca4", "4ee888eb922321d48062c7ecaba5801b"
TROUBLE = r"I/O error|virtio\S*: .*(error|fail|bad|invalid)"


def options(folder: str, disk: str, card: str) -> tuple[str, ...]:
    return ("-m", "512", "-kernel", f"{folder}/linux", "-initrd", f"{folder}/initrd",
            "-append", "console=ttyS0", "-netdev", "user,id=n0",
            "-drive", f"file={folder}/disk.img,format=raw,if=none,id=d0,snapshot=on",
            "-device", f"{disk},drive=d0,serial=rhea15", "-device", f"{card},netdev=n0")


# Beside them, where there is PCI.
MORE = ("-device", "virtio-balloon-pci", "-device", "virtio-keyboard-pci", "-device", "virtio-serial-pci",
        "-chardev", "socket,id=port,path=port,server=on,wait=off",
        "-device", "virtserialport,chardev=port,name=org.test.echo")


def echoes(run: Run) -> None:
    """What goes to the guest's port comes back, though nobody reads at first."""
    data = random.Random(16).randbytes(1 << 20)
    with socket.socket(socket.AF_UNIX) as port:
        port.settimeout(run.seconds)
        port.connect(str(run.emulator.scratch / "port"))
        sender = threading.Thread(target=port.sendall, args=(data,), daemon=True)
        sender.start()
        run.line.type("ls /dev/vd?; echo it goes on\n")
        hear(r"(?m)^it goes on")(run)
        came = b""
        while len(came) < len(data) and (piece := port.recv(1 << 16)):
            came += piece
        sender.join(run.seconds)
    if came != data:
        raise run.emulator.failure("the port gives back something else")


def gives_memory_back(run: Run) -> None:
    for mebibytes in (256, 512):
        run.emulator.qmp.execute("balloon", value=mebibytes << 20)
        run.wait_for(lambda size=mebibytes << 20: run.emulator.qmp.execute("query-balloon")["actual"] == size,
                     f"a guest of {mebibytes} MiB")


STEPS: tuple[Step, ...] = (
    hear(network.SHELL), say("sh /modules/load; echo loaded them\n"), hear(r"(?m)^loaded them"),
    say("cat /sys/block/vda/serial; echo; md5sum /dev/vda\n"), hear("rhea15"), hear(DISK_SUM),
    say("dd if=/dev/vda bs=64k count=512 of=/tmp/half; tr a-z A-Z < /tmp/half"
        " | dd of=/dev/vda bs=64k; rm /tmp/half; sync; echo 3 > /proc/sys/vm/drop_caches;"
        " md5sum /dev/vda\n"), hear(CAPITALS_SUM),
    say("ifconfig eth0 up; udhcpc -n -q -i eth0 -s /etc/udhcpc\n"),
    hear(r"(?m)^bound eth0 to 10\.0\.2\.15"), network.both_ways, hear(network.SHELL))
MORE_STEPS: tuple[Step, ...] = (
    say("cat /sys/class/virtio-ports/vport*p1/name\n"), hear(r"(?m)^org\.test\.echo"),
    # A port that nobody has connected to is at its end.
    say("exec 3<> $(echo /dev/vport*p1); while sleep 1; do cat <&3 >&3; done & echo echoing\n"),
    hear(r"(?m)^echoing"), echoes, gives_memory_back,
    say("keys=$(grep -A5 'Virtio Keyboard' /proc/bus/input/devices | grep -o 'event[0-9]*');"
        " (sleep 1; echo press now) & dd if=/dev/input/$keys bs=24 count=1 | hexdump\n"),
    hear(r"(?m)^press now"), press("a"), hear("0001 001e 0001 0000"))
END: tuple[Step, ...] = (
    say("exit\n"), hear("reboot: Power down"), never_heard(network.TROUBLE), never_heard(TROUBLE),
    powers_off)
