# SPDX-License-Identifier: GPL-2.0-or-later
"""What every check needs to know about the source tree: where it is and which files it has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CPP_SUFFIXES = (".cc", ".h")


def git(*arguments: str, root: Path = ROOT) -> str | None:
    """What git says, or None where it refuses. The tree may belong to another user than ours."""
    run = subprocess.run(["git", "-C", str(root), "-c", f"safe.directory={root}", *arguments],
                         capture_output=True, text=True, check=False)
    return run.stdout if run.returncode == 0 else None


def tracked_files(root: Path = ROOT) -> list[Path]:
    """All files under version control or about to be, relative to the root, that exist on disk."""
    listing = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", root=root)
    if listing is None:
        sys.exit(f"{root} is not a git work tree: there is no list of its files")
    names = sorted(set(filter(None, listing.split("\0"))))
    return [Path(name) for name in names if (root / name).is_file()]


def cpp_files(root: Path = ROOT) -> list[Path]:
    return [path for path in tracked_files(root) if path.suffix in CPP_SUFFIXES]
