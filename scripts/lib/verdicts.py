# SPDX-License-Identifier: GPL-2.0-or-later
"""Remembers which files a slow check has passed, so that only what changed is looked at again.

The key is a hash of everything the verdict depends on: the tool and its configuration, the
command, and the contents of the file and of all project headers it includes. Only passes
are remembered: a complaint is shown until it is mended.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from pathlib import Path

KEEP_DAYS = 30


def cache_folder(check: str) -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "rhea" / check


def dependencies(command: list[str], directory: Path) -> list[Path]:
    """The project's files that a compilation reads (`command` is the compiler's, with the file)."""
    rule = subprocess.run([*command, "-MM"], cwd=directory, capture_output=True, text=True)
    if rule.returncode != 0:
        return []
    words = rule.stdout.replace("\\\n", " ").split()[1:]
    return [directory / word for word in words]


class Verdicts:
    def __init__(self, check: str, setup: str):
        """`setup`: what all verdicts depend on, such as the tool's version and configuration."""
        self.folder = cache_folder(check)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.setup = setup
        self.forget_old()

    def forget_old(self) -> None:
        oldest = time.time() - KEEP_DAYS * 24 * 3600
        for entry in self.folder.iterdir():
            try:
                if entry.stat().st_mtime < oldest:
                    entry.unlink()
            except FileNotFoundError:
                pass  # another run was quicker

    def key(self, command: list[str], directory: Path) -> str | None:
        """None where the dependencies cannot be told: such a file is always looked at."""
        files = dependencies(command, directory)
        if not files:
            return None
        digest = hashlib.sha256(self.setup.encode())
        digest.update("\0".join(command).encode())
        for file in files:
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
        return digest.hexdigest()

    def passed(self, key: str | None) -> bool:
        if key is None or not (self.folder / key).exists():
            return False
        (self.folder / key).touch()
        return True

    def remember(self, key: str | None) -> None:
        if key is not None:
            (self.folder / key).touch()
