// SPDX-License-Identifier: GPL-2.0-or-later
// States that no virtio device was ever in, with a right checksum: each is refused with a reason.
#include "tests/support/changed_state.h"
#include "tests/virtio/blk_fixture.h"
#include "tests/virtio/net_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;

constexpr u64 kCuts = hw::virtio::bit(net_bits::kSums) | hw::virtio::bit(net_bits::kHostTso4) |
                      hw::virtio::bit(net_bits::kHostUfo);

/// A card that stands, its back end full.
class LoadedNetCard : public VirtioNetTest {
 protected:
  void use_full(u64 more = 0, const Properties& properties = {}) {
    peer.room_for(0);
    use(properties, kUsual | kCuts | more);
  }
  /// IPv4 in Ethernet, whose first bytes of data are a header of 20 or 8 bytes.
  void begin_cut(u8 protocol, u8 gso, u16 segment, std::size_t data = 30000) {
    FrameBytes frame = frame_to_it(20 + data);
    const FrameBytes ip{8,        0, 0x45, 0,  0, 0, 0,  0,  0, 0, 64,
                        protocol, 0, 0,    10, 0, 2, 15, 10, 0, 2, 2};
    std::ranges::copy(ip, frame.begin() + 12);
    frame[46] = 0x50;  // TCP's header has 20 bytes
    send(frame, {.gso = gso, .segment = segment});
    ASSERT_EQ(sending->take_used(), std::nullopt) << "it is being cut";
    bench.machine().pause();
  }
  std::string with(const std::vector<std::string_view>& names, u64 value) {
    return load_changed(driver->device(), names, value);
  }
  std::string with_cut(std::string_view name, u64 value) { return with({"cutting", name}, value); }
};

TEST_F(LoadedNetCard, ACutThatCannotBeIsRefused) {
  use_full();
  begin_cut(6, 1, 100);
  const auto refused = HasSubstr("a frame is being cut that cannot be");
  EXPECT_EQ(with_cut("segment", 100), "taken");
  EXPECT_THAT(with_cut("segment", 0), refused);
  EXPECT_THAT(with_cut("segment", 60000), refused);
  EXPECT_THAT(with_cut("ip", 0), refused);
  EXPECT_THAT(with_cut("l4", 53), refused) << "TCP's header would lie beyond the frame";
  EXPECT_THAT(with_cut("header-bytes", 35), refused);
  EXPECT_THAT(with_cut("behind", 65000), refused);
  EXPECT_THAT(with_cut("done", 101), refused) << "in the middle of a segment";
  EXPECT_THAT(with_cut("done", 40000), refused);
  EXPECT_THAT(with_cut("made", 60000), refused);
  EXPECT_THAT(with_cut("payload", 0xffff'ffff), refused);
  EXPECT_THAT(with_cut("queue", 0), refused);
  EXPECT_THAT(with_cut("queue", 3), refused);
  EXPECT_THAT(with_cut("tcp", 0), refused);
  EXPECT_THAT(with_cut("ipv4", 0), refused);
}

TEST_F(LoadedNetCard, FragmentsUnderWayAreTaken) {
  use_full();
  begin_cut(17, 3, 100);
  EXPECT_EQ(with_cut("segment", 96), "taken");
  EXPECT_THAT(with_cut("segment", 95), HasSubstr("cannot be")) << "offsets count eights";
  EXPECT_THAT(with_cut("payload", 7), HasSubstr("cannot be")) << "less than its header";
}

TEST_F(LoadedNetCard, AFrameInTheMakingIsRefused) {
  use_full();
  send(frame_to_it(86));
  bench.machine().pause();
  // No finished one; 100 bytes, and those of the length behind them, of one in the making.
  EXPECT_THAT(with({"batch"}, u64{104} << 32), HasSubstr("a frame is being made"));
}

TEST_F(LoadedNetCard, AFrameOfNoBytesIsRefused) {
  use_full();
  send(frame_to_it(86));
  bench.machine().pause();
  EXPECT_THAT(with({"batch"}, 1), HasSubstr("has a frame of 0 bytes"));
}

TEST_F(LoadedNetCard, OffloadsThatNobodyAcceptedAreRefused) {
  use_full();
  bench.machine().pause();
  EXPECT_THAT(with({"offloads"}, hw::virtio::bit(net_bits::kGuestTso4)), HasSubstr("offloads"));
}

TEST_F(LoadedNetCard, WhichPairAFlowUsesIsKept) {
  use_full();
  bench.machine().pause();
  const auto state = changed_state(driver->device(), {"flows"}, 0x0001'0002'0003'0004);
  StateReader in(state);
  ASSERT_TRUE(load_object(driver->device(), in));
  EXPECT_EQ(changed_state(driver->device(), {"flows"}, 0x0001'0002'0003'0004), state);
}

TEST(LoadedBalloon, StatisticsThatWereNotTakenAreRefused) {
  Bench bench;
  VirtioPciDriver driver(bench, "virtio-balloon-pci");
  EXPECT_THAT(load_changed(driver.device(), {"holds-statistics"}, 1), HasSubstr("was not taken"));
}

class LoadedDisk : public VirtioBlkTest {};

TEST_F(LoadedDisk, VectorsThatThereAreNotAreRefused) {
  use();
  EXPECT_THAT(load_changed(driver->device(), {"virtio", "queues", "vector"}, 0x1234),
              HasSubstr("virtqueue 0 has vector 4660"));
  EXPECT_THAT(load_changed(driver->device(), {"virtio", "config-vector"}, 0x1234),
              HasSubstr("vector 4660"));
}

}  // namespace
}  // namespace rhea::test
