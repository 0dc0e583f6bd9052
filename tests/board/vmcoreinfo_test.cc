// SPDX-License-Identifier: GPL-2.0-or-later
// The device "vmcoreinfo", written as a guest's kernel writes it.
#include "hw/misc/vmcoreinfo.h"

#include "tests/board/firmware_view.h"

#include <gtest/gtest.h>

#include <bit>

namespace rhea::test {
namespace {

constexpr u64 kDescriptor = 0x1000, kData = 0x2000;
constexpr u32 kSelect = 8, kWrite = 16;

/// The key of a file; 0 when there is none.
u16 key_of(Pc& pc, std::string_view name) {
  const auto directory = [&] {
    pc.machine().io().store(0x510, 0x19, 2);
    std::string bytes;
    for (unsigned i = 0; i < 4 + 64 * 40; ++i)
      bytes += static_cast<char>(pc.machine().io().load(0x511, 1));
    return bytes;
  }();
  const auto at = directory.find(name);
  if (at == std::string::npos) return 0;
  return static_cast<u16>(static_cast<u8>(directory[at - 4]) << 8 |
                          static_cast<u8>(directory[at - 3]));
}

/// Writes sixteen bytes by fw_cfg's DMA.
void guest_writes(Pc& pc, std::string_view file, u64 low, u64 high) {
  auto& memory = pc.machine().memory();
  memory.store(kData, low, 8);
  memory.store(kData + 8, high, 8);
  memory.store(kDescriptor, std::byteswap(u32{key_of(pc, file)} << 16 | kSelect | kWrite), 4);
  memory.store(kDescriptor + 4, std::byteswap(u32{16}), 4);
  memory.store(kDescriptor + 8, std::byteswap(kData), 8);
  pc.machine().io().store(0x514, 0, 4);
  pc.machine().io().store(0x518, std::byteswap(static_cast<u32>(kDescriptor)), 4);
  pc.machine().loop().iterate(false);
}

TEST(Vmcoreinfo, KnowsWhereTheGuestsNoteLiesUntilItResets) {
  Pc pc;
  const auto plugged = pc.machine().plug("vmcoreinfo", {});
  ASSERT_TRUE(plugged) << plugged.error().message();
  const auto& device = dynamic_cast<const hw::Vmcoreinfo&>(**plugged);
  pc.machine().reset_now(ShutdownCause::None, ResetKind::Cold);
  EXPECT_FALSE(device.note());
  EXPECT_EQ(fw_cfg_file(pc, "etc/vmcoreinfo")[2], 1);
  guest_writes(pc, "etc/vmcoreinfo", u64{0x400} << 32 | 1, 0x1234000);
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
