# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk with a small Debian that GRUB boots, made by mmdebstrap; root is not needed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from packages import PackageError, Packages, run

HERE = Path(__file__).resolve().parent
SECTOR = 512
DISK_BYTES = 1 << 30
PARTITION_SECTOR = 2048
BOOT_CODE_BYTES = 440  # the partition table follows
PACKAGES = "linux-image-amd64,grub-pc-bin,grub-common,udev,systemd-sysv,dbus,login"
ROOT_UUID = "6f1a5c0e-2d7b-4c39-9a55-0b7d3c1e8f42"
GRUB_MODULES = ["biosdisk", "part_msdos", "ext2", "normal", "linux", "serial", "terminal", "echo",
                "configfile", "search", "search_fs_uuid"]


def make(_: Packages, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        scratch = Path(name)
        tree = scratch / "tree.tar"
        files = scratch / "grub"
        files.mkdir()
        make_tree(tree, files)
        file_system = scratch / "root.img"
        make_file_system(tree, file_system, scratch)
        assemble(files, file_system, folder / "disk.img")


def make_tree(tree: Path, files: Path) -> None:
    """The root file system as a tar file, and GRUB's two pieces of the disk's first sectors."""
    mode = "root" if os.geteuid() == 0 else "unshare"
    grub = "/usr/lib/grub/i386-pc"
    image = (f"grub-mkimage -d {grub} -O i386-pc -o /tmp/core.img -p '(hd0,msdos1)/boot/grub' "
             + " ".join(GRUB_MODULES))
    hooks = [f"mkdir -p \"$1/boot/grub\" && cp -r \"$1{grub}\" \"$1/boot/grub/\"",
             f"copy-in {HERE / 'grub-disk.cfg'} /tmp",
             f"sed s/@UUID@/{ROOT_UUID}/ \"$1/tmp/grub-disk.cfg\" > \"$1/boot/grub/grub.cfg\"",
             f"chroot \"$1\" {image}",
             f"copy-out /tmp/core.img {grub}/boot.img {files}",
             "rm \"$1/tmp/core.img\" \"$1/tmp/grub-disk.cfg\"",
             "chroot \"$1\" passwd -d root",
             # What a disk that lives for minutes needs not: scrubbing, and jobs of every day.
             "cd \"$1/etc/systemd/system\" && rm -r timers.target.wants && "
             "rm multi-user.target.wants/e2scrub_reap.service",
             f"echo 'UUID={ROOT_UUID} / ext4 defaults 0 1' > \"$1/etc/fstab\"",
             "echo rhea-guest > \"$1/etc/hostname\""]
    command = ["mmdebstrap", f"--mode={mode}", "--variant=minbase", f"--include={PACKAGES}"]
    for hook in hooks:
        command += ["--customize-hook", hook]
    run([*command, "bookworm", str(tree)])


def make_file_system(tree: Path, target: Path, scratch: Path) -> None:
    """Whoever is not root pretends to be, so that files keep their owners."""
    unpacked = scratch / "tree"
    unpacked.mkdir()
    blocks = (DISK_BYTES - PARTITION_SECTOR * SECTOR) // 4096
    script = (f"tar -x -p -f '{tree}' -C '{unpacked}' --numeric-owner && "
              f"mke2fs -q -t ext4 -b 4096 -U {ROOT_UUID} -L rhea-guest "
              f"-E root_owner=0:0 -d '{unpacked}' '{target}' {blocks}")
    pretend = [] if os.geteuid() == 0 else ["fakeroot"]
    run([*pretend, "sh", "-c", script], env={**os.environ, "PATH": os.environ["PATH"] + ":/sbin"})


def assemble(files: Path, file_system: Path, disk: Path) -> None:
    """Partition table, GRUB before the first partition, file system in it. boot.img loads
    sector 1, whose code loads the rest of core.img: the places that both have from their makers."""
    boot = (files / "boot.img").read_bytes()
    core = (files / "core.img").read_bytes()
    if len(core) > (PARTITION_SECTOR - 1) * SECTOR:
        raise PackageError("GRUB's core image does not fit before the first partition")
    with open(disk, "wb") as sink:
        sink.truncate(DISK_BYTES)
    run(["sfdisk", "-q", str(disk)], input=f"{PARTITION_SECTOR},,L,*\n",
        env={**os.environ, "PATH": os.environ["PATH"] + ":/sbin"})
    with open(disk, "r+b") as sink, open(file_system, "rb") as source:
        sink.write(boot[:BOOT_CODE_BYTES])
        sink.seek(SECTOR)
        sink.write(core)
        while piece := source.read(1 << 20):
            at = PARTITION_SECTOR * SECTOR + source.tell() - len(piece)
            if piece.count(0) != len(piece):  # leave holes where there is nothing
                sink.seek(at)
                sink.write(piece)
