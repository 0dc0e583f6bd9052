# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's gdb at the emulator's -gdb socket: commands in, and what must come out."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import tap
from emulator import SECONDS, Emulator

# The emulator runs in its scratch folder.
OPTIONS = ("-gdb", "unix:gdb,server=on,wait=off")
BEFORE = ("set pagination off", "set confirm off", "set width 0", "set remotetimeout 60",
          "set tcp connect-timeout 60", "target remote gdb")


def debug(emulator: Emulator, commands: Sequence[str], expected: Sequence[str],
          symbols: Path | None = None, seconds: float = SECONDS) -> str:
    """Connects, gives the commands, and finds the patterns in what gdb prints, one behind the
    other. Gdb ends at the first command that fails."""
    if not shutil.which("gdb"):
        raise tap.Skip("gdb is not there; scripts/install-deps installs it")
    emulator.wait_for(lambda: (emulator.scratch / "gdb").exists(), "the debugger's socket")
    script = emulator.scratch / "commands.gdb"
    script.write_text("\n".join([*BEFORE, *commands, "echo all done\\n"]), encoding="utf-8")
    call = ["gdb", "-nx", "-q", "-batch", "-x", str(script), *([str(symbols)] if symbols else [])]
    try:
        done = subprocess.run(call, cwd=emulator.scratch, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
                              check=False)
        output = done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace") + f"\n(no end after {seconds:.0f} s)"
    at = 0
    for pattern in (*expected, "all done"):
        match = re.compile(pattern, re.M).search(output, at)
        if not match:
            failure = emulator.failure(f"gdb does not say '{pattern}'")
            failure.details = f"gdb:\n{output}\n{failure.details}"
            raise failure
        at = match.end()
    return output


def symbol_file(path: Path, functions: dict[str, int]) -> Path:
    """An ELF file of x86-64 that says where functions lie; a section each, for gdb believes in
    symbols only where there is one."""
    size = 64
    source, made = path.with_suffix(".s"), path.with_suffix(".o")
    source.write_text("".join(
        f'.section code.{name},"ax"\n.globl {name}\n.type {name},@function\n'
        f".size {name},{size}\n{name}: .skip {size},0x90\n" for name in functions), encoding="ascii")
    subprocess.run(["as", "--64", "-o", made, source], check=True)
    places = [f"--section-start=code.{name}={address:#x}" for name, address in functions.items()]
    subprocess.run(["ld", "-m", "elf_x86_64", *places, "-e", f"{min(functions.values()):#x}",
                    "-o", path, made], check=True)
    return path
