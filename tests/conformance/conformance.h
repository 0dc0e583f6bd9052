// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of the conformance suite share.
#pragma once

#include "tests/conformance/fixture.h"
#include "tests/conformance/fuzzer.h"

#include <gtest/gtest.h>

#include <string>

namespace rhea::test {

class Conformance : public ::testing::TestWithParam<std::string> {
 protected:
  /// Of a type whose declaration is wrong there are no objects.
  void SetUp() override { ASSERT_EQ(type().problem, ""); }
  const TypeInfo& type() const { return *find_type(GetParam()); }
  /// Stands by itself: what it leaves behind is its own.
  bool is_alone() const { return type().bus.empty() || type().bus == "ISA" || type().bus == "PCI"; }
};

// Types that only a real board or host can carry say so in one line; the board's own suite covers
// them.
#define REQUIRE_ON_BENCH(specimen)                             \
  if ((specimen).device() == nullptr) {                        \
    EXPECT_FALSE((specimen).error().empty());                  \
    EXPECT_FALSE(type().user_creatable) << (specimen).error(); \
    return;                                                    \
  }

/// The first state field in which two machines differ, of their devices and all that belongs to
/// them: "state field 'period' of /machine/…: 0, not 7". Empty when there is none.
std::string state_difference(Machine& one, Machine& other,
                             StateWriter::Fields fields = StateWriter::Fields::All);
/// Where two runs of the same accesses differ first; empty when nowhere.
std::string first_difference(const Fuzzer& one, const Fuzzer& other, std::string_view device);

}  // namespace rhea::test
