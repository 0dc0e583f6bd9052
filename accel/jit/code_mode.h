// SPDX-License-Identifier: GPL-2.0-or-later
// What code means beside its bytes, and where a processor's code lies.
#pragma once

#include "rhea/softmmu/ram_block.h"
#include "target/x86/cpu.h"
#include "target/x86/interp/step.h"
#include "target/x86/translate/translator.h"

#include <algorithm>

namespace rhea::jit {

/// What code means depends on this, beside its bytes: the code segment's size, whether instructions
/// of protected mode are there, and, since another privilege may not fetch here, CPL 3. One word,
/// because it is made for every block that is executed.
class CodeMode {
 public:
  /// What of the segments translated code relies on, outside 64-bit mode.
  struct Segments {
    bool flat_data{};   ///< DS, ES, SS
    bool flat_code{};   ///< CS
    bool wide_stack{};  ///< SS.B
  };
  static constexpr unsigned kBits = 7;

  CodeMode(unsigned code_bits, bool real_or_v86, bool user)
      : CodeMode(code_bits, real_or_v86, user, {}) {}
  CodeMode(unsigned code_bits, bool real_or_v86, bool user, Segments segments)
      : key_(code_bits >> 5 | (real_or_v86 ? 4U : 0U) | (user ? 8U : 0U) |
             (segments.flat_data ? 16U : 0U) | (segments.flat_code ? 32U : 0U) |
             (segments.wide_stack ? 64U : 0U)) {}
  Segments segments() const {
    return {.flat_data = (key_ & 16) != 0,
            .flat_code = (key_ & 32) != 0,
            .wide_stack = (key_ & 64) != 0};
  }
  u32 key() const { return key_; }
  u8 code_bits() const { return (key_ & 3) == 0 ? u8{16} : static_cast<u8>((key_ & 3) * 32); }
  bool real_or_v86() const { return (key_ & 4) != 0; }
  bool user() const { return (key_ & 8) != 0; }

 private:
  u32 key_;
};

inline CodeMode code_mode(const x86::Cpu& cpu) {
  const auto& seg = cpu.seg;
  if (cpu.long_mode()) return {64, false, cpu.cpl == 3};
  return {cpu.code_bits,
          cpu.mode <= x86::Mode::Virtual8086,
          cpu.cpl == 3,
          {.flat_data = seg[x86::Ds].flat && seg[x86::Es].flat && seg[x86::Ss].flat,
           .flat_code =
               seg[x86::Cs].base == 0 && seg[x86::Cs].limit == 0xffff'ffff && cpu.code_bits == 32,
           .wide_stack = seg[x86::Ss].db()}};
}

inline x86::translating::BlockMode block_mode(const CodeMode& mode) {
  const bool wide = mode.code_bits() == 64;
  const CodeMode::Segments segments = mode.segments();
  return {.code_bits = mode.code_bits(),
          .flat_data = wide || segments.flat_data,
          .flat_code = wide || segments.flat_code,
          .wide_stack = segments.wide_stack};
}

/// RIP of the first byte of its page.
inline u64 page_rip(const x86::Cpu& cpu) {
  return (cpu.rip() - (x86::linear_rip(cpu) & (kPageSize - 1))) & cpu.rip_mask;
}

/// Whether RIP neither leaves the code segment nor wraps within the page: only such code is
/// translated.
inline bool page_is_whole(const x86::Cpu& cpu) {
  if (cpu.long_mode()) return true;
  const u64 most =
      std::min<u64>(cpu.seg[x86::Cs].limit, cpu.code_bits == 16 ? 0xffff : 0xffff'ffff);
  return page_rip(cpu) + kPageSize - 1 <= most;
}

}  // namespace rhea::jit
