// SPDX-License-Identifier: GPL-2.0-or-later
// snapshot=on: writes that are gone afterwards.
#include "rhea/block/block_backend.h"
#include "tests/block/temp_dir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace rhea::test {
namespace {

class Overlay : public testing::Test {
 protected:
  std::unique_ptr<BlockNode> open(u64 bytes) {
    name = dir.file("base.img", bytes, 'b');
    return *open_image({.filename = name, .format = "raw", .snapshot = true});
  }
  static std::vector<u8> read(BlockNode& node, u64 offset, std::size_t length) {
    std::vector<u8> data(length, 0xee);
    EXPECT_TRUE(node.read(offset, data));
    return data;
  }
  TempDir dir;
  std::string name;
};

TEST_F(Overlay, ShowsTheBase) {
  const auto node = open(8192);
  EXPECT_FALSE(node->read_only());
  EXPECT_EQ(read(*node, 100, 300), std::vector<u8>(300, 'b'));
}

TEST_F(Overlay, APartialWriteKeepsTheRestOfItsCluster) {
  const auto node = open(16384);
  EXPECT_TRUE(node->write(5000, std::vector<u8>(100, 'w')));
  EXPECT_EQ(read(*node, 4999, 1), std::vector<u8>{'b'});
  EXPECT_EQ(read(*node, 5000, 100), std::vector<u8>(100, 'w'));
  EXPECT_EQ(read(*node, 5100, 1), std::vector<u8>{'b'});
}

TEST_F(Overlay, TheBaseStaysAsItWas) {
  {
    const auto node = open(8192);
    EXPECT_TRUE(node->write(0, std::vector<u8>(8192, 'w')));
  }
  EXPECT_EQ(TempDir::contents(name), std::string(8192, 'b'));
}

TEST_F(Overlay, ALastClusterThatIsCutWorks) {
  const auto node = open(4096 + 512);
  EXPECT_TRUE(node->write(4096 + 100, std::vector<u8>(412, 'w')));
  EXPECT_EQ(read(*node, 4096, 100), std::vector<u8>(100, 'b'));
  EXPECT_EQ(read(*node, 4196, 412), std::vector<u8>(412, 'w'));
}

TEST_F(Overlay, LeavesNoFileBehind) {
  ::setenv("TMPDIR", dir.path().c_str(), 1);
  const auto node = open(4096);
  EXPECT_TRUE(node->write(0, std::vector<u8>(10)));
  ::unsetenv("TMPDIR");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST_F(Overlay, AReadOnlyImageWithSnapshotStaysReadOnly) {
  const std::string file = dir.file("ro.img", 512);
  const auto node =
      *open_image({.filename = file, .format = "raw", .read_only = true, .snapshot = true});
  EXPECT_TRUE(node->read_only());
}

TEST_F(Overlay, RandomWritesReadBackAsInAModel) {
  constexpr std::size_t kSize = 200'000 / 512 * 512;
  const auto node = open(kSize);
  std::vector<u8> model(kSize, 'b');
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    const std::size_t offset = random() % kSize;
    const std::size_t length = std::min<std::size_t>(random() % 20'000, kSize - offset);
    const auto value = static_cast<u8>(random());
    ASSERT_TRUE(node->write(offset, std::vector<u8>(length, value)));
    std::fill_n(model.begin() + static_cast<std::ptrdiff_t>(offset), length, value);
  }
  EXPECT_EQ(read(*node, 0, kSize), model);
}

}  // namespace
}  // namespace rhea::test
