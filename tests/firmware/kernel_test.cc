// SPDX-License-Identifier: GPL-2.0-or-later
// The loaders behind -kernel: what goes where, and images that lie.
#include "hw/i386/boot_plan.h"
#include "hw/i386/elf_image.h"
#include "hw/i386/option_roms.h"
#include "hw/i386/table_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <numeric>
#include <random>

namespace rhea::hw {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr u64 kRam = 128 * MiB;

struct TempFile {
  explicit TempFile(std::size_t bytes)
      : path(::testing::TempDir() + "rhea-initrd-" + std::to_string(getpid())) {
    std::ofstream(path) << std::string(bytes, 'i');
  }
  ~TempFile() { unlink(path.c_str()); }
  std::string path;
};

void put(std::vector<u8>& image, std::size_t offset, u64 value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) image[offset + i] = static_cast<u8>(value >> (8 * i));
}

u64 get(const std::vector<u8>& data, std::size_t offset, unsigned bytes) {
  u64 value = 0;
  for (unsigned i = 0; i < bytes; ++i) value |= u64{data.at(offset + i)} << (8 * i);
  return value;
}

// A bzImage with four setup sectors and 4000 bytes of protected-mode code.
std::vector<u8> bzimage(u16 protocol = 0x20f) {
  std::vector<u8> image(5 * 512 + 4000, 0x90);
  std::fill_n(image.begin(), 0x268, u8{0});
  put(image, 0x1f1, 4, 1);
  put(image, 0x1fe, 0xaa55, 2);
  put(image, 0x202, 0x53726448, 4);
  put(image, 0x206, protocol, 2);
  put(image, 0x211, 1, 1);
  put(image, 0x22c, 0x7fffffff, 4);
  put(image, 0x238, 2047, 4);
  put(image, 0x258, 0x1000000, 8);
  put(image, 0x260, 0x100000, 4);
  return image;
}

KernelRequest request(std::vector<u8> kernel, std::string append = {}, std::string initrd = {}) {
  return {.name = "vmlinuz",
          .kernel = std::move(kernel),
          .initrd = std::move(initrd),
          .append = std::move(append),
          .low_ram = kRam};
}

std::string error(const KernelRequest& wanted) {
  const auto plan = plan_boot(wanted);
  return plan ? "no error" : plan.error().message();
}

// ELF for i386 with one segment of 0x100 bytes at 0x200000 and, for PVH, a note.
std::vector<u8> elf(bool pvh = true) {
  TableWriter out;
  out.text(
         "\x7f"
         "ELF\x01\x01\x01",
         16)
      .word(2)
      .word(3)
      .dword(1)
      .dword(0xc0200010)
      .dword(52)
      .dword(0)
      .dword(0);
  out.word(52).word(32).word(2).word(40).word(0).word(0);
  out.dword(1)
      .dword(0x100)
      .dword(0xc0200000)
      .dword(0x200000)
      .dword(0x100)
      .dword(0x2000)
      .dword(7)
      .dword(4096);
  out.dword(4).dword(0xa0).dword(0).dword(0).dword(20).dword(20).dword(4).dword(4);
  out.zeroes(0xa0 - out.size());
  if (pvh) out.dword(4).dword(4).dword(18).text("Xen", 4).dword(0x200020);
  out.zeroes(0x200 - out.size());
  return out.data;
}

std::vector<u8> multiboot_elf() {
  auto image = elf(false);
  put(image, 0x180, 0x1badb002, 4);
  put(image, 0x184, 3, 4);
  put(image, 0x188, u32(-(0x1badb002 + 3)), 4);
  return image;
}

// By the header's own addresses: the header at 0x10 of the file, loaded to 0x100000.
std::vector<u8> multiboot() {
  std::vector<u8> image(0x400, 0x90);
  const u32 fields[] = {0x1badb002, 0x10000,  u32(-(0x1badb002 + 0x10000)),
                        0x100010,   0x100000, 0x100400,
                        0x101000,   0x100040};
  for (unsigned i = 0; i < 8; ++i) put(image, 0x10 + 4 * i, fields[i], 4);
  return image;
}

TEST(LinuxImage, IsSplitAtItsSetupCode) {
  const auto plan = plan_boot(request(bzimage()));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->rom, "linuxboot");
  EXPECT_EQ(plan->setup.address, 0x10000u);
  EXPECT_EQ(plan->setup.size, 5 * 512u);
  EXPECT_EQ(plan->kernel.address, 0x100000u);
  EXPECT_EQ(plan->kernel.size, 4000u);
  EXPECT_EQ(get(plan->setup.data, 0x210, 1), 0xb0u);
  EXPECT_EQ(get(plan->setup.data, 0x211, 1), 0x81u);
}

TEST(LinuxImage, FindsItsCommandLine) {
  const auto plan = plan_boot(request(bzimage(), "root=/dev/sda vga=0x317"));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(get(plan->setup.data, 0x228, 4), plan->cmdline.address);
  EXPECT_STREQ(reinterpret_cast<const char*>(plan->cmdline.data.data()), "root=/dev/sda vga=0x317");
  EXPECT_EQ(get(plan->setup.data, 0x1fa, 2), 0x317u);
}

TEST(LinuxImage, OfProtocol201HasItsCommandLineByOffset) {
  auto image = bzimage(0x201);
  put(image, 0x211, 0, 1);
  const auto plan = plan_boot(request(image, "x"));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->kernel.address, 0x10000u);
  EXPECT_EQ(plan->setup.address, 0x90000u);
  EXPECT_EQ(get(plan->setup.data, 0x20, 2), 0xa33fu);
  EXPECT_EQ(get(plan->setup.data, 0x22, 2), plan->cmdline.address - 0x90000u);
}

TEST(LinuxImage, InitrdLiesBelowTheEndOfMemory) {
  const TempFile initrd(10'000);
  const auto plan = plan_boot(request(bzimage(), "", initrd.path));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->initrd.address, kRam - kFirmwareReserve - 0x3000);
  EXPECT_EQ(get(plan->setup.data, 0x218, 4), plan->initrd.address);
  EXPECT_EQ(get(plan->setup.data, 0x21c, 4), 10'000u);
}

TEST(LinuxImage, InitrdRespectsTheKernelsLimit) {
  const TempFile initrd(4096);
  auto image = bzimage();
  put(image, 0x22c, 0x3ffffff, 4);
  const auto plan = plan_boot(request(image, "", initrd.path));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->initrd.address, 0x3fff000u);
}

TEST(LinuxImage, InitrdDoesNotReachIntoTheKernel) {
  const TempFile initrd(10'000);
  auto image = bzimage();
  put(image, 0x260, u32(kRam), 4);
  EXPECT_THAT(error(request(image, "", initrd.path)), HasSubstr("do not fit into memory behind"));
}

TEST(LinuxImage, CutOffInItsSetupCodeIsRefused) {
  auto image = bzimage();
  image.resize(5 * 512);
  EXPECT_THAT(error(request(image)), HasSubstr("-kernel vmlinuz: the image is cut off"));
}

TEST(LinuxImage, WithTooMuchSetupCodeIsRefused) {
  auto image = bzimage();
  image.resize(256 * KiB);
  put(image, 0x1f1, 255, 1);
  EXPECT_THAT(error(request(image)), HasSubstr("setup code has 131072 bytes"));
}

TEST(LinuxImage, LongerThanMemoryIsRefused) {
  auto image = bzimage();
  image.resize(2 * MiB);
  auto wanted = request(image);
  wanted.low_ram = 2 * MiB;
  EXPECT_THAT(error(wanted), HasSubstr("do not fit into memory"));
}

TEST(LinuxImage, TooLongCommandLinesAreRefused) {
  EXPECT_THAT(error(request(bzimage(), std::string(2048, 'x'))), EndsWith("at most 2047"));
  EXPECT_THAT(error(request(bzimage(0x205), std::string(256, 'x'))), EndsWith("at most 255"));
  auto image = bzimage();
  put(image, 0x238, 0xffffffff, 4);
  EXPECT_THAT(error(request(image, std::string(100'000, 'x'))), HasSubstr("-append"));
}

TEST(LinuxImage, WrongVideoModesAreRefused) {
  EXPECT_THAT(error(request(bzimage(), "vga=nope")), HasSubstr("-append vga=nope"));
}

TEST(MultibootImage, IsPlacedByItsHeader) {
  const auto plan = plan_boot(request(multiboot(), "a b"));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->rom, "multiboot");
  EXPECT_EQ(plan->kernel.address, 0x100000u);
  EXPECT_EQ(plan->kernel.size, 0x1000u);
  EXPECT_EQ(plan->kernel.data.size(), 0x400u);
  EXPECT_EQ(plan->entry, 0x100040u);
  const u64 text = get(plan->initrd.data, 16, 4) - plan->initrd.address;
  EXPECT_STREQ(reinterpret_cast<const char*>(&plan->initrd.data.at(text)), "vmlinuz a b");
}

TEST(MultibootImage, OfElfIsPlacedByItsProgramHeaders) {
  const auto plan = plan_boot(request(multiboot_elf()));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->kernel.address, 0x200000u);
  EXPECT_EQ(plan->kernel.size, 0x2000u);
  EXPECT_EQ(plan->entry, 0x200010u);
}

TEST(MultibootImage, ModulesLieOnPagesBehindIt) {
  const TempFile module(5000);
  const auto plan = plan_boot(request(multiboot(), "", module.path + "," + module.path + " x"));
  ASSERT_TRUE(plan) << plan.error().message();
  ASSERT_EQ(get(plan->initrd.data, 20, 4), 2u);
  const u64 list = get(plan->initrd.data, 24, 4) - plan->initrd.address;
  EXPECT_EQ(get(plan->initrd.data, list, 4), 0x101000u);
  EXPECT_EQ(get(plan->initrd.data, list + 4, 4), 0x101000u + 5000);
  EXPECT_EQ(get(plan->initrd.data, list + 16, 4), 0x103000u);
  EXPECT_EQ(plan->kernel.size, 0x3000u + 5000);
}

TEST(MultibootImage, InformationIsOutOfTheWayOfALowKernel) {
  auto image = multiboot();
  put(image, 0x10 + 12, 0x8010, 4);
  put(image, 0x10 + 16, 0x8000, 4);
  put(image, 0x10 + 20, 0x8400, 4);
  put(image, 0x10 + 24, 0xe000, 4);
  put(image, 0x10 + 28, 0x8040, 4);
  const auto plan = plan_boot(request(image));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->kernel.address, 0x8000u);
  EXPECT_GE(plan->initrd.address, 0xe000u);
  EXPECT_EQ(get(plan->initrd.data, 48, 4), plan->initrd.address + 0x80u);
}

TEST(MultibootImage, HeadersThatLieAreRefused) {
  auto image = multiboot();
  put(image, 0x10 + 12, 0x90000, 4);
  EXPECT_THAT(error(request(image)), HasSubstr("cannot be 0x90000"));
  image = multiboot();
  put(image, 0x10 + 20, 0x200000, 4);
  EXPECT_THAT(error(request(image)), HasSubstr("cut off"));
  image = multiboot();
  put(image, 0x10 + 24, 0xffffffff, 4);
  EXPECT_THAT(error(request(image)), HasSubstr("does not fit into memory"));
  image = multiboot();
  put(image, 0x10 + 28, 0x300000, 4);
  EXPECT_THAT(error(request(image)), HasSubstr("entry point"));
  image = multiboot();
  put(image, 0x10 + 12, 0x10, 4);
  put(image, 0x10 + 16, 0, 4);
  put(image, 0x10 + 20, 0x400, 4);
  put(image, 0x10 + 24, 0x400, 4);
  put(image, 0x10 + 28, 0x40, 4);
  EXPECT_THAT(error(request(image)), HasSubstr("wants to lie at 0x0"));
}

TEST(PvhImage, StartsAtItsNotesAddress) {
  const auto plan = plan_boot(request(elf(), "quiet"));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->rom, "pvh");
  EXPECT_EQ(plan->entry, 0x200020u);
  EXPECT_EQ(get(plan->initrd.data, 0, 4), 0x336ec578u);
  const u64 text = get(plan->initrd.data, 24, 8) - plan->initrd.address;
  EXPECT_STREQ(reinterpret_cast<const char*>(&plan->initrd.data.at(text)), "quiet");
}

TEST(ElfImage, SegmentsThatLieAreRefused) {
  auto image = elf();
  put(image, 52 + 4, 0x1f0, 4);
  EXPECT_THAT(error(request(image)), HasSubstr("cut off"));
  image = elf();
  put(image, 52 + 20, 0xffffffff, 4);
  EXPECT_THAT(error(request(image)), HasSubstr("does not fit into memory"));
  image = elf();
  put(image, 52 + 12, 0xffffff00, 4);
  EXPECT_THAT(error(request(image)), HasSubstr("does not fit into memory"));
  image = elf();
  put(image, 44, 0xffff, 2);
  EXPECT_THAT(error(request(image)), HasSubstr("neither a Linux bzImage"));
  image = elf();
  put(image, 52, 6, 4);
  EXPECT_THAT(error(request(image)), HasSubstr("nothing to load"));
}

// An ELF image of 11 MB whose 60,000 program headers of one type all name the most of it.
std::vector<u8> crowded_elf(u32 type) {
  constexpr u32 kHeaders = 60'000, kBytes = 11'000'000;
  auto image = elf(false);
  TableWriter headers;
  for (u32 n = 0; n < kHeaders; ++n)
    headers.dword(type)
        .dword(0x1000)
        .dword(0xc0200000)
        .dword(0x200000)
        .dword(kBytes - 0x1000)
        .dword(kBytes)
        .dword(7)
        .dword(4);
  put(image, 44, kHeaders, 2);
  image.resize(kBytes);
  std::ranges::copy(headers.data, image.begin() + 52);
  return image;
}

// Sizes and counts multiply: this was two minutes of searching and copying.
TEST(ElfImage, ManyHeadersOfTheSameBytesTakeNoTime) {
  using Steady = std::chrono::steady_clock;
  const auto start = Steady::now();
  EXPECT_THAT(error(request(crowded_elf(4))), HasSubstr("neither a Linux bzImage"));
  const auto crowded = crowded_elf(1);
  EXPECT_EQ(ElfImage::parse(crowded)->load(kRam).error().message(),
            "its segments overlap in the file");
  EXPECT_LT(Steady::now() - start, std::chrono::seconds(5));
}

// Whatever the bytes are, there is an answer; pieces stay inside memory.
TEST(KernelImages, DamagedOnesNeitherCrashNorLeaveMemory) {
  std::mt19937 random(7);
  const std::vector<u8> images[] = {bzimage(), multiboot(), multiboot_elf(), elf()};
  for (unsigned round = 0; round < 20'000; ++round) {
    auto image = images[round % 4];
    for (unsigned n = 0; n < 1 + round % 5; ++n)
      image[random() % std::min<std::size_t>(image.size(), 0x270)] = static_cast<u8>(random());
    if (round % 7 == 0) image.resize(random() % image.size());
    const auto plan = plan_boot(request(std::move(image)));
    if (!plan) continue;
    for (const BootPiece* piece : {&plan->kernel, &plan->initrd, &plan->cmdline, &plan->setup}) {
      EXPECT_LE(u64{piece->address} + piece->size, kRam);
      EXPECT_LE(piece->data.size(), piece->size);
    }
  }
}

TEST(KernelRoms, HaveTheirChecksumsAndBootEntry) {
  for (const std::string_view name : {"linuxboot", "multiboot", "pvh"}) {
    const auto rom = kernel_rom(name);
    EXPECT_EQ(get(rom, 0, 2), 0xaa55u);
    EXPECT_EQ(get(rom, 2, 1) * 512, rom.size());
    EXPECT_EQ(std::accumulate(rom.begin(), rom.end(), 0) & 0xff, 0);
    const auto pnp = static_cast<std::ptrdiff_t>(get(rom, 0x1a, 2));
    EXPECT_EQ(get(rom, pnp, 4), 0x506e5024u);
    EXPECT_EQ(std::accumulate(rom.begin() + pnp, rom.begin() + pnp + 32, 0) & 0xff, 0);
    EXPECT_NE(get(rom, pnp + 0x1a, 2), 0u);
  }
}

}  // namespace
}  // namespace rhea::hw
