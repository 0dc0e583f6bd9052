# SPDX-License-Identifier: GPL-2.0-or-later
"""What every check needs to know about the source tree: where it is and which files it has."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CPP_SUFFIXES = (".cc", ".h")


def tracked_files(root: Path = ROOT) -> list[Path]:
    """All files under version control or about to be, relative to the root, that exist on disk."""
    listing = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True).stdout
    names = sorted(set(filter(None, listing.split("\0"))))
    return [Path(name) for name in names if (root / name).is_file()]


def cpp_files(root: Path = ROOT) -> list[Path]:
    return [path for path in tracked_files(root) if path.suffix in CPP_SUFFIXES]


def is_script(path: Path, root: Path = ROOT) -> bool:
    """A file that starts with `#!`, whatever its name."""
    with open(root / path, "rb") as file:
        return file.read(2) == b"#!"
