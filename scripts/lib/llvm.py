# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds clang's tools in the version that the checks are written for."""

from __future__ import annotations

import re
import shutil
import subprocess

# Older ones cannot read libstdc++ 12 in C++23 mode, see .clang-tidy. Later ones may lay out and
# complain otherwise than CI does, but serve where there is nothing else.
VERSION = 19


def find(tool: str) -> str | None:
    """The path of, say, clang-tidy-19; else of a clang-tidy that is no older."""
    exact = shutil.which(f"{tool}-{VERSION}")
    if exact:
        return exact
    path = shutil.which(tool)
    if path:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        match = re.search(r"version (\d+)", said.stdout)
        if match and int(match[1]) >= VERSION:
            return path
    return None


def missing(tool: str) -> str:
    return f"no {tool} {VERSION} or newer; scripts/install-deps test has it"
