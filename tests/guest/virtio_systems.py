# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernel on a virtio disk and network card: 64 MiB both ways on the one, an address and a
file by the other."""

from __future__ import annotations

import functools
import hashlib
import http.server
import random
import threading

from steps import Run, Step, hear, never_heard, powers_off, say

# Of the disk that images/virtio_linux.py makes, and when the letters in its first half are capitals.
DISK_SUM, CAPITALS_SUM = "4a758d4289d5ccc8de3d22e232280ca4", "4ee888eb922321d48062c7ecaba5801b"
FILE = random.Random(2).randbytes(16 << 20)
FILE_SUM = hashlib.md5(FILE).hexdigest()
PROMPT = r"guest:/# "
TROUBLE = r"BUG: |Oops|Call Trace|I/O error|virtio\S*: .*(error|fail|bad|invalid)"


class Files(http.server.BaseHTTPRequestHandler):
    """One file, whatever is asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(FILE)))
        self.end_headers()
        self.wfile.write(FILE)

    def log_message(self, *_) -> None:
        pass


def fetches(run: Run) -> None:
    """Over the user network, from a web server on the host's loopback."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            run.line.type(f"wget -q -O - http://10.0.2.2:{server.server_port}/ | md5sum\n")
            hear(FILE_SUM)(run)
        finally:
            server.shutdown()


def options(folder: str, disk: str, card: str) -> tuple[str, ...]:
    return ("-m", "256", "-kernel", f"{folder}/linux", "-initrd", f"{folder}/initrd",
            "-append", "console=ttyS0", "-netdev", "user,id=n0",
            "-drive", f"file={folder}/disk.img,format=raw,if=none,id=d0,snapshot=on",
            "-device", f"{disk},drive=d0,serial=rhea15", "-device", f"{card},netdev=n0")


@functools.cache
def steps() -> tuple[Step, ...]:
    return (
        hear(PROMPT), say("sh /modules/load; echo loaded them\n"), hear(r"(?m)^loaded them"),
        say("cat /sys/block/vda/serial; echo; md5sum /dev/vda\n"), hear("rhea15"), hear(DISK_SUM),
        say("dd if=/dev/vda bs=64k count=512 of=/tmp/half; tr a-z A-Z < /tmp/half"
            " | dd of=/dev/vda bs=64k; rm /tmp/half; sync; echo 3 > /proc/sys/vm/drop_caches;"
            " md5sum /dev/vda\n"), hear(CAPITALS_SUM),
        say("ifconfig eth0 up; udhcpc -q -i eth0 -s /modules/lease\n"),
        hear(r"it is bound to 10\.0\.2\.15"), fetches, hear(PROMPT), say("exit\n"),
        hear("reboot: Power down"), never_heard(TROUBLE), powers_off)
