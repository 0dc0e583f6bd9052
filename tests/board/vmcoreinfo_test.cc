// SPDX-License-Identifier: GPL-2.0-or-later
// The device "vmcoreinfo", written as a guest's kernel writes it.
#include "hw/misc/vmcoreinfo.h"

#include "tests/board/firmware_view.h"

#include <gtest/gtest.h>

#include <array>

namespace rhea::test {
namespace {

/// The note's two halves, least significant byte first.
void guest_writes(Pc& pc, u64 low, u64 high) {
  std::array<u8, 16> bytes{};
  for (unsigned i = 0; i < 8; ++i) {
    bytes[i] = static_cast<u8>(low >> (8 * i));
    bytes[8 + i] = static_cast<u8>(high >> (8 * i));
  }
  write_fw_cfg_file(pc, "etc/vmcoreinfo", bytes);
}

TEST(Vmcoreinfo, KnowsWhereTheGuestsNoteLiesUntilItResets) {
  Pc pc;
  const auto plugged = pc.machine().plug("vmcoreinfo", {});
  ASSERT_TRUE(plugged) << plugged.error().message();
  const auto& device = dynamic_cast<const hw::Vmcoreinfo&>(**plugged);
  pc.machine().reset_now(ShutdownCause::None, ResetKind::Cold);
  EXPECT_FALSE(device.note());
  EXPECT_EQ(fw_cfg_file(pc, "etc/vmcoreinfo")[2], 1);
  guest_writes(pc, u64{0x400} << 32 | 1, 0x1234000);
  ASSERT_TRUE(device.note());
  EXPECT_EQ(device.note()->format, 1);
  EXPECT_EQ(device.note()->size, 0x400U);
  EXPECT_EQ(device.note()->address, 0x1234000U);
  pc.machine().reset_now(ShutdownCause::GuestReset, ResetKind::Warm);
  EXPECT_FALSE(device.note());
}

TEST(Vmcoreinfo, IsThereOnce) {
  Pc pc;
  ASSERT_TRUE(pc.machine().plug("vmcoreinfo", {}));
  EXPECT_EQ(pc.machine().plug("vmcoreinfo", {}).error().message(),
            "at most one vmcoreinfo device is permitted");
}

}  // namespace
}  // namespace rhea::test
