# SPDX-License-Identifier: GPL-2.0-or-later
"""How the build compiles each file: Meson's compile_commands.json."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import tree

# Options that name outputs, each with an argument of its own.
OUTPUT_OPTIONS = {"-o", "-MF", "-MQ", "-MT"}
# g++'s precompiled headers say nothing to other tools, and must hide nothing from them.
PRECOMPILED = re.compile(r"-include \S*-libraries\.h ")
# A file of the build that includes others.
TOGETHER = re.compile(r"-together-\d+\.cc$")
# Options that decide what an #include finds and how it is read.
FRONT_END_OPTIONS = ("-I", "-isystem", "-D", "-std=")
# What only g++ understands.
COMPILERS_OWN = ("--param",)


@dataclass(frozen=True)
class Command:
    file: Path  # relative to the root
    directory: Path
    compiler: str
    arguments: tuple[str, ...]  # without compiler, outputs and the file itself


def parse(entry: dict) -> Command | None:
    """One entry of the database; None for files outside the tree or generated in the build."""
    directory = Path(entry["directory"])
    file = Path(os.path.normpath(directory / entry["file"]))
    if not file.is_relative_to(tree.ROOT) or file.is_relative_to(directory):
        return None
    words = shlex.split(PRECOMPILED.sub("", entry["command"]))
    while Path(words[0]).name in ("ccache", "sccache"):
        words.pop(0)
    arguments, skip = [], False
    for word in words[1:]:
        if skip or word in OUTPUT_OPTIONS:
            skip = not skip
        elif word not in ("-c", "-MD", "-MMD", entry["file"]) and \
                not word.startswith(COMPILERS_OWN):
            arguments.append(word)
    return Command(file.relative_to(tree.ROOT), directory, words[0], tuple(arguments))


def ensure_configured(build: Path) -> None:
    """A build directory with a database in it; Meson writes it at configuration."""
    if (build / "compile_commands.json").is_file():
        return
    run = subprocess.run(["meson", "setup", str(build), str(tree.ROOT)], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if run.returncode != 0:
        sys.exit(f"{run.stdout}meson setup failed: there are no compile commands to go by")


def generate_missing(build: Path, entries: list[dict]) -> None:
    """The files that include others; they are there at once, without compiling anything."""
    files = [Path(entry["directory"], entry["file"]) for entry in entries]
    if any(TOGETHER.search(file.name) and not file.is_file() for file in files):
        subprocess.run(["ninja", "-C", str(build), "together"], check=True,
                       stdout=subprocess.DEVNULL)


def of_each_source(entry: dict) -> list[dict]:
    """Sources that are compiled together are in one generated file, and have its command."""
    file = Path(entry["directory"], entry["file"])
    if not TOGETHER.search(entry["file"]):
        return [entry]
    sources = re.findall(r'^#include\s*[<"](.+)[>"]$', file.read_text(encoding="utf-8"), re.MULTILINE)
    return [{**entry, "file": source, "command": entry["command"].replace(entry["file"], source)}
            for source in sources]


def load(build: Path) -> list[Command]:
    ensure_configured(build)
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    generate_missing(build, entries)
    commands = {}
    for entry in (each for together in entries for each in of_each_source(together)):
        command = parse(entry)
        if command and command.file.suffix == ".cc":
            commands.setdefault(command.file, command)
    return [commands[file] for file in sorted(commands)]


def front_end_options(commands: list[Command]) -> list[str]:
    """The union, in order, of what the commands tell the preprocessor and the parser."""
    seen: dict[tuple[str, ...], None] = {}
    for command in commands:
        words = iter(command.arguments)
        for word in words:
            if not word.startswith(FRONT_END_OPTIONS):
                continue
            pair = (word, next(words)) if word in ("-I", "-isystem", "-D") else (word,)
            seen.setdefault(pair)
    return [word for pair in seen for word in pair]
