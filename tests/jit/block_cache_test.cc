// SPDX-License-Identifier: GPL-2.0-or-later
// The cache of decoded code against guests that want to make it remember too much or too long.
#include "accel/jit/block_cache.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

const jit::CodeMode kMode(32, false, false);

TEST(JitBlockCache, AJumpIsForgottenEvenAfterFourThousandMillionFlushes) {
  const x86::CpuModel model;
  x86::CodeEpochs epochs;
  jit::CodeMemory memory;
  auto cache = std::make_unique<jit::BlockCache>(model, epochs, memory);
  const jit::CodePage page;
  const std::atomic<u64> written{0};
  jit::Block from, to;
  from.page.code = to.page.code = &page;
  from.page.written = to.page.written = &written;
  cache->remember(&from, 0x1000, kMode, epochs.now, to);
  ASSERT_EQ(cache->find(&from, 0x1000, kMode), &to);
  epochs.now += u64{1} << 32;
  EXPECT_EQ(cache->find(&from, 0x1000, kMode), nullptr);
  EXPECT_EQ(cache->find(nullptr, 0x1000, kMode), nullptr);
}

TEST(JitBlockCache, PagesWithoutAWholeInstructionFillItToo) {
  const x86::CpuModel model;
  x86::CodeEpochs epochs;
  jit::CodeMemory memory;
  auto cache = std::make_unique<jit::BlockCache>(model, epochs, memory);
  constexpr u64 kSize = 1 * GiB;
  jit::CodePages pages(std::shared_ptr<RamBlock>(RamBlock::create("ram", kSize, {}).value()));
  for (u64 offset = 0; offset < kSize; offset += kPageSize)
    cache->page(pages.ram()->host() + offset, pages, offset);
  EXPECT_TRUE(cache->full());
}

TEST(JitBlockCache, AnInstructionAcrossPagesLeavesNothing) {
  x86::CpuModel model;
  model.features.set();
  x86::CodeEpochs epochs;
  jit::CodeMemory memory;
  auto cache = std::make_unique<jit::BlockCache>(model, epochs, memory);
  jit::CodePages pages(std::shared_ptr<RamBlock>(RamBlock::create("ram", kPageSize, {}).value()));
  pages.at(0).watch([] {});
  u8* const host = pages.ram()->host();
  host[0xfff] = 0xb8;  // MOV EAX, and the page ends
  jit::PageBlocks& page = cache->page(host, pages, 0);
  EXPECT_EQ(cache->block(page, host, 0xfff, kMode), nullptr);
  EXPECT_TRUE(page.blocks.empty());
  EXPECT_NE(cache->block(page, host, 0xffd, kMode), nullptr);
  EXPECT_EQ(page.blocks.size(), 1U);
}

TEST(JitBlockCache, NearBranchesAreDecodedAsTheModelsVendorDoes) {
  x86::CpuModel amd, intel;
  intel.vendor = "GenuineIntel";
  x86::CodeEpochs epochs;
  jit::CodeMemory memory;
  auto amds = std::make_unique<jit::BlockCache>(amd, epochs, memory);
  auto intels = std::make_unique<jit::BlockCache>(intel, epochs, memory);
  jit::CodePages pages(std::shared_ptr<RamBlock>(RamBlock::create("ram", kPageSize, {}).value()));
  pages.at(0).watch([] {});
  u8* const host = pages.ram()->host();
  host[0] = 0x66;
  host[1] = 0xe9;  // JMP
  const jit::CodeMode mode(64, false, false);
  EXPECT_EQ(amds->block(amds->page(host, pages, 0), host, 0, mode)->bytes, 4U);
  EXPECT_EQ(intels->block(intels->page(host, pages, 0), host, 0, mode)->bytes, 6U);
}

}  // namespace
}  // namespace rhea::test
