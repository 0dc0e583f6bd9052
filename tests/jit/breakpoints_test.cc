// SPDX-License-Identifier: GPL-2.0-or-later
// Breakpoints: the guest's own (debug registers) and a debugger's, and that they cost nothing where
// they are not.
#include "tests/jit/jit_guest.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rhea::test {
namespace {

using accel::SingleStep;
using x86::DebugStop;

constexpr u64 kCode = JitGuest::code_of(0);
constexpr unsigned kMany = 1'000'000;
/// Of DR7: breakpoint 0 on, for code or for four bytes of data.
constexpr u64 kOnCode = 0x2, kOnWrites = 0xd'0002, kOnAccesses = 0xf'0002;

/// Executes on the test's thread, from what load() set up.
class Breakpoints : public testing::Test {
 protected:
  void make(std::initializer_list<u8> code, const char* model = "qemu64") {
    guest_ = std::make_unique<JitGuest>(1, std::nullopt, model);
    guest_->load(code);
  }
  jit::JitVcpu& vcpu() { return guest_->vcpu(); }
  /// The guest's breakpoint 0.
  void set_breakpoint(u64 address, u64 dr7) {
    x86::CpuState state;
    ASSERT_TRUE(vcpu().get_state(state));
    state.dr[0] = address;
    state.dr7 = dr7;
    ASSERT_TRUE(vcpu().set_state(state));
  }
  /// A handler of #DB that writes the low byte of its return address to port 0x80 and takes the
  /// breakpoint away.
  void set_handler() {
    constexpr u8 code[] = {
        0x55,              // push bp
        0x89, 0xe5,        // mov bp, sp
        0x66, 0x50,        // push eax
        0x8a, 0x46, 0x02,  // mov al, [bp + 2]
        0xe6, 0x80,        // out 0x80, al
        0x66, 0x31, 0xc0,  // xor eax, eax
        0x0f, 0x23, 0xf8,  // mov dr7, eax
        0x66, 0x58,        // pop eax
        0x5d,              // pop bp
        0xcf,              // iret
    };
    constexpr u8 vector[] = {0x00, 0x20, 0x00, 0x00};
    std::ranges::copy(code, guest_->memory() + 0x2000);
    std::ranges::copy(vector, guest_->memory() + 4);
  }
  unsigned run() { return vcpu().run_briefly(kMany); }
  std::vector<u8> traps() {
    run();
    return guest_->written();
  }
  void stop_at(const x86::DebugStops& stops) { ASSERT_TRUE(vcpu().set_debug_stops(stops)); }
  /// Runs, and says why it stopped for a debugger.
  DebugStop stop() {
    run();
    const auto why = vcpu().take_debug_stop();
    EXPECT_TRUE(why.has_value());
    return why.value_or(DebugStop{});
  }
  u64 rip() { return vcpu().cpu().rip(); }
  JitGuest& guest() { return *guest_; }

 private:
  std::unique_ptr<JitGuest> guest_;
};

/// A thousand rounds of a block with a store.
constexpr std::initializer_list<u8> kLoop = {
    0xb9, 0xe8, 0x03,                    // mov cx, 1000
    0x90, 0x40, 0x40, 0x40, 0x40, 0x40,  // 3: nop; inc ax, five times
    0xa3, 0x00, 0x60,                    // 9: mov [0x6000], ax
    0x40, 0x40, 0x40, 0x40,              // 12: inc ax, four times
    0xe2, 0xf1,                          // 16: loop 3
    0xf4,                                // 18: hlt
};

TEST_F(Breakpoints, ThatAreElsewhereLeaveBlocksWhole) {
  make(kLoop);
  const unsigned without = run();
  make(kLoop);
  set_breakpoint(0x1800, kOnCode);
  EXPECT_EQ(run(), without);
  make(kLoop);
  set_breakpoint(0x7000, kOnWrites);
  EXPECT_EQ(run(), without);
  make(kLoop);
  stop_at({.code = {0x1800}, .watches = {{.first = 0x7000, .last = 0x7003, .writes = true}}});
  EXPECT_EQ(run(), without);
  EXPECT_EQ(vcpu().take_debug_stop().has_value(), false);
}

TEST_F(Breakpoints, OnCodeWithinABlockTrapBeforeIt) {
  make(kLoop);
  set_handler();
  set_breakpoint(kCode + 6, kOnCode);
  EXPECT_EQ(traps(), (std::vector<u8>{6}));
  EXPECT_EQ(vcpu().cpu().dr6 & 0xf, 1U);
}

TEST_F(Breakpoints, OnDataWithinABlockTrapBehindTheInstruction) {
  make(kLoop);
  set_handler();
  set_breakpoint(0x6000, kOnWrites);
  EXPECT_EQ(traps(), (std::vector<u8>{12}));
}

TEST_F(Breakpoints, OnDataOfAPageInTheTlbTrapToo) {
  make({
      0xa1, 0x00, 0x60,                    // mov ax, [0x6000]
      0xa3, 0x10, 0x60,                    // mov [0x6010], ax
      0x66, 0xb8, 0x00, 0x60, 0x00, 0x00,  // mov eax, 0x6000
      0x0f, 0x23, 0xc0,                    // mov dr0, eax
      0x66, 0xb8, 0x02, 0x00, 0x0f, 0x00,  // mov eax, 0xf0002
      0x0f, 0x23, 0xf8,                    // mov dr7, eax
      0x90,                                // nop
      0xa1, 0x00, 0x60,                    // 25: mov ax, [0x6000]
      0x90,                                // 28: nop
      0xf4,                                // hlt
  });
  set_handler();
  EXPECT_EQ(traps(), (std::vector<u8>{28}));
}

TEST_F(Breakpoints, OnPortsWithinABlockTrapBehindTheInstruction) {
  make({
      0x0f, 0x20, 0xe0,  // mov eax, cr4
      0x0c, 0x08,        // or al, 8 (DE)
      0x0f, 0x22, 0xe0,  // mov cr4, eax
      0x90,              // nop
      0xe4, 0x84,        // 9: in al, 0x84
      0x90,              // 11: nop
      0xf4,              // hlt
  });
  set_handler();
  set_breakpoint(0x84, 0x2'0002);
  EXPECT_EQ(traps(), (std::vector<u8>{11}));
}

constexpr std::initializer_list<u8> kLoadOfSs = {
    0x31, 0xc9,  // xor cx, cx
    0x8e, 0xd1,  // 2: mov ss, cx
    0x40, 0x40,  // 4: inc ax, twice
    0xf4,        // hlt
};

TEST_F(Breakpoints, BehindALoadOfTheStackSegmentAreMetOnAmd) {
  make(kLoadOfSs, "qemu64,vendor=AuthenticAMD");
  set_handler();
  set_breakpoint(kCode + 4, kOnCode);
  EXPECT_EQ(traps(), (std::vector<u8>{4}));
}

TEST_F(Breakpoints, BehindALoadOfTheStackSegmentAreNotMetOnIntel) {
  make(kLoadOfSs, "qemu64,vendor=GenuineIntel");
  set_handler();
  set_breakpoint(kCode + 4, kOnCode);
  EXPECT_EQ(traps(), (std::vector<u8>{}));
}

TEST_F(Breakpoints, TwoBehindALoadOfTheStackSegmentAreMetOnIntel) {
  make(kLoadOfSs, "qemu64,vendor=GenuineIntel");
  set_handler();
  set_breakpoint(kCode + 5, kOnCode);
  EXPECT_EQ(traps(), (std::vector<u8>{5}));
}

TEST_F(Breakpoints, BehindStiAreMetOnIntel) {
  make({0x31, 0xc9, 0x8e, 0xd1, 0x40,  // xor cx, cx; mov ss, cx; inc ax
        0xfb,                          // sti
        0x40, 0xf4},                   // 6: inc ax; hlt
       "qemu64,vendor=GenuineIntel");
  set_handler();
  set_breakpoint(kCode + 6, kOnCode);
  EXPECT_EQ(traps(), (std::vector<u8>{6}));
}

TEST_F(Breakpoints, OfADebuggerOnCodeStopBeforeIt) {
  make(kLoop);
  stop_at({.code = {kCode + 16, kCode + 7}});
  DebugStop why = stop();
  EXPECT_EQ(why.why, DebugStop::Why::Code);
  EXPECT_EQ(why.address, kCode + 7);
  EXPECT_EQ(rip(), kCode + 7);
  EXPECT_EQ(stop().address, kCode + 7);
  EXPECT_EQ(vcpu().cpu().dr6 & 0xf, 0U);
}

TEST_F(Breakpoints, OfADebuggerAreSteppedOver) {
  make(kLoop);
  stop_at({.code = {kCode + 7}});
  stop();
  ASSERT_TRUE(vcpu().set_single_step(SingleStep::On));
  EXPECT_EQ(stop().why, DebugStop::Why::Step);
  EXPECT_EQ(rip(), kCode + 8);
  ASSERT_TRUE(vcpu().set_single_step(SingleStep::Off));
  EXPECT_EQ(stop().why, DebugStop::Why::Code);
  EXPECT_EQ(vcpu().cpu().gpr[x86::Rcx], 999U);
}

TEST_F(Breakpoints, OfADebuggerOnDataStopBehindTheInstruction) {
  make(kLoop);
  const x86::WatchedRange watch{.first = 0x6001, .last = 0x6008, .writes = true};
  stop_at({.watches = {watch}});
  const DebugStop why = stop();
  EXPECT_EQ(why.why, DebugStop::Why::Watch);
  EXPECT_EQ(why.address, 0x6001U);
  EXPECT_EQ(why.watch, watch);
  EXPECT_EQ(rip(), kCode + 12);
  stop_at({});
  run();
  EXPECT_EQ(vcpu().take_debug_stop().has_value(), false);
  EXPECT_EQ(rip(), kCode + 19);
}

TEST_F(Breakpoints, OfADebuggerOnReadsDoNotStopAtWrites) {
  make({0xa3, 0x00, 0x60,        // mov [0x6000], ax
        0xff, 0x06, 0x00, 0x60,  // 3: inc word [0x6000]
        0x40, 0xf4});            // 7: inc ax; hlt
  stop_at({.watches = {{.first = 0x6000, .last = 0x6000, .reads = true}}});
  EXPECT_EQ(stop().why, DebugStop::Why::Watch);
  EXPECT_EQ(rip(), kCode + 7);
}

TEST_F(Breakpoints, SteppingShowsWhereAnExceptionLeads) {
  make({0x40, 0x0f, 0x0b});  // inc ax; ud2
  constexpr u8 vector[] = {0x34, 0x12, 0x00, 0x00};
  std::ranges::copy(vector, guest().memory() + 6 * 4);
  ASSERT_TRUE(vcpu().set_single_step(SingleStep::On));
  stop();
  EXPECT_EQ(rip(), kCode + 1);
  EXPECT_EQ(stop().why, DebugStop::Why::Step);
  EXPECT_EQ(rip(), 0x1234U);
}

class SteppedInterrupts : public Breakpoints {
 protected:
  void make_pending() {
    make({0xfb, 0x40, 0x40, 0x40, 0xf4});  // sti; inc ax, three times; hlt
    constexpr u8 vector[] = {0x34, 0x12, 0x00, 0x00};
    std::ranges::copy(vector, guest().memory() + 2 * 4);
    stop_at({.code = {kCode + 2}});
    stop();
    stop_at({});
    x86::CpuState state;
    ASSERT_TRUE(vcpu().get_state(state));
    state.apic_base &= ~u64{0x800};  // NMIs come straight to the processor
    ASSERT_TRUE(vcpu().set_state(state));
    vcpu().inject_nmi();
  }
};

TEST_F(SteppedInterrupts, SteppingShowsWhereTheyLead) {
  make_pending();
  ASSERT_TRUE(vcpu().set_single_step(SingleStep::On));
  stop();
  EXPECT_EQ(rip(), 0x1234U);
}

TEST_F(SteppedInterrupts, SteppingMayHoldThemUntilItEnds) {
  make_pending();
  ASSERT_TRUE(vcpu().set_single_step(SingleStep::HoldingInterrupts));
  stop();
  EXPECT_EQ(rip(), kCode + 3);
  ASSERT_TRUE(vcpu().set_single_step(SingleStep::On));
  stop();
  EXPECT_EQ(rip(), 0x1234U);
}

}  // namespace
}  // namespace rhea::test
