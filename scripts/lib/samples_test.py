# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of samples.py."""

import unittest

from samples import Samples


def filled(**values) -> Samples:
    samples = Samples()
    for who, series in values.items():
        for value in series:
            samples.add("x", who, value)
    return samples


class SamplesTest(unittest.TestCase):
    def test_the_median_leaves_out_what_is_missing(self):
        self.assertEqual(filled(a=[3.0, None, 1.0, 2.0]).median("x", "a"), 2.0)

    def test_there_is_no_median_of_nothing(self):
        self.assertIsNone(filled(a=[None]).median("x", "a"))
        self.assertIsNone(filled().median("x", "a"))

    def test_a_ratio_is_that_of_neighbours(self):
        # Both were ten times as slow in the second round.
        samples = filled(a=[2.0, 20.0, 2.0], b=[1.0, 10.0, 1.0])
        self.assertEqual(samples.ratio("x", "a", "b"), 2.0)

    def test_a_round_with_a_missing_side_gives_no_ratio(self):
        samples = filled(a=[2.0, 9.0], b=[1.0, None])
        self.assertEqual(samples.ratio("x", "a", "b"), 2.0)

    def test_medians_are_named_by_what_and_who(self):
        self.assertEqual(filled(a=[1.0]).medians(), {"x/a": 1.0})


if __name__ == "__main__":
    unittest.main()
