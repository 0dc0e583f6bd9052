// SPDX-License-Identifier: GPL-2.0-or-later
// ATAPI drives: what the packet commands answer.
#include "tests/storage/atapi_fixture.h"

namespace rhea::test {
namespace {

using Host = IdeHost;

class AtapiCommands : public Atapi {
 protected:
  std::vector<u8> mode_sense(u8 page, u16 length = 0xffff) {
    return host.packet_in(
        {0x5a, 0, page, 0, 0, 0, 0, static_cast<u8>(length >> 8), static_cast<u8>(length)});
  }
};

TEST_F(AtapiCommands, InquiryNamesTheDrive) {
  const auto data = host.packet_in({0x12, 0, 0, 0, 96});
  ASSERT_EQ(data.size(), 36U);
  EXPECT_EQ(data[0], 0x05);
  EXPECT_EQ(data[1], 0x80);
  EXPECT_EQ(data[4], 31);
  EXPECT_EQ(std::string(data.begin() + 8, data.begin() + 28), "QEMU    QEMU DVD-ROM");
}

TEST_F(AtapiCommands, AnswersAreCutToWhatThePacketAllocates) {
  EXPECT_EQ(host.packet_in({0x12, 0, 0, 0, 5}).size(), 5U);
  EXPECT_EQ(host.packet({0x12, 0, 0, 0, 0}), kReady);
}

TEST_F(AtapiCommands, InquiryHasVitalPages) {
  EXPECT_EQ(host.packet_in({0x12, 1, 0x00, 0, 255}),
            (std::vector<u8>{5, 0, 0, 3, 0x00, 0x80, 0x83}));
  const auto serial = host.packet_in({0x12, 1, 0x80, 0, 255});
  EXPECT_EQ(std::string(serial.begin() + 4, serial.end()), "QM00003");
  EXPECT_EQ(host.packet_in({0x12, 1, 0x83, 0, 255})[1], 0x83);
  EXPECT_EQ(host.packet({0x12, 1, 0xb0, 0, 255}), kCheck);
  EXPECT_EQ(sense(), 0x052400U);
}

TEST_F(AtapiCommands, TheTableOfContentsHasOneTrack) {
  EXPECT_EQ(
      host.packet_in({0x43, 0, 0, 0, 0, 0, 0, 0, 255}),
      (std::vector<u8>{0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0, 2, 0x58}));
}

TEST_F(AtapiCommands, TheTableOfContentsSpeaksInMinutes) {
  // Block 600 is 8 seconds after the 2 of the lead-in.
  EXPECT_EQ(host.packet_in({0x43, 2, 0, 0, 0, 0, 0xaa, 0, 255}),
            (std::vector<u8>{0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 10, 0}));
}

TEST_F(AtapiCommands, TheTableOfContentsHasSessionsAndARawForm) {
  EXPECT_EQ(host.packet_in({0x43, 0, 1, 0, 0, 0, 0, 0, 255}),
            (std::vector<u8>{0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0}));
  const auto raw = host.packet_in({0x43, 2, 2, 0, 0, 0, 0, 0, 255});
  ASSERT_EQ(raw.size(), 4U + 4 * 11);
  EXPECT_EQ(raw[4 + 3], 0xa0);
  EXPECT_EQ(raw[4 + 22 + 3], 0xa2);
  EXPECT_EQ(host.packet_in({0x43, 0, 0, 0, 0, 0, 0, 0, 255, 0x80}),
            host.packet_in({0x43, 0, 2, 0, 0, 0, 0, 0, 255}));
}

TEST_F(AtapiCommands, TheTableOfContentsRefusesNonsense) {
  EXPECT_EQ(host.packet({0x43, 0, 5, 0, 0, 0, 0, 0, 255}), kCheck);
  EXPECT_EQ(host.packet({0x43, 0, 0, 0, 0, 0, 2, 0, 255}), kCheck);
  EXPECT_EQ(sense(), 0x052400U);
}

TEST_F(AtapiCommands, ConfigurationNamesTheProfile) {
  const auto data = host.packet_in({0x46, 0, 0, 0, 0, 0, 0, 4, 0});
  ASSERT_GT(data.size(), 20U);
  EXPECT_EQ(data[3], data.size() - 4);
  EXPECT_EQ(data[7], 0x08);  // CD-ROM
  EXPECT_EQ(data[11], 8);    // two profiles follow
  EXPECT_EQ(data[17], 0x08);
  EXPECT_EQ(data[18], 1);
}

TEST_F(AtapiCommands, ConfigurationOfOneFeature) {
  EXPECT_EQ(host.packet_in({0x46, 2, 0, 3, 0, 0, 0, 4, 0}),
            (std::vector<u8>{0, 0, 0, 12, 0, 0, 0, 8, 0, 3, 3, 4, 0x29, 0, 0, 0}));
  EXPECT_EQ(host.packet({0x46, 3, 0, 0, 0, 0, 0, 4, 0}), kCheck);
}

TEST_F(AtapiCommands, WithoutAMediumThereIsNoProfile) {
  eject();
  const auto data = host.packet_in({0x46, 1, 0, 0, 0, 0, 0, 4, 0});
  EXPECT_EQ(data[6] << 8 | data[7], 0);
}

TEST_F(AtapiCommands, DiscAndTrackInformation) {
  const auto disc = host.packet_in({0x51, 0, 0, 0, 0, 0, 0, 0, 255});
  ASSERT_EQ(disc.size(), 34U);
  EXPECT_EQ(disc[2], 0x0e);
  const auto track = host.packet_in({0x52, 1, 0, 0, 0, 1, 0, 0, 255});
  ASSERT_EQ(track.size(), 36U);
  EXPECT_EQ(track[26] << 8 | track[27], kBlocks);
  EXPECT_EQ(host.packet({0x52, 1, 0, 0, 0, 2, 0, 0, 255}), kCheck);
}

TEST_F(AtapiCommands, ModePagesAreSensed) {
  const auto capabilities = mode_sense(0x2a);
  ASSERT_EQ(capabilities.size(), 8U + 22);
  EXPECT_EQ(capabilities[1], 28);
  EXPECT_EQ(capabilities[2], 0x01);
  EXPECT_EQ(capabilities[8], 0x2a);
  EXPECT_EQ(mode_sense(0x3f).size(), 8U + 8 + 16 + 12 + 22);
  EXPECT_EQ(mode_sense(0x01)[11], 5);
}

TEST_F(AtapiCommands, UnknownPagesAndSavedValuesAreRefused) {
  EXPECT_EQ(host.packet({0x5a, 0, 0x3e, 0, 0, 0, 0, 0, 255}), kCheck);
  EXPECT_EQ(sense(), 0x052400U);
  EXPECT_EQ(host.packet({0x5a, 0, 0xc1, 0, 0, 0, 0, 0, 255}), kCheck);
  EXPECT_EQ(sense(), 0x053900U);
}

TEST_F(AtapiCommands, ModeSelectChangesAPage) {
  std::vector<u8> list(8);
  const std::vector<u8> page = {0x01, 6, 0x20, 9, 0, 0, 0, 0};
  list.insert(list.end(), page.begin(), page.end());
  EXPECT_EQ(host.packet({0x55, 0x10, 0, 0, 0, 0, 0, 0, 16}), kReady | Host::kDrq);
  EXPECT_EQ(host.reg(2), 0x00);  // data, to the device
  EXPECT_EQ(host.reg(4), 16);
  host.write_data(list);
  EXPECT_EQ(host.settle(), kReady);
  EXPECT_EQ(mode_sense(0x01)[11], 9);
}

TEST_F(AtapiCommands, ModeSelectRefusesWrongLists) {
  const auto select = [this](const std::vector<u8>& list) {
    host.packet({0x55, 0x10, 0, 0, 0, 0, 0, 0, static_cast<u8>(list.size())});
    host.write_data(list);
    host.settle();
    return sense();
  };
  EXPECT_EQ(select({0, 0, 0, 0}), 0x051a00U);                             // no header
  EXPECT_EQ(select({0, 0, 0, 0, 0, 0, 0, 0, 0x01, 200}), 0x051a00U);      // longer than the list
  EXPECT_EQ(select({0, 0, 0, 0, 0, 0, 0, 0, 0x2a, 2, 0, 0}), 0x052600U);  // not changeable
  EXPECT_EQ(select({0, 0, 0, 0, 0, 0, 0xff, 0xff, 0x01, 2}), 0U);  // block descriptors to the end
}

TEST_F(AtapiCommands, ReadCdGivesUserData) {
  EXPECT_EQ(host.packet_in({0xbe, 0, 0, 0, 0, 4, 0, 0, 2, 0x10}), image(4, 2));
}

TEST_F(AtapiCommands, ReadCdGivesRawSectors) {
  const auto raw = host.packet_in({0xbe, 0, 0, 0, 0, 4, 0, 0, 1, 0xf8});
  ASSERT_EQ(raw.size(), 2352U);
  EXPECT_EQ(raw[0], 0x00);
  EXPECT_EQ(raw[1], 0xff);
  EXPECT_EQ(std::vector<u8>(raw.begin() + 12, raw.begin() + 16),
            (std::vector<u8>{0x00, 0x02, 0x04, 0x01}));
  EXPECT_EQ(std::vector<u8>(raw.begin() + 16, raw.begin() + 2064), image(4, 1));
}

TEST_F(AtapiCommands, RawSectorsOfZeroesHaveTheKnownCheckBytes) {
  gate->data.assign(gate->data.size(), 0);
  const auto raw = host.packet_in({0xbe, 0, 0, 0, 0, 0, 0, 0, 1, 0xf8});
  ASSERT_EQ(raw.size(), 2352U);
  // Every column of P and every diagonal of Q sums to zero with its parity.
  u8 sum = 0;
  for (unsigned i = 0; i < 26; ++i) sum ^= raw[12 + 86 * i];
  EXPECT_EQ(sum, 0);
  // The EDC divides the sector without a remainder.
  u32 crc = 0;
  for (unsigned i = 0; i < 2068; ++i) {
    crc ^= raw[i];
    for (unsigned bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xd8018001 : 0);
  }
  EXPECT_EQ(crc, 0U);
}

TEST_F(AtapiCommands, ReadCdRefusesAudioAndSubchannels) {
  EXPECT_EQ(host.packet({0xbe, 0x04, 0, 0, 0, 0, 0, 0, 1, 0x10}), kCheck);
  EXPECT_EQ(sense(), 0x056400U);
  EXPECT_EQ(host.packet({0xbe, 0, 0, 0, 0, 0, 0, 0, 1, 0x10, 1}), kCheck);
  EXPECT_EQ(sense(), 0x052400U);
}

TEST_F(AtapiCommands, ReadCdMsfStartsAtTwoSeconds) {
  EXPECT_EQ(host.packet_in({0xb9, 0, 0, 0, 2, 1, 0, 2, 3, 0x10}), image(1, 2));
  EXPECT_EQ(host.packet({0xb9, 0, 0, 0, 1, 0, 0, 2, 3, 0x10}), kCheck);
}

TEST_F(AtapiCommands, TheMechanismHasOneSlot) {
  EXPECT_EQ(host.packet_in({0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8}),
            (std::vector<u8>{0, 0, 0, 0, 0, 1, 0, 0}));
}

TEST_F(AtapiCommands, ACdHasNoDvdStructure) {
  EXPECT_EQ(host.packet({0xad, 0, 0, 0, 0, 0, 0, 0, 8, 0}), kCheck);
  EXPECT_EQ(sense(), 0x053000U);
}

TEST_F(AtapiCommands, SeekAndVerifyCheckTheRange) {
  EXPECT_EQ(host.packet({0x2b, 0, 0, 0, 0, 10}), kReady);
  EXPECT_EQ(host.packet({0x2b, 0, 0, 0, 0xff, 0}), kCheck);
  EXPECT_EQ(host.packet({0x2f, 0, 0, 0, 2, 0x50, 0, 0, 8}), kReady);
  EXPECT_EQ(host.packet({0x2f, 0, 0, 0, 2, 0x50, 0, 0, 9}), kCheck);
}

TEST_F(AtapiCommands, ReadSubchannelSaysThatNothingPlays) {
  EXPECT_EQ(host.packet_in({0x42, 0, 0x40, 1, 0, 0, 0, 0, 255})[1], 0x15);
  EXPECT_EQ(host.packet_in({0x42, 0, 0x00, 0, 0, 0, 0, 0, 255}).size(), 4U);
  EXPECT_EQ(host.packet({0x42, 0, 0x40, 9, 0, 0, 0, 0, 255}), kCheck);
}

TEST(AtapiDvd, ALargeImageIsADvd) {
  // A sparse stand-in: only its size matters.
  class Large final : public BlockNode {
   public:
    std::string_view format() const override { return "raw"; }
    const std::string& filename() const override { return name_; }
    u64 size() const override { return u64{2000000} * 2048; }
    bool read_only() const override { return true; }
    Result<> read(u64, std::span<u8>) override { return {}; }
    Result<> write(u64, std::span<const u8>) override { return fail("read-only"); }
    Result<> flush() override { return {}; }

   private:
    std::string name_{"large"};
  };
  Bench bench;
  Host::add_controller(bench);
  bench.machine()
      .container("/drives")
      .add_child("cd", create<BlockBackend>())
      .insert(std::make_unique<Large>());
  bench.add("ide-cd", {{"drive", "cd"}}, "ide.0");
  Host host(bench);
  host.select(0);
  EXPECT_EQ(host.packet_in({0x46, 0, 0, 0, 0, 0, 0, 4, 0})[7], 0x10);
  const auto format = host.packet_in({0xad, 0, 0, 0, 0, 0, 0, 0, 8, 4});
  ASSERT_EQ(format.size(), 2052U);
  EXPECT_EQ(format[12] << 24 | format[13] << 16 | format[14] << 8 | format[15],
            0x30000 + 2000000 - 1);
  EXPECT_EQ(host.packet_in({0xad, 0, 0, 0, 0, 0, 0, 1, 8, 4}).size(), 8U);
  EXPECT_EQ(host.packet_in({0xad, 0, 0, 0, 0, 0, 0, 0xff, 8, 4}).size(), 16U);
  EXPECT_EQ(host.packet({0xad, 0, 0, 0, 0, 0, 0, 0x7f, 8, 4}),
            Host::kReady | Host::kSeekComplete | Host::kError);
}

}  // namespace
}  // namespace rhea::test
