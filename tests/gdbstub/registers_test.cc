// SPDX-License-Identifier: GPL-2.0-or-later
// A debugger reads and writes registers, in all modes.
#include "target/x86/registers.h"

#include "gdbstub/hex.h"
#include "tests/gdbstub/debug_bench.h"

#include <gmock/gmock.h>

#include <bit>
#include <cstring>
#include <map>
#include <sstream>

namespace rhea::test {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Place {
  unsigned number{}, bits{}, offset{};
};

class GdbRegisters : public DebugBench {
 protected:
  std::string description() {
    std::string xml;
    std::string answer = "m";
    while (answer.starts_with('m')) {
      answer = ask(fmt::format("qXfer:features:read:target.xml:{:x},400", xml.size()));
      xml += answer.substr(1);
    }
    return xml;
  }
  /// By name, as the description has them.
  std::map<std::string, Place> places() {
    std::map<std::string, Place> all;
    std::istringstream lines(description());
    Place next;
    for (std::string line; std::getline(lines, line);) {
      const auto value = [&](const std::string& key) {
        const auto at = line.find(key + "=\"") + key.size() + 2;
        return line.substr(at, line.find('"', at) - at);
      };
      if (!line.starts_with("<reg ")) continue;
      next.bits = static_cast<unsigned>(std::stoul(value("bitsize")));
      all[value("name")] = next;
      ++next.number;
      next.offset += next.bits / 8;
    }
    return all;
  }
  std::string get(const std::string& name) {
    return ask(fmt::format("p{:x}", places().at(name).number));
  }
  std::string set(const std::string& name, const std::string& value) {
    return ask(fmt::format("P{:x}={}", places().at(name).number, value));
  }
  void enter_protected() {
    cpu().state.cr0 |= x86::cr0::kPe;
    cpu().state.segment[x86::Cs] = {.selector = 8,
                                    .limit = 0xffffffff,
                                    .type = 11,
                                    .s = true,
                                    .present = true,
                                    .db = true,
                                    .g = true};
    cpu().state.segment[x86::Ss] = {.selector = 16,
                                    .limit = 0xffffffff,
                                    .type = 3,
                                    .s = true,
                                    .present = true,
                                    .db = true,
                                    .g = true};
    cpu().state.gdtr = {.base = 0x1000, .limit = 0x2f};
  }
  void enter_long() {
    enter_protected();
    cpu().state.cr0 |= x86::cr0::kPg;
    cpu().state.cr4 |= x86::cr4::kPae;
    cpu().state.efer |= x86::efer::kLme | x86::efer::kLma;
    cpu().state.segment[x86::Cs].l = true;
    cpu().state.segment[x86::Cs].db = false;
  }
  template <class T>
  void put(std::size_t offset, T value) {
    std::memcpy(&cpu().state.xsave[offset], &value, sizeof value);
  }
};

TEST_F(GdbRegisters, AreThoseOfTheModeAtConnect) {
  EXPECT_THAT(description(), HasSubstr("<architecture>i8086</architecture>"));
  enter_protected();
  reconnect();
  EXPECT_THAT(description(), HasSubstr("<architecture>i386</architecture>"));
  enter_long();
  reconnect();
  EXPECT_THAT(description(), HasSubstr("<architecture>i386:x86-64</architecture>"));
}

TEST_F(GdbRegisters, KeepTheirLayoutWhileConnected) {
  const std::string before = description();
  enter_long();
  EXPECT_EQ(description(), before);
  EXPECT_EQ(get("eip"), "f0ff0000");
}

TEST_F(GdbRegisters, MayBeAskedForInAnotherLayout) {
  layout_ = gdbstub::Layout::X86_64;
  reconnect();
  EXPECT_THAT(description(), HasSubstr("<architecture>i386:x86-64</architecture>"));
  EXPECT_THAT(description(), Not(HasSubstr("\"eax\"")));
}

// Whoever debugs a 64-bit kernel from its first instruction on.
TEST_F(GdbRegisters, Of64BitsAreThereInEveryLayout) {
  const auto all = places();
  EXPECT_TRUE(all.contains("eax"));
  EXPECT_TRUE(all.contains("rax"));
  EXPECT_TRUE(all.contains("r15"));
  EXPECT_TRUE(all.contains("rip"));
}

TEST_F(GdbRegisters, ComeAllAtOnceInTheOrderOfTheDescription) {
  cpu().state.gpr[x86::Rbx] = 0x1122334455667788;
  const auto all = places();
  const std::string g = ask("g");
  std::size_t bytes = 0;
  for (const auto& [name, place] : all) bytes += place.bits / 8;
  EXPECT_EQ(g.size(), 2 * bytes);
  EXPECT_EQ(g.substr(2 * all.at("ebx").offset, 8), "88776655");
  EXPECT_EQ(g.substr(2 * all.at("rbx").offset, 16), "8877665544332211");
  EXPECT_EQ(g.substr(2 * all.at("cs").offset, 8), "00f00000");
  EXPECT_EQ(g.substr(2 * all.at("cs_base").offset, 16), "00000f0000000000");
}

TEST_F(GdbRegisters, OfTheProcessorThatWasChosen) {
  cpu(1).state.gpr[x86::Rax] = 0x99;
  EXPECT_EQ(get("eax"), "00000000");
  EXPECT_EQ(ask("Hgp1.2"), "OK");
  EXPECT_EQ(get("eax"), "99000000");
}

TEST_F(GdbRegisters, AreWrittenOneByOne) {
  EXPECT_EQ(set("ecx", "78563412"), "OK");
  EXPECT_EQ(cpu().state.gpr[x86::Rcx], 0x12345678U);
  EXPECT_EQ(set("eip", "007c0000"), "OK");
  EXPECT_EQ(cpu().state.rip, 0x7c00U);
  EXPECT_EQ(set("eflags", "ffffffff"), "OK");
  EXPECT_EQ(cpu().state.rflags, 0x3f7fd7U);
  EXPECT_EQ(set("cr2", "1122334455667788"), "OK");
  EXPECT_EQ(cpu().state.cr2, 0x8877665544332211U);
}

TEST_F(GdbRegisters, AreWrittenAllAtOnce) {
  const auto all = places();
  std::string g = ask("g");
  g.replace(2 * all.at("esi").offset, 8, "11000000");
  g.replace(2 * all.at("r9").offset, 16, "2200000000000000");
  EXPECT_EQ(ask("G" + g), "OK");
  EXPECT_EQ(cpu().state.gpr[x86::Rsi], 0x11U);
  EXPECT_EQ(cpu().state.gpr[x86::R9], 0x22U);
  EXPECT_EQ(ask("G" + g.substr(2)), "E16");
  EXPECT_EQ(ask("G" + g + "00"), "E16");
  EXPECT_EQ(ask("G"), "E16");
}

TEST_F(GdbRegisters, RefuseWhatNoProcessorHas) {
  EXPECT_EQ(set("cr0", "0000008000000000"), "E16");  // paging in real mode
  EXPECT_EQ(set("cr0", "0000000001000000"), "E16");
  EXPECT_EQ(set("cr4", "0000000000000080"), "E16");
  EXPECT_EQ(set("cr8", "1000000000000000"), "E16");
  EXPECT_EQ(set("efer", "0000000000000080"), "E16");
  EXPECT_EQ(set("rip", "0000000001000000"), "E16");
  EXPECT_EQ(set("cs_base", "0000000001000000"), "E16");
  EXPECT_EQ(set("fs_base", "0000000000000080"), "E16");
  EXPECT_EQ(set("mxcsr", "00000100"), "E16");
  EXPECT_EQ(cpu().state.cr0, x86::cr0::kEt);
}

TEST_F(GdbRegisters, ThatDoNotExistAreRefused) {
  EXPECT_EQ(ask("pffff"), "E16");
  EXPECT_EQ(ask("p"), "E16");
  EXPECT_EQ(ask("Pffff=00"), "E16");
  EXPECT_EQ(ask("P0"), "E16");
  EXPECT_EQ(ask("P0=0"), "E16");
  EXPECT_EQ(ask("P0=001122334455667788"), "E16");
}

TEST_F(GdbRegisters, LongModeFollowsFromControlRegisters) {
  enter_long();
  EXPECT_EQ(set("cr0", "1100000000000000"), "OK");
  EXPECT_EQ(cpu().state.efer & x86::efer::kLma, 0U);
}

TEST_F(GdbRegisters, SegmentsOfRealModeAreLoadedWithTheirBase) {
  EXPECT_EQ(set("ds", "34120000"), "OK");
  EXPECT_EQ(cpu().state.segment[x86::Ds].base, 0x12340U);
  EXPECT_EQ(set("ds", "34120100"), "E16");
}

TEST_F(GdbRegisters, SegmentsOfProtectedModeAreLoadedFromDescriptors) {
  enter_protected();
  bench_.store(0x1018, 0x00cf93005678ffff, 8);  // writable data at 5678h
  bench_.store(0x1020, 0x00cf9b0000001234, 8);  // code
  EXPECT_EQ(set("es", "18000000"), "OK");
  EXPECT_EQ(cpu().state.segment[x86::Es].base, 0x5678U);
  EXPECT_EQ(cpu().state.segment[x86::Es].limit, 0xffffffffU);
  EXPECT_EQ(set("cs", "20000000"), "OK");
  EXPECT_EQ(cpu().state.segment[x86::Cs].limit, 0xf1234fffU);
  EXPECT_EQ(set("gs", "00000000"), "OK");
  EXPECT_EQ(set("ss", "20000000"), "E16");  // code
  EXPECT_EQ(set("cs", "18000000"), "E16");  // data
  EXPECT_EQ(set("cs", "23000000"), "E16");  // another level
  EXPECT_EQ(set("ds", "28000000"), "E16");  // not present
  EXPECT_EQ(set("ds", "30000000"), "E16");  // past the table
  EXPECT_EQ(set("ds", "1c000000"), "E16");  // no local table
}

TEST_F(GdbRegisters, KernelGsBaseIsTheMsr) {
  cpu().state.msrs = {{.index = 0xc0000102, .value = 0x1234}};
  EXPECT_EQ(get("k_gs_base"), "3412000000000000");
  EXPECT_EQ(set("k_gs_base", "0000000080ffffff"), "OK");
  EXPECT_EQ(cpu().state.msrs[0].value, 0xffffff8000000000U);
}

TEST_F(GdbRegisters, OfTheFpuHaveInitialValuesUntilUsed) {
  EXPECT_EQ(get("fctrl"), "7f030000");
  EXPECT_EQ(get("ftag"), "ffff0000");
  EXPECT_EQ(get("st0"), "00000000000000000000");
  EXPECT_EQ(set("xmm3", "0102030405060708090a0b0c0d0e0f10"), "OK");
  EXPECT_EQ(get("xmm3"), "0102030405060708090a0b0c0d0e0f10");
  EXPECT_EQ(get("xmm4"), "00000000000000000000000000000000");
  EXPECT_EQ(cpu().state.xsave[512], 2);
}

TEST_F(GdbRegisters, FullTagsFollowFromTheContents) {
  put(512, u64{1});
  put(2, u16{6 << 11});   // TOP is 6
  put(4, u8{0xe0});       // registers 5, 6, 7 are used
  put(32, u64{1} << 63);  // ST0, register 6: 1.0
  put(40, u16{0x3fff});
  put(48 + 8, u16{0});             // ST1, register 7: 0
  put(32 + 16 * 7, u64{1} << 63);  // ST7, register 5: infinity
  put(32 + 16 * 7 + 8, u16{0x7fff});
  EXPECT_EQ(get("ftag"), "ff4b0000");
  EXPECT_EQ(get("st0"), "0000000000000080ff3f");
  EXPECT_EQ(set("ftag", "ffff0000"), "OK");
  EXPECT_EQ(cpu().state.xsave[4], 0);
}

TEST_F(GdbRegisters, OfVectorsAreThereWhereTheProcessorHasThem) {
  EXPECT_FALSE(places().contains("ymm0h"));
  EXPECT_FALSE(places().contains("k0"));
  cpu().offsets = {.ymm_high = 576, .opmask = 832, .zmm_high = 896, .high_zmm = 1408, .pkru = 2432};
  cpu().state.xsave.resize(2440);
  put(512, ~u64{0});
  put(576 + 16 * 15, u64{0x11});
  put(832 + 8 * 7, u64{0x22});
  put(896 + 32 * 3, u64{0x33});
  put(1408 + 64 * 15, u64{0x44});
  put(1408 + 64 * 15 + 16, u64{0x55});
  put(1408 + 64 * 15 + 32, u64{0x66});
  put(2432, u32{0x77});
  reconnect();
  const std::string zeros(48, '0');
  EXPECT_EQ(get("ymm15h"), "11" + zeros.substr(0, 30));
  EXPECT_EQ(get("k7"), "2200000000000000");
  EXPECT_EQ(get("zmm3h"), "33" + zeros + zeros.substr(0, 14));
  EXPECT_EQ(get("xmm31"), "44" + zeros.substr(0, 30));
  EXPECT_EQ(get("ymm31h"), "55" + zeros.substr(0, 30));
  EXPECT_EQ(get("zmm31h"), "66" + zeros + zeros.substr(0, 14));
  EXPECT_EQ(get("pkru"), "77000000");
  EXPECT_EQ(set("k7", "0100000000000000"), "OK");
  EXPECT_EQ(cpu().state.xsave[832 + 56], 1);
}

TEST_F(GdbRegisters, TheTimeStampCounterIsNotTouched) {
  cpu().state.msrs = {{.index = 0x10, .value = 5}, {.index = 0xc0000102, .value = 6}};
  EXPECT_EQ(set("eax", "01000000"), "OK");
  EXPECT_EQ(cpu().state.msrs, (std::vector<x86::Msr>{{.index = 0xc0000102, .value = 6}}));
}

}  // namespace
}  // namespace rhea::test
