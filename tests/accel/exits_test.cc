// SPDX-License-Identifier: GPL-2.0-or-later
// Port and memory accesses of KVM guests: every size, every form.
#include "tests/accel/guest.h"

namespace rhea::test {
namespace {

using testing::Test;

class KvmAccess : public Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_KVM(); }
};

TEST_F(KvmAccess, PortsOfEverySizeAndForm) {
  Guest guest;
  guest.answer({0xa1, 0xa2b2, 0xa3b3c3d3, 0x11, 0x2212, 0x44332313, 1, 2, 3, 4, 5, 0x201, 0x403,
                0x605, 0x4030201, 0x8070605, 0x77, 0x88, 0x99});
  guest.start_real(GUEST(ports));
  ASSERT_TRUE(guest.wait_done());
  guest.pause();
  const std::vector<Seen> expected = {
      port_write(0x500, 1, 0x11), port_write(0x500, 2, 0x2211), port_write(0x500, 4, 0x44332211),
      port_read(0x500, 1, 0xa1), port_read(0x500, 2, 0xa2b2), port_read(0x500, 4, 0xa3b3c3d3),
      port_write(0x80, 1, 0x5a),
      // OUTSB, OUTSW, OUTSD
      port_write(0x500, 1, 1), port_write(0x500, 2, 0x302), port_write(0x500, 4, 0x7060504),
      // REP OUTSB, OUTSW, OUTSD
      port_write(0x500, 1, 1), port_write(0x500, 1, 2), port_write(0x500, 1, 3),
      port_write(0x500, 1, 4), port_write(0x500, 1, 5), port_write(0x500, 2, 0x201),
      port_write(0x500, 2, 0x403), port_write(0x500, 2, 0x605), port_write(0x500, 4, 0x4030201),
      port_write(0x500, 4, 0x8070605),
      // INSB, INSW, INSD
      port_read(0x500, 1, 0x11), port_read(0x500, 2, 0x2212), port_read(0x500, 4, 0x44332313),
      // REP INSB, INSW, INSD, and INSB downwards
      port_read(0x500, 1, 1), port_read(0x500, 1, 2), port_read(0x500, 1, 3),
      port_read(0x500, 1, 4), port_read(0x500, 1, 5), port_read(0x500, 2, 0x201),
      port_read(0x500, 2, 0x403), port_read(0x500, 2, 0x605), port_read(0x500, 4, 0x4030201),
      port_read(0x500, 4, 0x8070605), port_read(0x500, 1, 0x77), port_read(0x500, 1, 0x88),
      port_read(0x500, 1, 0x99)};
  EXPECT_EQ(guest.log(), expected);
  EXPECT_EQ(guest.peek<u8>(0x3000), 0xa1);
  EXPECT_EQ(guest.peek<u16>(0x3002), 0xa2b2);
  EXPECT_EQ(guest.peek<u32>(0x3004), 0xa3b3c3d3);
  EXPECT_EQ(guest.peek<u32>(0x3100), 0x13221211);
  EXPECT_EQ(guest.peek<u32>(0x3110), 0x04030201U);
  EXPECT_EQ(guest.peek<u64>(0x3130), 0x0807060504030201U);
  EXPECT_EQ(guest.peek<u8>(0x3147), 0x77);
  EXPECT_EQ(guest.peek<u8>(0x3145), 0x99);
}

TEST_F(KvmAccess, RegistersOfEverySizeStringsAndAcrossPages) {
  Guest guest;
  guest.answer({0xa1, 0xa2b2, 0xa3b3c3d3, 0x01});
  guest.start_real(GUEST(mmio));
  ASSERT_TRUE(guest.wait_done());
  guest.pause();
  const auto log = guest.log();
  const std::vector<Seen> first(log.begin(), log.begin() + 14);
  const std::vector<Seen> expected = {
      mem_write(0xd0010, 1, 0x11),       mem_write(0xd0020, 2, 0x2211),
      mem_write(0xd0030, 4, 0x44332211), mem_read(0xd0010, 1, 0xa1),
      mem_read(0xd0020, 2, 0xa2b2),      mem_read(0xd0030, 4, 0xa3b3c3d3),
      mem_write(0xd0040, 1, 1),          mem_write(0xd0041, 1, 2),
      mem_write(0xd0042, 1, 3),          mem_write(0xd0043, 1, 4),
      mem_write(0xd0050, 4, 0x0badcafe), mem_write(0xd0054, 4, 0x0badcafe),
      mem_read(0xd0060, 1, 0x01),        mem_write(0xd0060, 1, 0x81)};
  EXPECT_EQ(first, expected);
  // Four bytes over the end of a page come as two accesses.
  const std::vector<Seen> crossing(log.begin() + 14, log.end());
  EXPECT_EQ(crossing,
            (std::vector<Seen>{mem_write(0xd0ffe, 2, 0xccdd), mem_write(0xd1000, 2, 0xaabb)}));
  EXPECT_EQ(guest.peek<u8>(0x3000), 0xa1);
  EXPECT_EQ(guest.peek<u16>(0x3002), 0xa2b2);
  EXPECT_EQ(guest.peek<u32>(0x3004), 0xa3b3c3d3);
}

TEST_F(KvmAccess, EightBytesInLongModeAndOddPiecesAcrossPages) {
  Guest guest;
  guest.answer({0x1122334455667788});
  guest.prepare_long(GUEST(mmio64));
  guest.start();
  ASSERT_TRUE(guest.wait_done());
  guest.pause();
  const auto log = guest.log();
  ASSERT_GE(log.size(), 4U);
  EXPECT_EQ(log[0], mem_write(0xd0010, 8, 0x8877665544332211));
  EXPECT_EQ(log[1], mem_read(0xd0018, 8, 0x1122334455667788));
  EXPECT_EQ(guest.peek<u64>(0x3000), 0x1122334455667788U);
  // Three bytes and five: no access of a device has these sizes, so they come in parts, in order.
  u64 value = 0;
  for (std::size_t i = 2; i < log.size(); ++i)
    value |= log[i].value << (log[i].address - 0xd0ffd) * 8;
  EXPECT_EQ(value, 0x8877665544332211U);
}

TEST_F(KvmAccess, UnassignedPortsAndMemoryReadAsOnes) {
  Guest guest;
  guest.start_puppet();
  guest.order_and_wait({1, 0x00e00000});
  EXPECT_EQ(guest.written_to(0x5f4), (std::vector<u64>{0xffffffff}));
}

}  // namespace
}  // namespace rhea::test
