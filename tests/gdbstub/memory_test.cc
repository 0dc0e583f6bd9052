// SPDX-License-Identifier: GPL-2.0-or-later
// A debugger reads and writes memory.
#include "tests/gdbstub/debug_bench.h"

namespace rhea::test {
namespace {

class GdbMemory : public DebugBench {
 public:
  // One register that counts its reads, and remembers what is written.
  u64 read_register(u64, unsigned) { return ++reads_; }
  void write_register(u64, u64 value, unsigned) { written_ = value; }
  unsigned reads_{0};
  u64 written_{0};
};

TEST_F(GdbMemory, IsReadAndWritten) {
  EXPECT_EQ(ask("M500,4:11223344"), "OK");
  EXPECT_EQ(bench_.load(0x500, 4), 0x44332211U);
  EXPECT_EQ(ask("m4ff,6"), "001122334400");
  EXPECT_EQ(ask("X502,2:ab"), "OK");
  EXPECT_EQ(ask("m500,4"), "11226162");
}

TEST_F(GdbMemory, IsThatOfLinearAddresses) {
  bench_.store(0x1234, 0x5a, 1);
  EXPECT_EQ(ask("mffffffff80001234,1"), "5a");
  EXPECT_EQ(ask("Mffffffff80001235,1:77"), "OK");
  EXPECT_EQ(bench_.load(0x1235, 1), 0x77U);
}

TEST_F(GdbMemory, EndsWhereNothingIsMapped) {
  EXPECT_EQ(ask("mfffff,2"), "00");
  EXPECT_EQ(ask("m100000,1"), "E0e");
  EXPECT_EQ(ask("mffffffffffffffff,8"), "E0e");
  EXPECT_EQ(ask("M100000,1:00"), "E0e");
  EXPECT_EQ(ask("M500,0:"), "OK");
}

TEST_F(GdbMemory, MayBePhysical) {
  EXPECT_EQ(ask("qqemu.PhyMemMode"), "0");
  EXPECT_EQ(ask("Qqemu.PhyMemMode:1"), "OK");
  EXPECT_EQ(ask("qqemu.PhyMemMode"), "1");
  EXPECT_EQ(ask("mffffffff80001234,1"), "E0e");
  EXPECT_EQ(ask("M500,1:12"), "OK");
  EXPECT_EQ(bench_.load(0x500, 1), 0x12U);
  EXPECT_EQ(ask("Qqemu.PhyMemMode:0"), "OK");
  EXPECT_EQ(ask("mffffffff80000500,1"), "12");
}

TEST_F(GdbMemory, OfFirmwareCanBeWritten) {
  Region rom;
  ASSERT_TRUE(rom.init_rom(nullptr, "test-rom", 0x1000).has_value());
  machine().system_memory().add(0x8000'0000, rom, 1);
  EXPECT_EQ(ask("Qqemu.PhyMemMode:1"), "OK");
  EXPECT_EQ(ask("M80000010,2:cccc"), "OK");
  EXPECT_EQ(ask("m80000010,2"), "cccc");
  machine().system_memory().remove(rom);
}

TEST_F(GdbMemory, ReachesDevices) {
  Region device;
  device.init_io(nullptr, "test-device", 0x1000,
                 io<&GdbMemory::read_register, &GdbMemory::write_register>(),
                 static_cast<GdbMemory*>(this));
  machine().system_memory().add(0x8000'0000, device, 1);
  EXPECT_EQ(ask("Qqemu.PhyMemMode:1"), "OK");
  EXPECT_EQ(ask("m80000000,1"), "01");
  EXPECT_EQ(ask("M80000000,1:42"), "OK");
  EXPECT_EQ(written_, 0x42U);
  machine().system_memory().remove(device);
}

TEST_F(GdbMemory, RequestsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(ask("m500"), "E16");
  EXPECT_EQ(ask("m,4"), "E16");
  EXPECT_EQ(ask("m10000000000000000,4"), "E16");
  EXPECT_EQ(ask("M500,2:11"), "E16");
  EXPECT_EQ(ask("M500,1:1g"), "E16");
  EXPECT_EQ(ask("X500,2:a"), "E16");
}

TEST_F(GdbMemory, IsReadInPiecesOfAPacket) {
  EXPECT_EQ(ask("m0,ffffffffffffffff").size(), 2 * (32 * KiB - 64));
}

TEST_F(GdbMemory, NothingIsWrittenWhileASnapshotIsLoaded) {
  machine().pause(RunState::RestoreVm);
  EXPECT_EQ(ask("M500,1:12"), "E10");
  EXPECT_EQ(ask("P0=00000000"), "E10");
}

}  // namespace
}  // namespace rhea::test
