// SPDX-License-Identifier: GPL-2.0-or-later
// -object filter-dump: what of a back end's frames is in the file.
#include "net/backend.h"
#include "softmmu/user_objects.h"
#include "tests/net/net_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const FrameBytes kOut(60, 1), kIn(1514, 2);
using Settings = std::vector<std::pair<std::string, Value>>;

class FilterDumpTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path); }
  Result<UserObject*> dump(Settings settings) {
    settings.emplace_back("file", path);
    return add_user_object(net.bench.machine(), "filter-dump", settings, "f");
  }
  void remove() {
    Object& objects = net.bench.machine().container(UserObject::kLinkRoot);
    objects.remove_child(*objects.child("f"));
  }
  std::string trouble(Settings settings) {
    const auto made = dump(std::move(settings));
    return made ? "none" : made.error().message();
  }
  std::vector<u8> file() const {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  /// The frames in the file, by pcap's description.
  std::vector<FrameBytes> frames() const {
    const std::vector<u8> bytes = file();
    std::vector<FrameBytes> all;
    for (std::size_t at = 24; at + 16 <= bytes.size();) {
      u32 kept{};
      std::memcpy(&kept, bytes.data() + at + 8, sizeof kept);
      at += 16;
      all.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                       bytes.begin() + static_cast<std::ptrdiff_t>(at + kept));
      at += kept;
    }
    return all;
  }
  void talk() {
    card->send({kOut});
    EXPECT_EQ(peer.take(), kOut);
    peer.give(kIn);
    EXPECT_TRUE(peer.all_taken());
  }

  NetBench net;
  NetPeer peer{net.bench.machine(), "net0"};
  TestCard* card{&net.card({{"netdev", "net0"}})};
  std::string path{testing::TempDir() + "filter-dump-" + std::to_string(::getpid())};
};

TEST_F(FilterDumpTest, BothDirectionsAreInTheFileBehindAHeader) {
  ASSERT_TRUE(dump({{"netdev", "net0"}}));
  talk();
  remove();
  EXPECT_THAT(frames(), ElementsAre(kOut, kIn));
  const std::vector<u8> start = file();
  EXPECT_THAT(std::vector<u8>(start.begin(), start.begin() + 24),
              ElementsAre(0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1,
                          0, 0, 0));
}

TEST_F(FilterDumpTest, OneDirectionMayBeEnough) {
  ASSERT_TRUE(dump({{"netdev", "net0"}, {"queue", "rx"}}));
  talk();
  remove();
  EXPECT_THAT(frames(), ElementsAre(kIn));
}

TEST_F(FilterDumpTest, LongFramesAreCut) {
  ASSERT_TRUE(dump({{"netdev", "net0"}, {"maxlen", 64}}));
  talk();
  remove();
  EXPECT_THAT(frames(), ElementsAre(kOut, FrameBytes(64, 2)));
}

TEST_F(FilterDumpTest, ThatIsOffWritesNothing) {
  ASSERT_TRUE(dump({{"netdev", "net0"}, {"status", "off"}}));
  talk();
  remove();
  EXPECT_THAT(frames(), IsEmpty());
}

TEST_F(FilterDumpTest, OutlivesItsBackEnd) {
  ASSERT_TRUE(dump({{"netdev", "net0"}}));
  ASSERT_TRUE(net::remove_netdev(net.bench.machine(), "net0"));
  remove();
  EXPECT_THAT(frames(), IsEmpty());
}

TEST_F(FilterDumpTest, MistakesAreNamed) {
  EXPECT_THAT(trouble({}), HasSubstr("'netdev' is missing"));
  EXPECT_THAT(trouble({{"netdev", "nope"}}), HasSubstr("network backend id, not 'nope'"));
  EXPECT_THAT(trouble({{"netdev", "net0"}, {"queue", "both"}}), HasSubstr("queue: 'both'"));
  EXPECT_THAT(trouble({{"netdev", "net0"}, {"status", "1"}}), HasSubstr("status: '1'"));
  EXPECT_THAT(trouble({{"netdev", "net0"}, {"maxlen", 0}}), HasSubstr("maxlen"));
}

TEST(FilterDumpOption, MayComeBeforeItsBackEnd) {
  const std::string path = testing::TempDir() + "filter-dump-first-" + std::to_string(::getpid());
  Bench bench;
  ASSERT_TRUE(
      add_user_object(bench.machine(), "filter-dump", {{"netdev", "n"}, {"file", path}}, "f"));
  ASSERT_TRUE(create_netdev(bench.machine(), "socket,id=n,listen=127.0.0.1:0"));
  bench.machine().resume();
  auto& card = dynamic_cast<TestCard&>(bench.add("test-card", {{"netdev", "n"}}));
  card.send({kOut});
  Object& objects = bench.machine().container(UserObject::kLinkRoot);
  objects.remove_child(*objects.child("f"));
  EXPECT_EQ(std::filesystem::file_size(path), 24 + 16 + kOut.size());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace rhea::test
