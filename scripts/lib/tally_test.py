# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests how test results are counted."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import tally

JUNIT = """<?xml version="1.0"?>
<testsuites>
 <testsuite name="rhea.rhea:unit / bits.Bits">
  <testcase name="rotates" status="run"/>
  <testcase name="shifts" status="run"><failure message="no">text</failure></testcase>
  <testcase name="sleeps" status="notrun"/>
 </testsuite>
 <testsuite name="rhea.rhea:unit / bits.Vm">
  <testcase name="boots" status="run"><skipped message="KVM is not usable"/></testcase>
  <testcase name="hums" status="run"><skipped message="no sound"/></testcase>
 </testsuite>
 <testsuite name="rhea.rhea:unit / leaky.Leak">
  <testcase name="leaks" status="run"/>
 </testsuite>
 <testsuite name="rhea.rhea:guest / tap">
  <testcase name="1 - boots"/>
  <testcase name="2 - shuts down"><failure/></testcase>
 </testsuite>
 <testsuite name="rhea">
  <testcase name="rhea:guest / script"/>
  <testcase name="rhea:guest / slow"/>
  <testcase name="rhea:guest / crash"><failure/></testcase>
 </testsuite>
</testsuites>
"""


class TallyTest(unittest.TestCase):
    def count(self, *records: tuple[str, str], kvm: bool = True) -> tally.Tally:
        with tempfile.TemporaryDirectory() as scratch:
            logs = Path(scratch) / "meson-logs"
            logs.mkdir()
            (logs / "testlog.junit.xml").write_text(JUNIT, encoding="utf-8")
            (logs / "testlog.json").write_text("".join(
                json.dumps({"name": name, "result": result}) + "\n" for name, result in records),
                encoding="utf-8")
            with mock.patch.object(tally, "kvm_is_usable", return_value=kvm):
                return tally.read_tally(Path(scratch), "rhea")

    def test_cases_of_a_gtest_binary_count_one_by_one(self):
        result = self.count(("rhea:unit / bits", "FAIL"), kvm=False)
        self.assertEqual(result.passed, 1)
        self.assertEqual(result.failed, ["bits.Bits.shifts"])
        self.assertEqual(result.skipped, ["bits.Vm.boots", "bits.Vm.hums"])

    def test_skipping_for_kvm_fails_where_kvm_works(self):
        result = self.count(("rhea:unit / bits", "FAIL"), kvm=True)
        self.assertEqual(len(result.failed), 2)
        self.assertEqual(result.skipped, ["bits.Vm.hums"])

    def test_a_binary_that_fails_after_its_last_case_is_one_failure(self):
        result = self.count(("rhea:unit / leaky", "FAIL"))
        self.assertEqual((result.passed, result.failed), (0, ["leaky (fail)"]))

    def test_cases_of_a_tap_script_count_one_by_one(self):
        result = self.count(("rhea:guest / tap", "FAIL"))
        self.assertEqual((result.passed, result.failed), (1, ["tap.2 - shuts down"]))

    def test_a_script_with_an_exit_status_is_one_case(self):
        self.assertEqual(self.count(("rhea:guest / script", "OK")).passed, 1)
        self.assertEqual(self.count(("rhea:guest / crash", "FAIL")).failed, ["crash"])

    def test_a_time_out_is_a_failure(self):
        result = self.count(("rhea:guest / slow", "TIMEOUT"))
        self.assertEqual((result.passed, result.failed), (0, ["slow (timeout)"]))

    def test_a_test_without_a_result_file_counts_by_its_exit_status(self):
        result = self.count(("rhea:unit / gone", "ERROR"), ("rhea:unit / quiet", "OK"))
        self.assertEqual((result.passed, result.failed), (1, ["gone (error)"]))

    def test_the_last_line_is_plain(self):
        self.assertEqual(tally.Tally(3).last_line(), "3 passed, 0 failed")
        self.assertEqual(tally.Tally(3, ["a"], ["b"]).last_line(), "3 passed, 1 failed, 1 skipped")


if __name__ == "__main__":
    unittest.main()
