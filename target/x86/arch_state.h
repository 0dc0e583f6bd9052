// SPDX-License-Identifier: GPL-2.0-or-later
// What a program can see of a processor, as one value: to compare two ways of executing the same
// code, and to go back to where one began.
#pragma once

#include "target/x86/cpu.h"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace rhea::x86 {

/// All registers, and where the processor stands between two instructions. What only makes it
/// faster (TLBs, views) and what belongs to no instruction (requests of other threads) is not here.
struct ArchState {
  std::array<u64, 17> gpr{};             ///< RIP is the last
  u32 flags{};                           ///< the status flags
  u64 eflags{};                          ///< the others
  std::array<SegmentRegister, 8> seg{};  ///< LDTR and TR are the last
  std::array<DescriptorTable, 2> tables{};
  std::array<u64, 6> control{};  ///< CR0, CR2, CR3, CR4, EFER, XCR0
  std::array<u64, 4> pdpte{};
  std::array<u64, 6> debug{};
  u32 pkru{}, pkrs{}, mxcsr{};
  X87 x87;
  std::array<VectorRegister, 16> ymm{};
  std::map<u32, u64> msrs;
  std::array<u64, 11> other{};  ///< MSRs with members of their own
  u8 cpl{};
  bool smm{}, nmi_blocked{}, shadow{};
  Activity activity{};
  u64 pending_db{};

  static ArchState of(const Cpu& cpu);
  /// The processor is as it was at of(), if it has been in the same mode since: no TLB is touched.
  void put_back(Cpu& cpu) const;
  struct Name {
    std::string_view of;
    int number{-1};  ///< -1: there is just one
    std::string_view what{};
  };
  /// Every register as a number or some.
  void visit(const std::function<void(const Name&, u64 value)>& see) const;
};

/// Whether both processors have the same general registers and RIP: a quick look.
inline bool same_registers(const Cpu& a, const Cpu& b) {
  return std::memcmp(a.gpr.data(), b.gpr.data(), 17 * sizeof(u64)) == 0;
}
/// "RAX 0x1 0x2", one line a difference; empty: there is none.
std::string differences(const ArchState& a, const ArchState& b);

}  // namespace rhea::x86
