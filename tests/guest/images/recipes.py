# SPDX-License-Identifier: GPL-2.0-or-later
"""How each guest's files are made from Debian packages: one function a recipe."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import debian_disk
import virtio_linux
from newc import Newc
from packages import Packages, run

HERE = Path(__file__).resolve().parent
INSTALLER = "/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64"
FLAVOURS = {"amd64": ("linux-image-amd64", "amd64"), "i386": ("linux-image-686-pae", "i386")}


def linux(architecture: str) -> Callable[[Packages, Path], None]:
    """Debian's kernel as `linux`, and a shell to boot it with as `initrd`."""
    def make(packages: Packages, folder: Path) -> None:
        kernel, _ = FLAVOURS[architecture]
        image = packages.dependency(kernel, architecture, "linux-image-")
        packages.take(image, architecture, {"/boot/vmlinuz-*": "linux"}, folder)
        packages.take("busybox-static", architecture, {"/bin/busybox": "busybox"}, folder)
        write_initrd(folder / "busybox", folder / "initrd")
    return make


def write_initrd(busybox: Path, target: Path) -> None:
    with gzip.GzipFile(target, "wb", mtime=0) as sink, Newc(sink) as archive:
        for name in ("bin", "dev", "proc", "root", "sys", "tmp"):
            archive.folder(name)
        archive.character_device("dev/console", 5, 1)
        archive.file("bin/busybox", busybox.read_bytes(), 0o755)
        archive.link("bin/sh", "busybox")
        archive.file("init", (HERE / "init").read_bytes(), 0o755)


def write_modules(folder: Path, names: tuple[str, ...]) -> None:
    """An archive to put behind an initrd: the kernel unpacks one after the other."""
    with gzip.GzipFile(folder / "modules", "wb", mtime=0) as sink, Newc(sink) as archive:
        archive.folder("modules")
        for name in names:
            archive.file(f"modules/{name}.ko", (folder / f"{name}.ko").read_bytes())


def driver_lab(packages: Packages, folder: Path) -> None:
    """The same for scripts/driver-lab, with the modules that let a shell be a PCI device's driver."""
    modules = ("uio", "uio_pci_generic")
    image = packages.dependency("linux-image-amd64", "amd64", "linux-image-")
    packages.take(image, "amd64", {
        "/boot/vmlinuz-*": "linux",
        **{f"/lib/modules/*/{name}.ko": f"{name}.ko" for name in modules}}, folder)
    packages.take("busybox-static", "amd64", {"/bin/busybox": "busybox"}, folder)
    write_initrd(folder / "busybox", folder / "initrd")
    write_modules(folder, modules)


def linux_network(packages: Packages, folder: Path) -> None:
    """A shell with drivers of network cards, and ethtool with the libraries that it wants."""
    modules = ("e1000", "mii", "8139cp")
    image = packages.dependency("linux-image-amd64", "amd64", "linux-image-")
    packages.take(image, "amd64", {
        "/boot/vmlinuz-*": "linux",
        **{f"/lib/modules/*/{name}.ko": f"{name}.ko" for name in modules}}, folder)
    packages.take("busybox-static", "amd64", {"/bin/busybox": "busybox"}, folder)
    # Where the program looks for what it needs, by the package that it is taken from.
    programs = {"ethtool": {"*/sbin/ethtool": "bin/ethtool"},
                "libmnl0": {"*/libmnl.so.0.*": "lib/libmnl.so.0"},
                "libc6": {"*/ld-linux-x86-64.so.2": "lib64/ld-linux-x86-64.so.2",
                          "*/libc.so.6": "lib/libc.so.6", "*/libm.so.6": "lib/libm.so.6"}}
    for package, wanted in programs.items():
        packages.take(package, "amd64", wanted, folder / "root")
    write_initrd(folder / "busybox", folder / "plain")
    write_modules(folder, modules)
    with gzip.GzipFile(folder / "programs", "wb", mtime=0) as sink, Newc(sink) as archive:
        for name in ("lib", "lib64"):
            archive.folder(name)
        for name in sorted(name for wanted in programs.values() for name in wanted.values()):
            archive.file(name, (folder / "root" / name).read_bytes(), 0o755)
        archive.folder("etc")
        archive.file("etc/udhcpc", (HERE / "udhcpc").read_bytes(), 0o755)
    (folder / "initrd").write_bytes(b"".join((folder / part).read_bytes()
                                             for part in ("plain", "modules", "programs")))


def memtest(packages: Packages, folder: Path) -> None:
    packages.take("memtest86+", "amd64", {
        "/boot/memtest86+x64.bin": "memtest.bin",
        "/usr/lib/memtest86+/memtest86+x64.iso": "memtest.iso"}, folder)


def ipxe(packages: Packages, folder: Path) -> None:
    packages.take("ipxe", "amd64", {"/boot/ipxe.lkrn": "ipxe.lkrn",
                                    "/usr/lib/ipxe/ipxe.iso": "ipxe.iso"}, folder)


def installer(packages: Packages, folder: Path) -> None:
    packages.take("debian-installer-12-netboot-amd64", "amd64",
                  {f"{INSTALLER}/linux": "linux", f"{INSTALLER}/initrd.gz": "initrd.gz"}, folder)


def ovmf(packages: Packages, folder: Path) -> None:
    packages.take("ovmf", "amd64", {"/usr/share/OVMF/OVMF_CODE_4M.fd": "code.fd",
                                    "/usr/share/OVMF/OVMF_VARS_4M.fd": "vars.fd"}, folder)


def grub_efi(packages: Packages, folder: Path) -> None:
    """A disk with one FAT file system, from which firmware starts Debian's GRUB for EFI."""
    image = folder / "disk.img"
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        packages.take("grub-efi-amd64-bin", "amd64",
                      {"/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi": "grub.efi"}, Path(scratch))
        with open(image, "wb") as disk:
            disk.truncate(16 << 20)
        run(["mformat", "-i", str(image), "-v", "RHEA", "-N", "0", "::"])
        run(["mmd", "-i", str(image), "::/EFI", "::/EFI/BOOT", "::/EFI/debian"])
        for source, target in ((f"{scratch}/grub.efi", "::/EFI/BOOT/BOOTX64.EFI"),
                               (HERE / "grub-efi.cfg", "::/EFI/debian/grub.cfg")):
            run(["mcopy", "-i", str(image), str(source), target])


@dataclass(frozen=True)
class Recipe:
    make: Callable[[Packages, Path], None]
    inputs: tuple[str, ...] = ()  # files beside this one whose change makes it stale


RECIPES: dict[str, Recipe] = {
    "linux-amd64": Recipe(linux("amd64"), ("init", "newc.py")),
    "driver-lab": Recipe(driver_lab, ("init", "newc.py")),
    "linux-i386": Recipe(linux("i386"), ("init", "newc.py")),
    "linux-network": Recipe(linux_network, ("init", "newc.py", "udhcpc")),
    "memtest": Recipe(memtest),
    "ipxe": Recipe(ipxe),
    "installer": Recipe(installer),
    "ovmf": Recipe(ovmf),
    "grub-efi": Recipe(grub_efi, ("grub-efi.cfg",)),
    "linux-virtio": Recipe(virtio_linux.maker(write_initrd), ("init", "newc.py", "udhcpc", "virtio_linux.py")),
    "debian-disk": Recipe(debian_disk.make, ("debian_disk.py", "grub-disk.cfg")),
}
