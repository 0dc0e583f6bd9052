# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the examples in the documentation: commands that a reader would type."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

INDENT = "    "
PROMPT = "(qemu) "
OURS = {"rhea", "build/rhea"}


@dataclass
class Example:
    """One command line, and what is said to the monitors of the machine it starts."""

    place: str  # file:line
    words: list[str]
    monitor: list[str] = field(default_factory=list)
    qmp: list[str] = field(default_factory=list)

    @property
    def starts_rhea(self) -> bool:
        return self.words[:1] != [] and self.words[0] in OURS


def _blocks(text: str):
    """Runs of lines that Markdown shows as they are, each with the number of its first line."""
    block: list[str] = []
    fence = ""
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        marker = re.match(r"\s*```(\w*)", line)
        if marker and not fence:
            fence = marker[1] or "text"
            continue
        inside = fence in ("sh", "text") if fence else line.startswith(INDENT)
        if marker or not inside:
            if block:
                yield number - len(block), block
            block = []
            fence = "" if marker else fence
            continue
        block.append(line if fence else line[len(INDENT):])
    if block:
        yield number - len(block), block


def _roff_blocks(text: str):
    inside: list[str] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if line == ".nf":
            inside = []
        elif line == ".fi" and inside:
            yield number - len(inside), inside
            inside = None
        elif inside is not None:
            inside.append(line.replace("\\-", "-").replace("\\e", "\\"))


def _words(line: str) -> list[str] | None:
    """None: no command line."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return None
    # "…" stands for what the reader adds.
    return [word for word in words if word != "…"]


def _of_block(path: Path, first: int, lines: list[str]) -> list[Example]:
    found: list[Example] = []
    started = ""
    for number, line in enumerate(lines, start=first):
        place = f"{path}:{number}"
        if started:
            line = started + line.strip()
            started = ""
        if line.rstrip().endswith("\\"):
            started = line.rstrip()[:-1]
            continue
        if line.startswith(PROMPT):
            if found:
                found[-1].monitor.append(line[len(PROMPT):].strip())
        elif line.startswith("{"):
            if not found or not found[-1].starts_rhea:
                found.append(Example(place, ["rhea", "-S", "-display", "none"]))
            found[-1].qmp.append(line.strip())
        elif words := _words(line):
            found.append(Example(place, words))
    return found


def examples(path: Path, name: Path | None = None) -> list[Example]:
    text = path.read_text(encoding="utf-8")
    blocks = _roff_blocks(text) if path.suffix == ".1" else _blocks(text)
    return [example for first, lines in blocks
            for example in _of_block(name or path, first, lines)]


def is_command(words: list[str]) -> bool:
    """Whether it is a command of ours or of a build, not the syntax of an option or code."""
    first = words[0]
    return (first in OURS or first in ("cp", "meson", "ninja", "python3", "scripts", "man")
            or first.startswith(("scripts/", "build/")))
