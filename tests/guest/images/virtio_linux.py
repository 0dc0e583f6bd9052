# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernel with its virtio drivers, and busybox: a shell that has not loaded any of them."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

from newc import Newc
from packages import Packages

HERE = Path(__file__).resolve().parent
# In the order in which they are loaded.
MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci",
           "virtio_blk", "failover", "net_failover", "virtio_net", "virtio_balloon", "virtio_console",
           "evdev", "virtio_input")
LOAD = "#!/bin/sh\nfor name in {}; do insmod /modules/$name.ko || echo no $name; done\n"


# With a transport that no PCI leads to.
EVERY = (*MODULES, "virtio_mmio")


def maker(write_initrd: Callable[[Path, Path], None]) -> Callable[[Packages, Path], None]:
    def make(packages: Packages, folder: Path) -> None:
        image = packages.dependency("linux-image-amd64", "amd64", "linux-image-")
        packages.take(image, "amd64", {
            "/boot/vmlinuz-*": "linux",
            **{f"/lib/modules/*/{name}.ko": f"{name}.ko" for name in EVERY}}, folder)
        packages.take("busybox-static", "amd64", {"/bin/busybox": "busybox"}, folder)
        write_initrd(folder / "busybox", folder / "plain")
        with gzip.GzipFile(folder / "modules", "wb", mtime=0) as sink, Newc(sink) as archive:
            archive.folder("modules")
            for name in EVERY:
                archive.file(f"modules/{name}.ko", (folder / f"{name}.ko").read_bytes())
            archive.file("modules/load", LOAD.format(" ".join(EVERY)).encode(), 0o755)
            archive.folder("etc")
            archive.file("etc/udhcpc", (HERE / "udhcpc").read_bytes(), 0o755)
        (folder / "disk.img").write_bytes(random.Random(15).randbytes(64 << 20))
        # The kernel unpacks one archive after the other.
        (folder / "initrd").write_bytes((folder / "plain").read_bytes() +
                                        (folder / "modules").read_bytes())
    return make
