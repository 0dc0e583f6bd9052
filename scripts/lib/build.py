# SPDX-License-Identifier: GPL-2.0-or-later
"""The flavours Rhea is built in, and how to build one."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import tree


@dataclass(frozen=True)
class Flavour:
    name: str
    folder: str
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    timeout_factor: int = 1  # how much longer than the plain build tests may take

    @property
    def path(self) -> Path:
        return tree.ROOT / self.folder


def suppressions() -> str:
    """Known false reports of the thread sanitizer, such as from libraries built without it."""
    file = tree.ROOT / "tests" / "tsan.supp"
    return f":suppressions={file}" if file.is_file() else ""


# The sanitizers' instrumentation makes g++ 12 see uninitialised values where there are none;
# the plain build is the one whose warnings count.
INSTRUMENTED = ("-Dwerror=false",)

PLAIN = Flavour("plain", "build")
# Unoptimised: g++ takes three times as long to compile this flavour at -O2, which the faster tests
# do not win back.
SANITIZE = Flavour(
    "sanitize", "build-asan", ("-Db_sanitize=address,undefined", "-Doptimization=0", *INSTRUMENTED),
    {"ASAN_OPTIONS": "abort_on_error=1:detect_stack_use_after_return=1:strict_string_checks=1",
     "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1",
     "RHEA_ACCESSES": "1000000", "RHEA_CODE_BLOCKS": "20000"},
    timeout_factor=4)
TSAN = Flavour(
    "tsan", "build-tsan", ("-Db_sanitize=thread", "-Doptimization=1", *INSTRUMENTED),
    {"TSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:second_deadlock_stack=1" + suppressions(),
     "RHEA_GUEST_SECONDS": "2400", "RHEA_STORM_ROUNDS": "6000"},
    timeout_factor=10)


def build(flavour: Flavour) -> bool:
    """Configures where needed, and compiles; what goes wrong is on the screen."""
    if not (flavour.path / "build.ninja").is_file():
        setup = subprocess.run(["meson", "setup", *flavour.options, str(flavour.path),
                                str(tree.ROOT)], cwd=tree.ROOT)
        if setup.returncode != 0:
            return False
    # Objects come out of ccache whichever folder the tree lies in; without pch_defines it would not
    # look at what uses a precompiled header; with "depend" it goes by what the compiler says it read,
    # not by a run of the preprocessor before each.
    ccache = {"CCACHE_DEPEND": "1", "CCACHE_INODECACHE": "1", "CCACHE_NOHASHDIR": "1",
              "CCACHE_SLOPPINESS": "pch_defines,time_macros"}
    ninja = ["ninja", "-C", str(flavour.path), "-j", str(os.cpu_count() or 1)]
    return subprocess.run(ninja, cwd=tree.ROOT, env={**ccache, **os.environ}).returncode == 0
