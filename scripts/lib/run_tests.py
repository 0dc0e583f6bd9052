# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds a flavour of Rhea, runs the checks and what `meson test` knows, counts what ran.

Test suites that take long are left out unless asked for:
  guest-soak   --guests     long runs of real guests
  cpu-soak     --cpu-soak   millions of random instructions
  soak         --soak       hostile guests, clients and files for RHEA_SOAK_SECONDS (an hour)
  guest        all but --quick: guests booted by the real binary
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time

import tree
from build import PLAIN, SANITIZE, TSAN, Flavour, build
from tally import Tally, forget_last_run, read_tally

SHOWN_NAMES = 40


def say(text: str) -> None:
    print(f"== {text}", flush=True)


def run_checks() -> Tally:
    """Each check is one case; `scripts/check` prints a line for each."""
    run = subprocess.Popen([str(tree.ROOT / "scripts" / "check")], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    tally = Tally()
    for line in run.stdout:
        print(line, end="", flush=True)
        match = re.match(r"(ok|FAILED) +(\S+) +[\d.]+ s ", line)
        if match and match[1] == "ok":
            tally.passed += 1
        elif match:
            tally.failed.append(f"check {match[2]}")
    if run.wait() != 0 and not tally.failed:
        tally.failed.append("scripts/check")
    return tally


def introspect(flavour: Flavour, what: str):
    run = subprocess.run(["meson", "introspect", f"--{what}", str(flavour.path)],
                         check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


def left_out_suites(options: argparse.Namespace) -> list[str]:
    suites = []
    if not options.cpu_soak:
        suites.append("cpu-soak")
    if not options.soak:
        suites.append("soak")
    if not options.guests:
        suites.append("guest-soak")
    if options.quick and not options.guests:
        suites.append("guest")
    return suites


def select_tests(flavour: Flavour, options: argparse.Namespace) -> list[str]:
    """The names of the tests to run."""
    left_out = set(left_out_suites(options))
    names = []
    for test in introspect(flavour, "tests"):
        suites = {suite.rpartition(":")[2] for suite in test["suite"]}
        if not suites & left_out and re.search(options.filter, test["name"]):
            names.append(test["name"])
    return names


def run_tests(flavour: Flavour, options: argparse.Namespace) -> Tally:
    names = select_tests(flavour, options)
    if not names:
        say(f"{flavour.name}: no tests match")
        return Tally()
    forget_last_run(flavour.path)
    command = ["meson", "test", "-C", str(flavour.path), "--no-rebuild", "--print-errorlogs",
               "--timeout-multiplier", str(flavour.timeout_factor), *names]
    run = subprocess.run(command, env={**os.environ, **flavour.environment})
    try:
        tally = read_tally(flavour.path, introspect(flavour, "projectinfo")["descriptive_name"])
    except FileNotFoundError:
        return Tally(failed=["meson test"])
    if run.returncode != 0 and not tally.failed:
        tally.failed.append(f"meson test (exit status {run.returncode})")
    return tally


def run_flavour(flavour: Flavour, options: argparse.Namespace) -> Tally:
    start = time.monotonic()
    tally = Tally()
    say(f"{flavour.name}: build")
    if not build(flavour):
        return Tally(failed=["build"])
    say(f"{flavour.name}: built in {time.monotonic() - start:.0f} s")
    if flavour is PLAIN and options.filter == "":
        say("checks")
        tally.add(run_checks())
    say(f"{flavour.name}: tests")
    tally.add(run_tests(flavour, options))
    say(f"{flavour.name}: done in {time.monotonic() - start:.0f} s")
    return tally


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    flavour = parser.add_mutually_exclusive_group()
    flavour.add_argument("--sanitize", action="store_true",
                         help="with the address and undefined-behaviour sanitizers")
    flavour.add_argument("--tsan", action="store_true", help="with the thread sanitizer")
    parser.add_argument("--quick", action="store_true", help="leave out booting guests")
    parser.add_argument("--guests", action="store_true", help="add the long runs of guests")
    parser.add_argument("--cpu-soak", action="store_true", help="add the long instruction tests")
    parser.add_argument("--soak", action="store_true",
                        help="add hostile guests, clients and files for an hour")
    parser.add_argument("--filter", default="", metavar="RE",
                        help="only tests with such names, and no checks")
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    total = Tally()
    if options.sanitize:
        total.add(run_flavour(SANITIZE, options), "sanitize: ")
    elif options.tsan:
        total.add(run_flavour(TSAN, options), "tsan: ")
    else:
        total.add(run_flavour(PLAIN, options))
    for label, names in (("skipped", total.skipped), ("failed", total.failed)):
        for name in names[:SHOWN_NAMES]:
            print(f"{label}: {name}")
        if len(names) > SHOWN_NAMES:
            print(f"{label}: and {len(names) - SHOWN_NAMES} more")
    print(total.last_line(), flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
