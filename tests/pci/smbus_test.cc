// SPDX-License-Identifier: GPL-2.0-or-later
// The PIIX4's SMBus with memory modules' EEPROMs on it, as a driver uses them.
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr unsigned kSmbusPm = 3 << 3;
constexpr u16 kSmbusPorts = 0x700;
constexpr u8 kSmbDone = 0x02, kSmbNobody = 0x04;
constexpr u8 kQuickly = 0x40, kOneByte = 0x44, kByteOfData = 0x48, kWordOfData = 0x4c,
             kWholeBlock = 0x54;

class SmbusTest : public testing::Test {
 protected:
  SmbusTest() {
    bench.machine().config.ram_size = 128 * MiB;
    bench.add("PIIX4_PM", {{"addr", "3"}, {"smb_io_base", "0x700"}});
    bench.add("smbus-eeprom", {{"address", "0x50"}});
    bench.add("smbus-eeprom", {{"address", "0x51"}});
    bench.config_write(kSmbusPm, pci::kCommand, pci::kCommandIo, 2);
  }
  /// Does a transaction and gives the status, cleared since.
  u8 transact(u8 address, bool read, u8 protocol, u8 command = 0) {
    bench.outb(kSmbusPorts + 4, static_cast<u8>(address << 1 | (read ? 1 : 0)));
    bench.outb(kSmbusPorts + 3, command);
    bench.outb(kSmbusPorts + 2, protocol);
    const u8 status = bench.inb(kSmbusPorts);
    bench.outb(kSmbusPorts, 0xff);
    return status;
  }
  u8 byte_at(u8 address, u8 offset) {
    EXPECT_EQ(transact(address, true, kByteOfData, offset), kSmbDone);
    return bench.inb(kSmbusPorts + 5);
  }
  void set_data(u8 low, u8 high = 0) {
    bench.outb(kSmbusPorts + 5, low);
    bench.outb(kSmbusPorts + 6, high);
  }
  Bench bench;
};

TEST_F(SmbusTest, WhoIsThereAnswers) {
  EXPECT_EQ(transact(0x50, false, kQuickly), kSmbDone);
  EXPECT_EQ(transact(0x57, false, kQuickly), kSmbNobody);
  EXPECT_EQ(transact(0x57, true, kByteOfData), kSmbNobody);
  EXPECT_EQ(bench.inb(kSmbusPorts), 0u);
}

TEST_F(SmbusTest, TheFirstSocketsModuleIsTheMemory) {
  EXPECT_EQ(byte_at(0x50, 0), 128u);
  EXPECT_EQ(byte_at(0x50, 2), 4u);
  EXPECT_EQ(byte_at(0x50, 31), 0x20u);
}

TEST_F(SmbusTest, AnEmptySocketsEepromIsEmpty) {
  EXPECT_EQ(byte_at(0x51, 0), 0u);
  EXPECT_EQ(byte_at(0x51, 63), 0u);
}

TEST_F(SmbusTest, BytesFollowEachOther) {
  EXPECT_EQ(transact(0x50, false, kOneByte, 0), kSmbDone);
  EXPECT_EQ(transact(0x50, true, kOneByte), kSmbDone);
  EXPECT_EQ(bench.inb(kSmbusPorts + 5), 128u);
  EXPECT_EQ(transact(0x50, true, kOneByte), kSmbDone);
  EXPECT_EQ(bench.inb(kSmbusPorts + 5), 8u);
}

TEST_F(SmbusTest, WordsAreTwoBytes) {
  EXPECT_EQ(transact(0x50, true, kWordOfData, 0), kSmbDone);
  EXPECT_EQ(bench.inb(kSmbusPorts + 5), 128u);
  EXPECT_EQ(bench.inb(kSmbusPorts + 6), 8u);
  set_data(0x11, 0x22);
  EXPECT_EQ(transact(0x51, false, kWordOfData, 0xff), kSmbDone);
  EXPECT_EQ(byte_at(0x51, 0xff), 0x11u);
  EXPECT_EQ(byte_at(0x51, 0), 0x22u);
}

TEST_F(SmbusTest, ABlocksFirstByteIsItsLength) {
  bench.inb(kSmbusPorts + 2);
  bench.outb(kSmbusPorts + 7, 0xa1);
  bench.outb(kSmbusPorts + 7, 0xa2);
  set_data(2);
  EXPECT_EQ(transact(0x51, false, kWholeBlock, 0x80), kSmbDone);
  EXPECT_EQ(byte_at(0x51, 0x80), 2u);
  EXPECT_EQ(byte_at(0x51, 0x82), 0xa2u);
  set_data(0);
  EXPECT_EQ(transact(0x51, true, kWholeBlock, 0x80), kSmbDone);
  EXPECT_EQ(bench.inb(kSmbusPorts + 5), 2u);
  EXPECT_EQ(bench.inb(kSmbusPorts + 7), 0xa1u);
  EXPECT_EQ(bench.inb(kSmbusPorts + 7), 0xa2u);
}

TEST_F(SmbusTest, ABlockOfNoOrTooManyBytesIsNone) {
  set_data(33);
  EXPECT_EQ(transact(0x51, false, kWholeBlock, 0x80), kSmbNobody);
  set_data(0);
  EXPECT_EQ(transact(0x51, false, kWholeBlock, 0x80), kSmbNobody);
  EXPECT_EQ(transact(0x50, true, kWholeBlock, 0), kSmbNobody);  // the module's byte 0 is 128
}

TEST_F(SmbusTest, APlaceIsTakenOnce) {
  EXPECT_FALSE(bench.try_add("smbus-eeprom", {{"address", "0x50"}}));
}

TEST_F(SmbusTest, ASnapshotHoldsWhatWasWrittenAndWhere) {
  set_data(0x5a);
  transact(0x51, false, kByteOfData, 0x10);
  transact(0x51, false, kOneByte, 0x10);
  const auto saved = bench.save();
  set_data(0);
  transact(0x51, false, kByteOfData, 0x10);
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.save(), saved);
  transact(0x51, true, kOneByte);
  EXPECT_EQ(bench.inb(kSmbusPorts + 5), 0x5au);
}

}  // namespace
}  // namespace rhea::test
