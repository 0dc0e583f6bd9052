// SPDX-License-Identifier: GPL-2.0-or-later
// RAM blocks: where the memory comes from, and who is told of writes.
#include "rhea/softmmu/address_space.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

namespace rhea {
namespace {

constexpr auto kDisplay = DirtyClient::Display;
constexpr auto kMigration = DirtyClient::Migration;
constexpr auto kCode = DirtyClient::Code;

std::unique_ptr<RamBlock> make_block(u64 size, const RamOptions& options = {}) {
  auto block = RamBlock::create("test", size, options);
  EXPECT_TRUE(block) << block.error().message();
  return std::move(block).value();
}

class TemporaryFile {
 public:
  TemporaryFile() { ::close(::mkstemp(path.data())); }
  ~TemporaryFile() { ::unlink(path.c_str()); }
  std::string path = "/tmp/rhea-ram-test-XXXXXX";
};

/// What the kernel knows of the memory at an address: its VmFlags.
std::string mapping_flags(const void* memory) {
  std::ifstream maps("/proc/self/smaps");
  const std::string first = fmt::format("{:x}-", reinterpret_cast<std::uintptr_t>(memory));
  std::string line;
  while (std::getline(maps, line) && !line.starts_with(first)) {
  }
  while (std::getline(maps, line) && !line.starts_with("VmFlags:")) {
  }
  return line + ' ';
}

TEST(RamBlockTest, SizeIsRoundedUpToPagesAndMemoryIsZero) {
  const auto block = make_block(5000);
  EXPECT_EQ(block->size(), 8192u);
  EXPECT_TRUE(std::ranges::all_of(block->bytes(), [](u8 b) { return b == 0; }));
  EXPECT_EQ(block->fd(), -1);
}

TEST(RamBlockTest, ImpossibleSizesAreErrors) {
  EXPECT_FALSE(RamBlock::create("none", 0, {}));
  const auto huge = RamBlock::create("huge.ram", ~u64{0}, {});
  ASSERT_FALSE(huge);
  EXPECT_NE(huge.error().message().find("huge.ram"), std::string::npos);
}

TEST(RamBlockTest, LargeBlocksAreAlignedForHugePages) {
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(make_block(4 * MiB)->host()) % (2 * MiB), 0u);
}

TEST(RamBlockTest, TheGuestsMemoryMayHaveHugePagesAndDevicesSmallOnes) {
  if (!std::filesystem::exists("/sys/kernel/mm/transparent_hugepage"))
    GTEST_SKIP() << "the kernel knows no transparent huge pages";
  const auto guests = make_block(32 * MiB), devices = make_block(16 * MiB);
  EXPECT_NE(mapping_flags(guests->host()).find(" hg "), std::string::npos);
  EXPECT_EQ(mapping_flags(devices->host()).find(" hg "), std::string::npos);
}

TEST(RamBlockTest, NobodyCutsAMemfdShort) {
  const auto block = make_block(kPageSize, {.backing = RamBacking::Memfd});
  EXPECT_EQ(::ftruncate(block->fd(), 0), -1);
  EXPECT_EQ(block->bytes()[0], 0);
}

TEST(RamBlockTest, MemfdIsSharedThroughItsDescriptor) {
  const auto block = make_block(kPageSize, {.backing = RamBacking::Memfd});
  block->host()[5] = 0x77;
  u8 seen = 0;
  ASSERT_EQ(::pread(block->fd(), &seen, 1, 5), 1);
  EXPECT_EQ(seen, 0x77);
}

TEST(RamBlockTest, PreallocatedMemoryIsZeroAndWritable) {
  const auto block = make_block(64 * KiB, {.prealloc = true});
  EXPECT_EQ(block->host()[60000], 0);
  block->host()[60000] = 1;
}

TEST(RamBlockTest, SharedFileKeepsWhatWasWritten) {
  const TemporaryFile file;
  make_block(kPageSize, {.backing = RamBacking::File, .path = file.path, .share = true})
      ->host()[0] = 'x';
  std::ifstream in(file.path);
  EXPECT_EQ(in.get(), 'x');
  EXPECT_EQ(std::filesystem::file_size(file.path), kPageSize);
}

TEST(RamBlockTest, PrivateFileIsReadButNotWritten) {
  const TemporaryFile file;
  std::filesystem::resize_file(file.path, kPageSize);
  const auto block = make_block(kPageSize, {.backing = RamBacking::File, .path = file.path});
  block->host()[0] = 'x';
  std::ifstream in(file.path);
  EXPECT_EQ(in.get(), 0);
}

TEST(RamBlockTest, DirectoryGetsANamelessFile) {
  const std::filesystem::path directory = "/tmp/rhea-ram-test-dir";
  std::filesystem::create_directory(directory);
  const auto block =
      make_block(kPageSize, {.backing = RamBacking::File, .path = directory, .share = true});
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  std::filesystem::remove(directory);
}

TEST(RamBlockTest, TooSmallFileIsAnErrorThatNamesIt) {
  const TemporaryFile file;
  std::filesystem::resize_file(file.path, 100);
  const auto block =
      RamBlock::create("pc.ram", MiB, {.backing = RamBacking::File, .path = file.path});
  ASSERT_FALSE(block);
  EXPECT_NE(block.error().message().find(file.path), std::string::npos);
}

TEST(RamBlockTest, MissingDirectoryIsAnErrorThatNamesThePath) {
  const auto block =
      RamBlock::create("pc.ram", MiB, {.backing = RamBacking::File, .path = "/nowhere/ram"});
  ASSERT_FALSE(block);
  EXPECT_NE(block.error().message().find("/nowhere/ram"), std::string::npos);
}

TEST(RamBlockTest, HugePagesWorkOrFailWithAClearText) {
  const auto block = RamBlock::create("pc.ram", 2 * MiB, {.backing = RamBacking::Huge});
  if (block)
    (*block)->host()[0] = 1;
  else
    EXPECT_NE(block.error().message().find("pc.ram"), std::string::npos);
}

TEST(DirtyLogTest, NothingIsRecordedWhileNobodyLogs) {
  const auto block = make_block(16 * kPageSize);
  block->mark_dirty(0, block->size());
  EXPECT_FALSE(block->test_dirty(kDisplay, 0, block->size()));
  EXPECT_FALSE(block->test_and_clear_dirty(kDisplay, 0, block->size()));
}

TEST(DirtyLogTest, ClientsDoNotClearEachOthersBits) {
  const auto block = make_block(16 * kPageSize);
  for (const auto client : {kDisplay, kMigration, kCode}) block->set_logging(client, true);
  block->mark_dirty(3 * kPageSize + 7, 1);
  EXPECT_TRUE(block->test_and_clear_dirty(kDisplay, 3 * kPageSize, kPageSize));
  EXPECT_FALSE(block->test_dirty(kDisplay, 0, block->size()));
  EXPECT_TRUE(block->test_and_clear_dirty(kMigration, 0, block->size()));
  EXPECT_TRUE(block->test_dirty(kCode, 3 * kPageSize, 1));
  EXPECT_FALSE(block->test_dirty(kCode, 4 * kPageSize, 12 * kPageSize));
}

TEST(DirtyLogTest, OnlyLoggingClientsAreTold) {
  const auto block = make_block(16 * kPageSize);
  block->set_logging(kCode, true);
  block->set_logging(kDisplay, true);
  block->set_logging(kDisplay, false);
  block->mark_dirty(0, 1);
  EXPECT_FALSE(block->test_dirty(kDisplay, 0, 1));
  EXPECT_TRUE(block->test_dirty(kCode, 0, 1));
}

TEST(DirtyLogTest, LoggingBeginsClean) {
  const auto block = make_block(16 * kPageSize);
  block->set_logging(kDisplay, true);
  block->mark_dirty(0, block->size());
  block->set_logging(kDisplay, false);
  block->set_logging(kDisplay, true);
  EXPECT_FALSE(block->test_dirty(kDisplay, 0, block->size()));
}

TEST(DirtyLogTest, RangeBeyondTheBlockIsIgnored) {
  const auto block = make_block(kPageSize);
  block->set_logging(kDisplay, true);
  block->mark_dirty(kPageSize, 100);
  block->mark_dirty(~u64{0}, 100);
  EXPECT_FALSE(block->test_dirty(kDisplay, 0, ~u64{0}));
  block->mark_dirty(kPageSize - 1, ~u64{0});
  EXPECT_TRUE(block->test_dirty(kDisplay, 0, 1));
}

/// Random ranges against a plain vector of flags.
TEST(DirtyLogTest, RandomRangesAgreeWithAModel) {
  constexpr u64 kPages = 200;
  const auto block = make_block(kPages * kPageSize);
  block->set_logging(kMigration, true);
  std::vector<bool> model(kPages);
  std::mt19937_64 random(7);
  for (int round = 0; round < 20000; ++round) {
    const u64 page = random() % kPages, pages = random() % (kPages - page) + 1;
    const auto begin = model.begin() + static_cast<std::ptrdiff_t>(page);
    const auto end = begin + static_cast<std::ptrdiff_t>(pages);
    const bool any = std::find(begin, end, true) != end;
    std::vector<u64> bits((pages + 63) / 64);
    switch (random() % 5) {
      case 0:
        block->mark_dirty(page * kPageSize + 5, std::min<u64>(pages, 3) * kPageSize - 5);
        std::fill(begin, begin + static_cast<std::ptrdiff_t>(std::min<u64>(pages, 3)), true);
        break;
      case 1:
        ASSERT_EQ(block->test_dirty(kMigration, page * kPageSize, pages * kPageSize), any);
        break;
      case 2:
        ASSERT_EQ(block->test_and_clear_dirty(kMigration, page * kPageSize, pages * kPageSize),
                  any);
        std::fill(begin, end, false);
        break;
      case 3:
        std::ranges::generate(bits, [&] { return random() & random() & random(); });
        block->merge_dirty(kMigration, page, bits, pages);
        for (u64 i = 0; i < pages; ++i)
          if ((bits[i / 64] >> i % 64 & 1) != 0) model[page + i] = true;
        break;
      default:
        block->take_dirty(kMigration, page, bits);
        for (u64 i = 0; i < bits.size() * 64; ++i) {
          const bool expected = page + i < kPages && model[page + i];
          ASSERT_EQ((bits[i / 64] >> i % 64 & 1) != 0, expected);
          if (expected) model[page + i] = false;
        }
    }
  }
}

class DirtyWriteTest : public testing::Test {
 protected:
  DirtyWriteTest() {
    root_.init_container(nullptr, "root", Region::kWholeSpace);
    EXPECT_TRUE(ram_.init_ram(nullptr, "ram", 16 * kPageSize));
    root_.add(0x100000, ram_);
    ram_.set_log(kDisplay, true);
  }
  bool dirty(u64 page) {
    return ram_.ram()->test_and_clear_dirty(kDisplay, page * kPageSize, kPageSize);
  }

  MemoryMap map_{nullptr};
  Region root_, ram_;
  AddressSpace space_{map_, "memory", root_};
};

TEST_F(DirtyWriteTest, EveryKindOfWriteIsRecorded) {
  space_.store(0x101ffc, 0, 4);
  EXPECT_TRUE(dirty(1));
  EXPECT_FALSE(dirty(2));
  space_.store(0x102ffe, 0, 4);
  EXPECT_TRUE(dirty(2));
  EXPECT_TRUE(dirty(3));
  static_cast<void>(space_.write(0x104ff0, std::vector<u8>(0x1020)));
  EXPECT_TRUE(dirty(4));
  EXPECT_TRUE(dirty(5));
  EXPECT_TRUE(dirty(6));
  static_cast<void>(space_.fill(0x107000, 0, 1));
  EXPECT_TRUE(dirty(7));
  static_cast<void>(space_.write_rom(0x108000, std::vector<u8>(1)));
  EXPECT_TRUE(dirty(8));
  space_.mark_dirty(0x109000, 1);
  EXPECT_TRUE(dirty(9));
  EXPECT_FALSE(ram_.ram()->test_dirty(kDisplay, 0, ram_.ram()->size()));
}

TEST_F(DirtyWriteTest, ReadsAreNotRecorded) {
  space_.load(0x100000, 8);
  std::vector<u8> data(0x2000);
  static_cast<void>(space_.read(0x100000, data));
  EXPECT_FALSE(ram_.ram()->test_dirty(kDisplay, 0, ram_.ram()->size()));
}

TEST_F(DirtyWriteTest, LoggingOfAnAliasLogsTheBlock) {
  Region alias;
  alias.init_alias(nullptr, "alias", ram_, 0, 4 * kPageSize);
  alias.set_log(kCode, true);
  EXPECT_TRUE(ram_.ram()->logging(kCode));
  ram_.set_log(kCode, true);
  alias.set_log(kCode, false);
  EXPECT_TRUE(ram_.ram()->logging(kCode));
  ram_.set_log(kCode, false);
  EXPECT_FALSE(ram_.ram()->logging(kCode));
}

TEST_F(DirtyWriteTest, MapKnowsItsBlocksAlsoWhileHidden) {
  Region other;
  ASSERT_TRUE(other.init_ram(nullptr, "a.ram", kPageSize));
  root_.add(0, other);
  root_.remove(other);
  const auto blocks = map_.ram_blocks();
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0]->id(), "a.ram");
  EXPECT_EQ(blocks[1]->id(), "ram");
}

}  // namespace
}  // namespace rhea
