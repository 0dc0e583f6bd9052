# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernel on a virtio disk and network card: 64 MiB both ways on the one, an address and
100 MiB both ways by the other."""

from __future__ import annotations

import network
from steps import Step, hear, never_heard, powers_off, say

# Of the disk that images/virtio_linux.py makes, and when the letters in its first half are capitals.
DISK_SUM, CAPITALS_SUM = "4a758d4289d5ccc8de3d22e232280ca4", "4ee888eb922321d48062c7ecaba5801b"
TROUBLE = r"I/O error|virtio\S*: .*(error|fail|bad|invalid)"


def options(folder: str, disk: str, card: str) -> tuple[str, ...]:
    return ("-m", "512", "-kernel", f"{folder}/linux", "-initrd", f"{folder}/initrd",
            "-append", "console=ttyS0", "-netdev", "user,id=n0",
            "-drive", f"file={folder}/disk.img,format=raw,if=none,id=d0,snapshot=on",
            "-device", f"{disk},drive=d0,serial=rhea15", "-device", f"{card},netdev=n0")


STEPS: tuple[Step, ...] = (
    hear(network.SHELL), say("sh /modules/load; echo loaded them\n"), hear(r"(?m)^loaded them"),
    say("cat /sys/block/vda/serial; echo; md5sum /dev/vda\n"), hear("rhea15"), hear(DISK_SUM),
    say("dd if=/dev/vda bs=64k count=512 of=/tmp/half; tr a-z A-Z < /tmp/half"
        " | dd of=/dev/vda bs=64k; rm /tmp/half; sync; echo 3 > /proc/sys/vm/drop_caches;"
        " md5sum /dev/vda\n"), hear(CAPITALS_SUM),
    say("ifconfig eth0 up; udhcpc -n -q -i eth0 -s /etc/udhcpc\n"),
    hear(r"(?m)^bound eth0 to 10\.0\.2\.15"), network.both_ways, hear(network.SHELL),
    say("exit\n"), hear("reboot: Power down"), never_heard(network.TROUBLE), never_heard(TROUBLE),
    powers_off)
