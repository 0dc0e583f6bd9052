# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes files out of Debian packages, without installing them and without being root."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

ARCHITECTURES = ("amd64", "i386")


class PackageError(Exception):
    """A package cannot be had, in words."""


def run(command: list[str], **options) -> str:
    """What the command prints; its complaints are the error's text."""
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, **options)
    except FileNotFoundError:
        raise PackageError(f"{command[0]} is not there; scripts/install-deps guests has it") from None
    except subprocess.CalledProcessError as error:
        words = (error.stderr or error.stdout).strip().split("\n")
        raise PackageError(f"{command[0]} failed: " + "; ".join(words[-3:])) from None
    return done.stdout


class Packages:
    """Packages of the host's own sources, in a list of their own that knows i386 too."""

    def __init__(self, folder: Path) -> None:
        self.lists = folder / "lists"
        self.archives = folder / "archives"
        for path in (self.lists / "partial", self.archives / "partial"):
            path.mkdir(parents=True, exist_ok=True)
        self.options = ["-o", f"Dir::State::Lists={self.lists}", "-o", f"Dir::Cache={self.archives}",
                        "-o", "APT::Sandbox::User=", "-o", "Acquire::Retries=3"]
        for name in ARCHITECTURES:
            self.options += ["-o", f"APT::Architectures::={name}"]

    def refresh(self) -> None:
        # Some list of some source may be out of reach while all we need is there: what is
        # missing shows when a package is asked for.
        subprocess.run(["apt-get", "-q", *self.options, "update"], capture_output=True, check=False)

    def known(self, package: str, architecture: str) -> bool:
        shown = subprocess.run(["apt-cache", *self.options, "policy", f"{package}:{architecture}"],
                               capture_output=True, text=True, check=False).stdout
        return re.search(r"Candidate: \d", shown) is not None

    def require(self, package: str, architecture: str) -> None:
        if not self.known(package, architecture):
            self.refresh()
        if not self.known(package, architecture):
            raise PackageError(f"no package {package}:{architecture} in the host's package sources")

    def dependency(self, package: str, architecture: str, prefix: str) -> str:
        """The package with that prefix that a package without files of its own stands for."""
        self.require(package, architecture)
        shown = run(["apt-cache", *self.options, "depends", "--important",
                     f"{package}:{architecture}"])
        match = re.search(rf"Depends: ({re.escape(prefix)}[^\s:]*)", shown)
        if not match:
            raise PackageError(f"{package} depends on no {prefix}...")
        return match[1]

    def download(self, package: str, architecture: str, folder: Path) -> Path:
        self.require(package, architecture)
        command = ["apt-get", "-q", *self.options, "download", f"{package}:{architecture}"]
        try:
            run(command, cwd=folder)
        except PackageError:  # the list may be older than the archive
            self.refresh()
            run(command, cwd=folder)
        return next(folder.glob(f"{package}_*.deb"))

    def take(self, package: str, architecture: str, wanted: dict[str, str], folder: Path) -> None:
        """Files of a package; `wanted` maps patterns of their paths to names in the folder."""
        with tempfile.TemporaryDirectory(dir=self.archives) as scratch:
            archive = self.download(package, architecture, Path(scratch))
            left = dict(wanted)
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)],
                                  stdout=subprocess.PIPE) as unpack:
                with tarfile.open(fileobj=unpack.stdout, mode="r|") as files:
                    for file in files:
                        take_member(files, file, left, folder)
        if left:
            raise PackageError(f"{package} has no {', '.join(left)}")


def take_member(files: tarfile.TarFile, file: tarfile.TarInfo, left: dict[str, str],
                folder: Path) -> None:
    for pattern in left if file.isfile() else ():
        if fnmatch.fnmatch(file.name.lstrip("."), pattern):
            target = folder / left.pop(pattern)
            target.parent.mkdir(parents=True, exist_ok=True)
            with files.extractfile(file) as source, open(target, "wb") as sink:
                shutil.copyfileobj(source, sink)
            return
