// SPDX-License-Identifier: GPL-2.0-or-later
// NOR flash: commands, status, locks, the query table, and what reaches the drive.
#include "hw/block/pflash_cfi01.h"
#include "rhea/softmmu/snapshot.h"
#include "tests/block/gate_node.h"
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u64 kBase = 0xffc0'0000;
constexpr u64 kBlock = 4096, kBlocks = 16;
constexpr u8 kFlashReady = 0x80, kEraseError = 0x20, kProgramError = 0x10, kLocked = 0x02;

class Pflash : public testing::Test {
 protected:
  explicit Pflash(bool read_only = false) {
    auto node = std::make_unique<GateNode>(kBlock * kBlocks, read_only);
    gate = node->gate();
    std::ranges::fill(gate->data, u8{0xee});
    drive().insert(std::move(node));
    auto object = *bench.machine().make("cfi.pflash01");
    auto& device = static_cast<hw::PflashCfi01&>(*object);
    device.set_drive(drive());
    EXPECT_TRUE(device.set("sector-length", kBlock));
    EXPECT_TRUE(device.set("num-blocks", kBlocks));
    EXPECT_TRUE(bench.machine().add_device(std::move(object), nullptr, "flash0"));
    bench.machine().system_memory().add(kBase, device.memory());
    flash = &device;
    bench.reset();
  }
  ~Pflash() override {
    gate->open();
    EXPECT_TRUE(flash->set_realized(false));
  }

  BlockBackend& drive() {
    if (BlockBackend* found = find_drive(bench.machine(), "flash")) return *found;
    return bench.machine().container("/drives").add_child("flash", create<BlockBackend>());
  }
  // The status register when the flash is ready again.
  u8 status() {
    bench.run_until([this] { return (read(0) & kFlashReady) != 0; });
    return read(0);
  }
  u8 read(u64 offset) { return static_cast<u8>(bench.load(kBase + offset, 1)); }
  void write(u64 offset, u8 value) { bench.store(kBase + offset, value, 1); }
  void write_all(u64 offset, std::initializer_list<u8> values) {
    for (const u8 value : values) write(offset, value);
  }
  u8 contents(u64 offset) {
    write(0, 0xff);
    return read(offset);
  }
  bool saved(u64 offset, u8 value) {
    return bench.run_until([&] {
      drive().drain();  // another thread writes
      return gate->data[offset] == value;
    });
  }

  Bench bench;
  std::shared_ptr<Gate> gate;
  hw::PflashCfi01* flash{};
};

class ReadOnlyPflash : public Pflash {
 protected:
  ReadOnlyPflash() : Pflash(true) {}
};

TEST_F(Pflash, IsTheDrivesContentsAfterReset) {
  EXPECT_EQ(read(0), 0xee);
  EXPECT_EQ(bench.load(kBase + kBlock * kBlocks - 4, 4), 0xeeeeeeeeu);
}

TEST_F(Pflash, ErasesABlockToOnes) {
  write_all(0x1234, {0x20, 0xd0});
  EXPECT_EQ(status(), kFlashReady);
  EXPECT_EQ(contents(0x0fff), 0xee);
  EXPECT_EQ(contents(0x1000), 0xff);
  EXPECT_EQ(contents(0x1fff), 0xff);
  EXPECT_EQ(contents(0x2000), 0xee);
  EXPECT_TRUE(saved(0x1000, 0xff));
  EXPECT_EQ(gate->data[0x2000], 0xee);
}

TEST_F(Pflash, ProgrammingOnlyClearsBits) {
  write_all(0x2000, {0x40, 0x7c});
  EXPECT_EQ(status(), kFlashReady);
  EXPECT_EQ(contents(0x2000), 0xee & 0x7c);
  write_all(0x2000, {0x10, 0xff});
  EXPECT_EQ(contents(0x2000), 0xee & 0x7c);
  EXPECT_TRUE(saved(0x2000, 0xee & 0x7c));
}

TEST_F(Pflash, ProgramsABufferAtOnce) {
  write_all(0x3000, {0x20, 0xd0});
  write_all(0x3010, {0xe8, 2});
  write(0x3010, 0x11);
  write(0x3011, 0x22);
  write(0x3012, 0x33);
  write(0x3010, 0xd0);
  EXPECT_EQ(status(), kFlashReady);
  EXPECT_EQ(contents(0x3010), 0x11);
  EXPECT_EQ(contents(0x3012), 0x33);
  EXPECT_EQ(contents(0x3013), 0xff);
}

TEST_F(Pflash, BufferedWritesStayInTheirBlock) {
  write_all(0x3ffe, {0xe8, 3});
  write(0x3ffe, 0x11);
  write(0x3fff, 0x22);
  write(0x4000, 0x33);
  EXPECT_EQ(read(0), kFlashReady | kEraseError | kProgramError);
  EXPECT_EQ(contents(0x3ffe), 0xee);
  EXPECT_EQ(contents(0x4000), 0xee);
}

TEST_F(Pflash, BufferedWritesStayInTheFlash) {
  const u64 end = kBlock * kBlocks;
  write_all(end - 1, {0xe8, 255});
  write(end - 1, 0x11);
  EXPECT_EQ(read(0), kFlashReady | kEraseError | kProgramError);
  EXPECT_EQ(contents(end - 1), 0xee);
}

TEST_F(Pflash, ABufferedWriteThatLeavesTheFlashCanBeSaved) {
  write_all(kBlock * kBlocks - 1, {0xe8, 255});
  write(kBlock * kBlocks - 1, 0x11);
  EXPECT_TRUE(bench.load(bench.save()));
}

TEST_F(Pflash, ABufferThatWaitsForItsFirstByteCanBeSaved) {
  write_all(kBlock * kBlocks - 1, {0xe8, 0, 0x11, 0xd0});
  EXPECT_EQ(status(), kFlashReady);
  write_all(0, {0xe8, 255});
  EXPECT_TRUE(bench.load(bench.save()));
}

TEST_F(Pflash, WrongSequencesAreErrorsUntilTheStatusIsCleared) {
  write_all(0x1000, {0x20, 0x55});
  EXPECT_EQ(read(0), kFlashReady | kEraseError | kProgramError);
  EXPECT_EQ(contents(0x1000), 0xee);
  write_all(0, {0x50, 0x70});
  EXPECT_EQ(read(0) & (kEraseError | kProgramError), 0);
}

TEST_F(Pflash, LockedBlocksDoNotChange) {
  write_all(0x1000, {0x60, 0x01, 0x20, 0xd0});
  EXPECT_EQ(read(0), kFlashReady | kEraseError | kLocked);
  write_all(0x1000, {0x50, 0x40, 0x00, 0x70});
  EXPECT_EQ(read(0), kFlashReady | kProgramError | kLocked);
  write(0, 0x90);
  EXPECT_EQ(read(0x1002), 1u);
  EXPECT_EQ(read(0x2002), 0u);
  EXPECT_EQ(contents(0x1000), 0xee);
  write_all(0x1000, {0x60, 0xd0, 0x20, 0xd0});
  EXPECT_EQ(contents(0x1000), 0xff);
}

TEST_F(Pflash, TellsItsGeometryToQueries) {
  write(0x55, 0x98);
  EXPECT_EQ(read(0x10), 'Q');
  EXPECT_EQ(read(0x11), 'R');
  EXPECT_EQ(read(0x12), 'Y');
  EXPECT_EQ(read(0x13), 1u);
  EXPECT_EQ(read(0x27), 16u);
  EXPECT_EQ(read(0x2d) | read(0x2e) << 8, kBlocks - 1);
  EXPECT_EQ((read(0x2f) | read(0x30) << 8) * 256, int{kBlock});
  EXPECT_EQ(read(0x31), 'P');
  write(0, 0x90);
  EXPECT_EQ(read(0), 0x89u);
  EXPECT_EQ(read(1), 0x18u);
}

// How OVMF tells flash from RAM and ROM.
TEST_F(Pflash, ShowsNoStatusAfterItWasCleared) {
  write_all(0, {0x50, 0x70});
  EXPECT_EQ(read(0), 0u);
}

TEST_F(Pflash, UnknownCommandsShowTheArray) {
  write_all(0, {0x70, 0x77});
  EXPECT_EQ(read(0), 0xee);
}

TEST_F(Pflash, WideAccessesAreBytesOneAfterTheOther) {
  bench.store(kBase + 0x1000, 0xd020, 2);
  EXPECT_EQ(contents(0x1000), 0xff);
  write(0, 0x70);
  EXPECT_EQ(status(), kFlashReady);
  EXPECT_EQ(bench.load(kBase, 4), 0x80808080u);
}

TEST_F(Pflash, ResetEndsACommandAndOpensLocks) {
  write_all(0x1000, {0x60, 0x01, 0x20});
  bench.reset();
  EXPECT_EQ(read(0x1000), 0xee);
  write_all(0x1000, {0x20, 0xd0});
  EXPECT_EQ(contents(0x1000), 0xff);
}

TEST_F(Pflash, ACommandSurvivesASnapshot) {
  write_all(0x1000, {0x40});
  const auto stream = save_machine(bench.machine());
  bench.reset();
  ASSERT_TRUE(load_machine(bench.machine(), stream));
  write(0x1000, 0x01);
  EXPECT_EQ(contents(0x1000), 0x00);
}

TEST_F(Pflash, IsAsReadyAfterALoadAsItWas) {
  write_all(0x1000, {0x20, 0xd0});
  EXPECT_EQ(status(), kFlashReady);
  const auto stream = save_machine(bench.machine());
  ASSERT_TRUE(load_machine(bench.machine(), stream));
  EXPECT_EQ(read(0), kFlashReady);
}

TEST_F(Pflash, WhatIsNotYetSavedIsSavedAtTheEnd) {
  write_all(0x1000, {0x20, 0xd0});
  EXPECT_TRUE(flash->set_realized(false));
  EXPECT_EQ(gate->data[0x1000], 0xff);
}

// ---- What the drive makes of it

TEST_F(Pflash, IsReadyWhenTheDriveHasTheChange) {
  gate->close();
  write_all(0x1000, {0x20, 0xd0});
  for (int turn = 0; turn < 5; ++turn) bench.machine().loop().iterate(false);
  EXPECT_EQ(read(0), 0);
  gate->open();
  EXPECT_EQ(status(), kFlashReady);
  EXPECT_EQ(gate->data[0x1000], 0xff);
}

TEST_F(Pflash, SlowDrivesGetOneWriteAtATime) {
  gate->close();
  for (int i = 0; i < 500; ++i) {
    write_all(0x1000, {0x20, 0xd0});
    write_all(kBlock * kBlocks - 1, {0x40, 0x0f});
    bench.machine().loop().iterate(false);
    EXPECT_LE(drive().in_flight(), 1U);
  }
  gate->open();
  EXPECT_EQ(status(), kFlashReady);
  EXPECT_EQ(gate->data[0x1000], 0xff);
  EXPECT_EQ(gate->data[kBlock * kBlocks - 1], 0x0e);
}

TEST_F(Pflash, AnEraseThatTheDriveRefusesIsAnError) {
  gate->break_at(0x1000);
  write_all(0x1000, {0x20, 0xd0});
  EXPECT_EQ(status(), kFlashReady | kEraseError);
}

TEST_F(Pflash, AProgrammedByteThatTheDriveRefusesIsAnErrorUntilItIsCleared) {
  gate->break_at(0x1000);
  write_all(0x1000, {0x40, 0x00});
  EXPECT_EQ(status(), kFlashReady | kProgramError);
  write_all(0, {0x50, 0x70});
  EXPECT_EQ(read(0), 0);
}

TEST_F(Pflash, WhatTheDriveRefusedIsTriedAgainWithTheNextChange) {
  gate->break_at(0x1000);
  write_all(0x1000, {0x40, 0x00});
  EXPECT_EQ(status(), kFlashReady | kProgramError);
  gate->mend();
  write_all(0x3000, {0x50, 0x40, 0x00});
  EXPECT_EQ(status(), kFlashReady);
  EXPECT_EQ(gate->data[0x1000], 0x00);
  EXPECT_EQ(gate->data[0x3000], 0x00);
}

TEST_F(Pflash, ADriveThatRefusesEverythingIsWarnedOfOnce) {
  gate->break_at(0x1000);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 100; ++i) {
    write_all(0x1000, {0x40, 0x00});
    status();
  }
  const std::string said = testing::internal::GetCapturedStderr();
  const auto first = said.find("cannot save flash to 'gate': broken");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(said.find("cannot save flash", first + 1), std::string::npos);
}

TEST_F(Pflash, ASnapshotWaitsForTheDrive) {
  gate->break_at(0x1000);
  write_all(0x1000, {0x40, 0x00});
  const auto stream = save_machine(bench.machine());
  EXPECT_EQ(read(0), kFlashReady | kProgramError);
}

TEST_F(ReadOnlyPflash, RefusesEveryChange) {
  write_all(0x1000, {0x20, 0xd0});
  EXPECT_EQ(read(0), kFlashReady | kEraseError | kLocked);
  write_all(0x1000, {0x50, 0x40, 0x00});
  EXPECT_EQ(read(0), kFlashReady | kProgramError | kLocked);
  EXPECT_EQ(contents(0x1000), 0xee);
}

TEST(PflashProperties, MustFitTheDrive) {
  Bench bench;
  make_fake_disk(bench, "flash", 8192);
  auto object = *bench.machine().make("cfi.pflash01");
  auto& device = static_cast<hw::PflashCfi01&>(*object);
  device.set_drive(*find_drive(bench.machine(), "flash"));
  ASSERT_TRUE(device.set("sector-length", u64{4096}));
  ASSERT_TRUE(device.set("num-blocks", u64{3}));
  const auto added = bench.machine().add_device(std::move(object), nullptr, "flash0");
  ASSERT_FALSE(added);
  EXPECT_NE(added.error().message().find("8192 bytes"), std::string::npos);
}

}  // namespace
}  // namespace rhea::test
