# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports test cases in the Test Anything Protocol."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable


class Failure(AssertionError):
    """What went wrong, in words; `details` are lines for the log."""

    def __init__(self, text: str, details: str = "") -> None:
        super().__init__(text)
        self.details = details


class Skip(Exception):
    pass


def expect(condition: bool, text: str) -> None:
    if not condition:
        raise Failure(text)


def expect_equal(got, wanted, what: str) -> None:
    if got != wanted:
        raise Failure(f"{what}: got {got!r}, expected {wanted!r}")


def comment(text: str) -> None:
    for line in text.rstrip("\n").split("\n"):
        print(f"# {line}", flush=True)


def run_case(number: int, name: str, case: Callable[[], None]) -> bool:
    name = name.replace("#", "").replace("\n", " ")
    try:
        case()
    except Skip as reason:
        print(f"ok {number} {name} # SKIP {reason}", flush=True)
        return True
    except Failure as failure:
        print(f"not ok {number} {name}", flush=True)
        comment(str(failure))
        if failure.details:
            comment(failure.details)
        return False
    except Exception:  # a bug in a test fails that case only
        print(f"not ok {number} {name}", flush=True)
        comment(traceback.format_exc())
        return False
    print(f"ok {number} {name}", flush=True)
    return True


def run(cases: list[tuple[str, Callable[[], None]]]) -> int:
    """Runs all cases; the exit status says whether every one passed."""
    print(f"1..{len(cases)}", flush=True)
    results = [run_case(number, name, case) for number, (name, case) in enumerate(cases, start=1)]
    sys.stdout.flush()
    return 0 if all(results) else 1
