# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts single test cases from what `meson test` leaves in meson-logs."""

from __future__ import annotations

import fcntl
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field, replace
from pathlib import Path

KVM_GET_API_VERSION = 0xAE00
KVM_CREATE_VM = 0xAE01
GOOD_RESULTS = {"OK", "EXPECTEDFAIL"}


@dataclass
class Tally:
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, other: Tally, label: str = "") -> None:
        self.passed += other.passed
        self.failed += [label + name for name in other.failed]
        self.skipped += [label + name for name in other.skipped]

    def last_line(self) -> str:
        line = f"{self.passed} passed, {len(self.failed)} failed"
        return f"{line}, {len(self.skipped)} skipped" if self.skipped else line


def kvm_is_usable() -> bool:
    """Whether this process may make a virtual machine with the host's KVM."""
    try:
        kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if fcntl.ioctl(kvm, KVM_GET_API_VERSION) != 12:
            return False
        os.close(fcntl.ioctl(kvm, KVM_CREATE_VM, 0))
        return True
    except OSError:
        return False
    finally:
        os.close(kvm)


@dataclass
class Case:
    name: str
    failed: bool
    skipped: bool
    text: str  # what the test said about it

    def speaks_of_kvm(self) -> bool:
        return re.search(r"\bkvm\b|/dev/kvm", f"{self.name} {self.text}", re.IGNORECASE) is not None


def read_case(element: ElementTree.Element) -> Case | None:
    if element.get("status") == "notrun":
        return None  # a test disabled in its source
    texts = []
    for child in element:
        texts += [child.get("message", ""), child.text or ""]
    failed = element.find("failure") is not None or element.find("error") is not None
    skipped = element.find("skipped") is not None
    return Case(element.get("name", ""), failed, skipped, " ".join(texts))


def read_suites(junit: Path) -> dict[str, list[Case]]:
    """The cases of each suite of a JUnit file."""
    suites: dict[str, list[Case]] = {}
    if not junit.is_file():
        return suites
    for suite in ElementTree.parse(junit).getroot().iter("testsuite"):
        cases = [read_case(element) for element in suite.findall("testcase")]
        suites.setdefault(suite.get("name", ""), []).extend(case for case in cases if case)
    return suites


def cases_of(test: str, project: str, suites: dict[str, list[Case]]) -> list[Case]:
    """A test's cases, with names for people.

    Meson files the cases of gtest's suites under `project.test.suite`, those of a TAP test
    under `project.test`, and a test that only has an exit status as one case of `project`.
    """
    own, short = f"{project}.{test}", test.split(" / ")[-1]
    found = []
    for suite, cases in suites.items():
        if suite == own or suite.startswith(f"{own}."):
            label = short + suite.removeprefix(own)
            found += [replace(case, name=f"{label}.{case.name}") for case in cases]
    return found or [replace(case, name=short) for case in suites.get(project, [])
                     if case.name == test]


def count_test(test: str, result: str, cases: list[Case], kvm: bool) -> Tally:
    """One `meson test` entry: its cases, and itself where it failed beside them."""
    tally = Tally()
    short = test.split(" / ")[-1]
    ended_well = result in GOOD_RESULTS or result == "SKIP"
    for case in cases:
        if case.failed:
            tally.failed.append(case.name)
        elif case.skipped and kvm and case.speaks_of_kvm():
            tally.failed.append(f"{case.name} (skipped for KVM, though KVM works here)")
        elif case.skipped:
            tally.skipped.append(case.name)
        elif ended_well or len(cases) > 1:
            tally.passed += 1
    if not ended_well and not any(case.failed for case in cases):
        # A crash, a time-out, a sanitizer's report after the last case.
        tally.failed.append(f"{short} ({result.lower()})")
    if not cases and ended_well:
        if result == "SKIP":
            tally.skipped.append(short)
        else:
            tally.passed += 1
    return tally


def read_tally(build: Path, project: str) -> Tally:
    logs = build / "meson-logs"
    suites = read_suites(logs / "testlog.junit.xml")
    kvm = kvm_is_usable()
    tally = Tally()
    for line in (logs / "testlog.json").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        test = record["name"]
        tally.add(count_test(test, record["result"], cases_of(test, project, suites), kvm))
    return tally


def forget_last_run(build: Path) -> None:
    """A crashed test writes no result file: one from an earlier run must not speak for it."""
    for name in ("testlog.json", "testlog.junit.xml", "testlog.txt"):
        (build / "meson-logs" / name).unlink(missing_ok=True)
    for result in build.glob("*.xml"):
        result.unlink()
