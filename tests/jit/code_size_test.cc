// SPDX-License-Identifier: GPL-2.0-or-later
// How much host code a machine's processors may have, and what is said of it.
#include "accel/jit/translations.h"
#include "accel/jit/vm.h"
#include "rhea/softmmu/machine.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

std::size_t capacity_of_each(unsigned processors, std::size_t bytes) {
  Machine machine;
  const DomainGuard guard(&machine.lock());
  machine.config.max_cpus = processors;
  return jit::Vm(machine, true, bytes).translation_capacity();
}

std::string description(bool translates) {
  Machine machine;
  const DomainGuard guard(&machine.lock());
  return jit::Vm(machine, translates).describe();
}

TEST(JitCodeSize, ProcessorsShareWhatIsAskedFor) {
  EXPECT_EQ(capacity_of_each(4, 64 * MiB), 16 * MiB);
}

TEST(JitCodeSize, EachHasTheUsualUnlessAsked) {
  EXPECT_EQ(capacity_of_each(64, 0), jit::Translations::kUsualCapacity);
}

TEST(JitCodeSize, NobodyHasTooLittleToWorkWith) {
  EXPECT_EQ(capacity_of_each(64, 1 * MiB), 256 * KiB);
}

TEST(JitCodeSize, NobodyHasMoreThanJumpsReach) {
  EXPECT_EQ(capacity_of_each(1, 16 * GiB), jit::Translations::kMostCapacity);
}

TEST(JitCodeSize, ATranslatingMachineSaysWhatItHas) {
  EXPECT_NE(description(true).find("\ngen code size       0/0\nTB count            0\n"),
            std::string::npos);
}

TEST(JitCodeSize, AnInterpretingMachineSaysThatItIsOne) {
  EXPECT_EQ(description(false), "software CPU: interpreter with decoded blocks\n");
}

}  // namespace
}  // namespace rhea::test
