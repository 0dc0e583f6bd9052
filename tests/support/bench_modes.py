#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows of tests/bench-modes name tests that there are, and a reason that is known: bench_modes.py ROWS PROGRAM..."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MODES = ("reload", "reset-check")


def words_of(lines: list[str]) -> set[str]:
    """The reasons that the head of the file explains: lines like `#   word  what it means`."""
    return {line[4:].split()[0] for line in lines if line.startswith("#   ")}


def tests_of(program: str) -> set[str]:
    listing = subprocess.run([program, "--gtest_list_tests"], check=True, capture_output=True, text=True).stdout
    names, suite = set(), ""
    for line in listing.splitlines():
        if line.startswith("  "):
            names.add(suite + line.split("#")[0].strip())
        else:
            suite = line.split("#")[0].strip()
    return names


def complaint(row: str, tests: dict[str, set[str]], reasons: set[str]) -> str:
    words = row.split()
    if len(words) != 4:
        return "a row is: mode, area, test, reason"
    mode, area, test, reason = words
    if mode not in MODES:
        return f"there is no mode {mode}"
    if test not in tests.get(area, set()):
        return f"there is no test {test} in {area}"
    return "" if reason in reasons else f"the reason {reason} is not explained"


def main() -> None:
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    tests = {Path(program).name.removeprefix("test-"): tests_of(program) for program in sys.argv[2:]}
    rows = [line for line in lines if not line.startswith("#")]
    wrong = {row: said for row in rows if (said := complaint(row, tests, words_of(lines)))}
    print(f"1..{len(rows) + 1}")
    for number, row in enumerate(rows, 1):
        print(f"not ok {number} {row}: {wrong[row]}" if row in wrong else f"ok {number} {row}")
    twice = {row for row in rows if rows.count(row) > 1}
    print(f"{'not ok' if twice else 'ok'} {len(rows) + 1} no row is there twice {' '.join(twice)}")
    sys.exit(bool(wrong or twice))


main()
