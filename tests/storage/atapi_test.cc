// SPDX-License-Identifier: GPL-2.0-or-later
// ATAPI drives: the PACKET protocol, reading, media changes.
#include "tests/storage/atapi_fixture.h"

namespace rhea::test {
namespace {

using Host = IdeHost;
using AtapiProtocol = Atapi;

u32 be32(std::span<const u8> data, std::size_t at) {
  return u32{data[at]} << 24 | u32{data[at + 1]} << 16 | u32{data[at + 2]} << 8 | data[at + 3];
}

TEST_F(AtapiProtocol, TheSignatureIsAPacketDevices) {
  bench.reset(ResetKind::Cold);
  EXPECT_EQ(host.status(), 0);
  EXPECT_EQ(host.reg(2), 0x01);
  EXPECT_EQ(host.reg(3), 0x01);
  EXPECT_EQ(host.reg(4), 0x14);
  EXPECT_EQ(host.reg(5), 0xeb);
}

TEST_F(AtapiProtocol, IdentifyDeviceIsRefusedWithTheSignature) {
  host.set_reg(4, 0);
  EXPECT_EQ(host.command(0xec), kCheck);
  EXPECT_EQ(host.reg(1), 0x04);
  EXPECT_EQ(host.reg(4), 0x14);
  EXPECT_EQ(host.reg(5), 0xeb);
}

TEST_F(AtapiProtocol, IdentifyPacketDescribesTheDrive) {
  EXPECT_EQ(host.command(0xa1), kReady | Host::kDrq);
  const auto id = host.read_data(512);
  EXPECT_EQ(word(id, 0), 0x85c0);
  EXPECT_EQ(std::string(id.begin() + 54, id.begin() + 54 + 12), "EQUMD DVR-MO");
  EXPECT_EQ(host.status(), kReady);
}

TEST_F(AtapiProtocol, APacketIsAskedForWithoutAnInterrupt) {
  host.set_reg(1, 0);
  EXPECT_EQ(host.command(0xa0), kReady | Host::kDrq);
  EXPECT_EQ(host.reg(2), 0x01);  // command, to the device
  EXPECT_FALSE(host.irq());
}

TEST_F(AtapiProtocol, TestUnitReadySucceedsWithAMedium) {
  EXPECT_EQ(host.packet({0x00}), kReady);
  EXPECT_EQ(host.reg(2), 0x03);
  EXPECT_TRUE(host.irq());
}

TEST_F(AtapiProtocol, ReadsComeInBlocksOfTheLimit) {
  EXPECT_EQ(host.packet(read_10(5, 3), 2048), kReady | Host::kDrq);
  EXPECT_EQ(host.reg(2), 0x02);  // data, to the host
  EXPECT_EQ(host.reg(4) | host.reg(5) << 8, 2048);
  EXPECT_TRUE(host.irq());
  EXPECT_EQ(host.read_data(2048), image(5, 1));
  EXPECT_EQ(host.settle(), kReady | Host::kDrq);
  EXPECT_EQ(host.read_data(4096), image(6, 2));
  EXPECT_EQ(host.settle(), kReady);
  EXPECT_EQ(host.reg(2), 0x03);
}

TEST_F(AtapiProtocol, AnOddLimitIsRoundedDown) {
  host.packet(read_10(0, 1), 1001);
  EXPECT_EQ(host.reg(4) | host.reg(5) << 8, 1000);
  host.read_data(2000);
  EXPECT_EQ(host.reg(4) | host.reg(5) << 8, 48);
  host.read_data(48);
  EXPECT_EQ(host.settle(), kReady);
}

TEST_F(AtapiProtocol, LimitsOfZeroAndAllOnesAreTheLargest) {
  host.packet(read_10(0, 40), 0);
  EXPECT_EQ(host.reg(4) | host.reg(5) << 8, 0xfffe);
  host.read_data(40 * 2048);
  EXPECT_EQ(host.settle(), kReady);
  host.packet(read_10(0, 40), 0xffff);
  EXPECT_EQ(host.reg(4) | host.reg(5) << 8, 0xfffe);
}

TEST_F(AtapiProtocol, LongReadsGoOnBeyondTheBuffer) {
  EXPECT_EQ(host.packet_in(read_10(3, 500), 0xf800), image(3, 500));
}

TEST_F(AtapiProtocol, ReadsGoByDma) {
  std::vector<Host::Descriptor> table;
  for (u32 i = 0; i < 4; ++i) table.push_back({0x100000 + i * 0x10000, 0x10000, i == 3});
  host.set_table(0x1000, table);
  host.start_master(true);
  host.packet(read_10(9, 128), 0xfffe, 1);
  EXPECT_TRUE(bench.run_until([this] { return host.irq(); }));
  EXPECT_EQ(bench.read(0x100000, 128 * 2048), image(9, 128));
  EXPECT_EQ(host.master_status() & 7, 4);
  EXPECT_EQ(host.status(), kReady);
  EXPECT_EQ(host.reg(2), 0x03);
}

TEST_F(AtapiProtocol, WithLessMemoryThanDataTheDriveGoesOnWaiting) {
  host.set_table(0x1000, {{0x100000, 2048}});
  host.start_master(true);
  host.packet(read_10(9, 2), 0xfffe, 1);
  bench.run_until([this] { return (host.master_status() & 1) == 0; });
  EXPECT_FALSE(host.irq());
  EXPECT_EQ(host.master_status() & 7, 0);
  EXPECT_EQ(host.alternate_status() & (IdeHost::kBusy | IdeHost::kDrq), IdeHost::kDrq);
  EXPECT_EQ(bench.read(0x100000, 2048), image(9, 1));
  host.set_reg(7, 0x08);
  EXPECT_EQ(host.status(), 0);
}

TEST_F(AtapiProtocol, ForgottenReadsLeaveNothingBehind) {
  gate->close();
  for (int i = 0; i < 200; ++i) {
    host.select(0);
    host.set_reg(1, 1);
    host.command(0xa0);
    host.write_data(std::vector<u8>{0x28, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0});
    host.set_reg(7, 0x08);
  }
  EXPECT_LE(find_drive(bench.machine(), "cd")->in_flight(), 1U);
  gate->open();
  EXPECT_EQ(host.packet_in(read_10(3, 1)), image(3, 1));
}

TEST_F(AtapiProtocol, Read12Works) {
  EXPECT_EQ(host.packet_in({0xa8, 0, 0, 0, 0, 8, 0, 0, 0, 2, 0, 0}), image(8, 2));
}

TEST_F(AtapiProtocol, AReadOfNothingSucceeds) { EXPECT_EQ(host.packet(read_10(0, 0)), kReady); }

TEST_F(AtapiProtocol, AReadBeyondTheEndIsOutOfRange) {
  EXPECT_EQ(host.packet(read_10(kBlocks - 1, 2)), kCheck);
  EXPECT_EQ(host.reg(1), 0x54);
  EXPECT_EQ(sense(), 0x052100U);
  EXPECT_EQ(host.packet({0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2, 0, 0}), kCheck);
  EXPECT_EQ(sense(), 0x052100U);
}

TEST_F(AtapiProtocol, AnUnreadableBlockIsAMediumError) {
  gate->break_at(10 * 2048);
  EXPECT_EQ(host.packet(read_10(10, 1)), kCheck);
  EXPECT_EQ(sense(), 0x031100U);
}

TEST_F(AtapiProtocol, AnUnknownCommandIsIllegal) {
  EXPECT_EQ(host.packet({0xff}), kCheck);
  EXPECT_EQ(sense(), 0x052000U);
}

TEST_F(AtapiProtocol, OverlappedPacketsAreRefused) {
  host.set_reg(1, 2);
  EXPECT_EQ(host.command(0xa0), kCheck);
}

// ---- Media

TEST_F(AtapiProtocol, WithoutAMediumItIsNotReady) {
  eject();
  EXPECT_EQ(host.packet({0x00}), kCheck);
  EXPECT_EQ(sense(), 0x023a01U);
  EXPECT_EQ(host.packet(read_10(0, 1)), kCheck);
  EXPECT_EQ(sense(), 0x023a01U);
}

TEST_F(AtapiProtocol, ANewMediumIsReportedOnce) {
  eject();
  insert();
  EXPECT_EQ(host.packet({0x00}), kCheck);
  EXPECT_EQ(sense(), 0x062800U);
  EXPECT_EQ(host.packet({0x00}), kReady);
}

TEST_F(AtapiProtocol, InquiryDoesNotTakeTheReportAway) {
  insert();
  EXPECT_EQ(host.packet_in({0x12, 0, 0, 0, 36}).size(), 36U);
  EXPECT_EQ(host.packet({0x00}), kCheck);
}

TEST_F(AtapiProtocol, RequestSenseItselfReportsANewMedium) {
  insert();
  EXPECT_EQ(sense(), 0x062800U);
  EXPECT_EQ(sense(), 0U);
}

TEST_F(AtapiProtocol, EventsTellOfMediaChanges) {
  const auto event = [this] { return host.packet_in({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8}); };
  eject();
  EXPECT_EQ(event(), (std::vector<u8>{0, 6, 4, 0x10, 3, 0, 0, 0}));
  EXPECT_EQ(event(), (std::vector<u8>{0, 6, 4, 0x10, 0, 0, 0, 0}));
  insert();
  EXPECT_EQ(event(), (std::vector<u8>{0, 6, 4, 0x10, 2, 2, 0, 0}));
}

TEST_F(AtapiProtocol, OnlyPolledEventsAreSupported) {
  EXPECT_EQ(host.packet({0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8}), kCheck);
  EXPECT_EQ(host.packet_in({0x4a, 1, 0, 0, 0x02, 0, 0, 0, 8}), (std::vector<u8>{0, 2, 0x80, 0x10}));
}

TEST_F(AtapiProtocol, TheTrayOpensAndCloses) {
  EXPECT_EQ(host.packet({0x1b, 0, 0, 0, 2}), kReady);
  EXPECT_EQ(host.packet({0x00}), kCheck);
  EXPECT_EQ(sense(), 0x023a02U);
  EXPECT_EQ(host.packet({0x1b, 0, 0, 0, 3}), kReady);
  EXPECT_EQ(host.packet({0x00}), kCheck);
  EXPECT_EQ(sense(), 0x062800U);
  EXPECT_EQ(host.packet({0x00}), kReady);
}

TEST_F(AtapiProtocol, ALockedTrayStaysShut) {
  EXPECT_EQ(host.packet({0x1e, 0, 0, 0, 1}), kReady);
  EXPECT_EQ(host.packet({0x1b, 0, 0, 0, 2}), kCheck);
  EXPECT_EQ(sense(), 0x055302U);
  EXPECT_EQ(host.packet({0x1e, 0, 0, 0, 0}), kReady);
  EXPECT_EQ(host.packet({0x1b, 0, 0, 0, 2}), kReady);
}

TEST_F(AtapiProtocol, ReadCapacityGivesTheLastBlock) {
  const auto data = host.packet_in({0x25});
  ASSERT_EQ(data.size(), 8U);
  EXPECT_EQ(be32(data, 0), kBlocks - 1);
  EXPECT_EQ(be32(data, 4), 2048U);
}

TEST(AtapiEmpty, ADriveWithoutABackendHasNoMedium) {
  Bench bench;
  Host::add_controller(bench);
  bench.add("ide-cd", {}, "ide.0");
  Host host(bench);
  host.select(0);
  EXPECT_EQ(host.packet({0x00}), Host::kReady | Host::kSeekComplete | Host::kError);
  EXPECT_EQ(host.reg(1) >> 4, 2);
}

}  // namespace
}  // namespace rhea::test
