// SPDX-License-Identifier: GPL-2.0-or-later
// Non-maskable interrupts: one in service, one latched.
#include "tests/jit/jit_guest.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rhea::test {
namespace {

/// The guest halts at once; its handler of NMIs writes to port 0x80.
class Nmis : public testing::Test {
 protected:
  Nmis() {
    constexpr u8 handler[] = {0xe6, 0x80, 0xcf};  // out 0x80, al; iret
    constexpr u8 vector[] = {0x00, 0x20, 0x00, 0x00};
    std::ranges::copy(handler, guest_.memory() + 0x2000);
    std::ranges::copy(vector, guest_.memory() + 2 * 4);
    guest_.load({0x90, 0xf4, 0xeb, 0xfd});  // nop; hlt; jmp $ - 1
    x86::CpuState state = this->state();
    state.apic_base &= ~u64{0x800};  // NMIs come straight to the processor
    set(state);
  }
  x86::CpuState state() {
    x86::CpuState state;
    EXPECT_TRUE(guest_.vcpu().get_state(state));
    return state;
  }
  void set(const x86::CpuState& state) { ASSERT_TRUE(guest_.vcpu().set_state(state)); }
  void inject() { guest_.vcpu().inject_nmi(); }
  /// How many the guest's handler has seen.
  std::size_t seen() {
    guest_.vcpu().run_briefly(1000);
    return guest_.written_count();
  }

  JitGuest guest_;
};

TEST_F(Nmis, OneIsTakenOnce) {
  inject();
  EXPECT_EQ(seen(), 1U);
}

TEST_F(Nmis, TwoAreTakenOneBehindTheOther) {
  inject();
  inject();
  EXPECT_EQ(seen(), 2U);
}

TEST_F(Nmis, MoreAreOneInServiceAndOneLatched) {
  inject();
  inject();
  inject();
  EXPECT_EQ(seen(), 2U);
}

TEST_F(Nmis, WhileOneIsInServiceOneIsLatched) {
  x86::CpuState masked = state();
  masked.events.nmi_masked = true;
  set(masked);
  inject();
  inject();
  EXPECT_EQ(seen(), 0U);
  x86::CpuState open = state();
  EXPECT_EQ(open.events.nmi_pending, 1);
  open.events.nmi_masked = false;
  set(open);
  EXPECT_EQ(seen(), 1U);
}

TEST_F(Nmis, BothAreOfTheState) {
  inject();
  inject();
  const x86::CpuState saved = state();
  EXPECT_EQ(saved.events.nmi_pending, 2);
  set(saved);
  EXPECT_EQ(seen(), 2U);
}

}  // namespace
}  // namespace rhea::test
