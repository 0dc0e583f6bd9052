// SPDX-License-Identifier: GPL-2.0-or-later
// A processor's TLBs: what voids how much of them.
#include "target/x86/cpu.h"

namespace rhea::x86 {

void Cpu::update_views() {
  view = tlb.view(privilege);
  system_view = tlb.view(Privilege::Supervisor);
}

SpaceRoot Cpu::space() const {
  const bool pointers = !lma() && (cr4 & cr4::kPae) != 0;
  return {.cr3 = cr3, .pointers = pointers ? pdpte : std::array<u64, 4>{}};
}

void Cpu::flush_tlb() {
  tlb.forget();
  update_views();
  leave_block = true;
}

void Cpu::load_space(bool keep) {
  tlb.load({.root = space(), .keep = keep, .pkru = pkru, .pkrs = pkrs});
  update_views();
  leave_block = true;
}

void Cpu::invalidate_tlb(bool global) {
  tlb.invalidate(global);
  update_views();
  leave_block = true;
}

void Cpu::flush_tlb_page(u64 linear) {
  tlb.invalidate_page(linear);
  leave_block = true;
}

void Cpu::flush_tlb_data() {
  tlb.drop_data();
  update_views();
}

void Cpu::watch_linear_page(u64 linear) {
  tlb.forget_page(linear);
  leave_block = true;
}

}  // namespace rhea::x86
