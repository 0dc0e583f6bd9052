// SPDX-License-Identifier: GPL-2.0-or-later
// Writes of control registers: reserved bits, the way into long mode and out of it, TLB flushes.
#include "target/x86/system/control.h"

#include "target/x86/paging.h"

#include <array>

namespace rhea::x86::system {
namespace {

constexpr u64 kCr0Bits = cr0::kPe | cr0::kMp | cr0::kEm | cr0::kTs | cr0::kEt | cr0::kNe |
                         cr0::kWp | cr0::kAm | cr0::kNw | cr0::kCd | cr0::kPg;
constexpr unsigned kBusyTss16Type = 3;

void require(bool condition) {
  if (!condition) raise(Vector::Gp, 0);
}

/// Paging goes on while EFER.LME is set: IA-32e mode begins.
void check_long_mode_entry(const Cpu& cpu) {
  require((cpu.cr4 & cr4::kPae) != 0);
  require(!cpu.seg[Cs].l());
  require(cpu.tr.unusable || cpu.tr.type() != kBusyTss16Type);
}

void check_cr0(const Cpu& cpu, u64 value) {
  require(value >> 32 == 0);
  require((value & cr0::kPg) == 0 || (value & cr0::kPe) != 0);
  require((value & cr0::kNw) == 0 || (value & cr0::kCd) != 0);
  const bool on = (value & cr0::kPg) != 0;
  if (on && !cpu.paging() && (cpu.efer & efer::kLme) != 0) check_long_mode_entry(cpu);
  if (!on && cpu.paging()) {
    require(!cpu.long_mode());
    require((cpu.cr4 & cr4::kPcide) == 0);
  }
}

bool uses_pdptes(const Cpu& cpu, u64 cr0, u64 cr4) {
  return (cr0 & cr0::kPg) != 0 && (cr4 & cr4::kPae) != 0 && (cpu.efer & efer::kLme) == 0;
}

}  // namespace

void write_cr0(Cpu& cpu, u64 value) {
  check_cr0(cpu, value);
  value = (value & kCr0Bits) | cr0::kEt;
  const u64 changed = cpu.cr0 ^ value;
  constexpr u64 kReloads = cr0::kPg | cr0::kCd | cr0::kNw;
  if ((changed & kReloads) != 0 && uses_pdptes(cpu, value, cpu.cr4))
    require(load_pdptes(cpu, cpu.cr3));
  cpu.cr0 = value;
  if ((changed & cr0::kPg) != 0 && (cpu.efer & efer::kLme) != 0)
    cpu.efer = (value & cr0::kPg) != 0 ? cpu.efer | efer::kLma : cpu.efer & ~efer::kLma;
  if ((changed & (cr0::kPg | cr0::kWp | cr0::kPe)) != 0) cpu.flush_tlb();
  if ((changed & cr0::kPe) != 0) cpu.cpl = 0;
  cpu.update_mode();
  cpu.leave_block = true;
}

void write_cr3(Cpu& cpu, u64 value) {
  bool keep = false;
  if (cpu.lma()) {
    if ((cpu.cr4 & cr4::kPcide) != 0) {
      keep = value >> 63 != 0;
      value &= ~(u64{1} << 63);
    }
    require((value & ~cpu.model->physical_mask()) == 0);
  } else {
    value &= 0xffff'ffff;
    if (uses_pdptes(cpu, cpu.cr0, cpu.cr4)) require(load_pdptes(cpu, value));
  }
  cpu.cr3 = value;
  cpu.load_space(keep);
}

u64 cr4_bits(const CpuModel& model) {
  struct Row {
    Feature feature;
    u64 bits;
  };
  static constexpr std::array kRows = {
      Row{Feature::Vme, cr4::kVme | cr4::kPvi},
      Row{Feature::Tsc, cr4::kTsd},
      Row{Feature::De, cr4::kDe},
      Row{Feature::Pse, cr4::kPse},
      Row{Feature::Pae, cr4::kPae},
      Row{Feature::Mce, cr4::kMce},
      Row{Feature::Pge, cr4::kPge},
      Row{Feature::Fxsr, cr4::kOsfxsr},
      Row{Feature::Sse, cr4::kOsxmmexcpt},
      Row{Feature::Umip, cr4::kUmip},
      Row{Feature::La57, cr4::kLa57},
      Row{Feature::Fsgsbase, cr4::kFsgsbase},
      Row{Feature::Pcid, cr4::kPcide},
      Row{Feature::Xsave, cr4::kOsxsave},
      Row{Feature::Smep, cr4::kSmep},
      Row{Feature::Smap, cr4::kSmap},
      Row{Feature::Pku, cr4::kPke},
      Row{Feature::Pks, cr4::kPks},
  };
  u64 bits = cr4::kPce;
  for (const Row& row : kRows)
    if (model.has(row.feature)) bits |= row.bits;
  return bits;
}

void write_cr4(Cpu& cpu, u64 value) {
  require((value & ~cr4_bits(*cpu.model)) == 0);
  const u64 changed = cpu.cr4 ^ value;
  if (cpu.lma()) require((value & cr4::kPae) != 0 && (changed & cr4::kLa57) == 0);
  if ((changed & value & cr4::kPcide) != 0) require(cpu.lma() && (cpu.cr3 & 0xfff) == 0);
  constexpr u64 kReloads = cr4::kPae | cr4::kPge | cr4::kPse | cr4::kSmep;
  if ((changed & kReloads) != 0 && uses_pdptes(cpu, cpu.cr0, value))
    require(load_pdptes(cpu, cpu.cr3));
  cpu.cr4 = value;
  // Some change what tables mean, others only void what was made from them.
  constexpr u64 kMeanings =
      cr4::kPse | cr4::kPae | cr4::kSmep | cr4::kSmap | cr4::kLa57 | cr4::kPke | cr4::kPks;
  if ((changed & kMeanings) != 0)
    cpu.flush_tlb();
  else if ((changed & (cr4::kPge | cr4::kPcide)) != 0)
    cpu.invalidate_tlb(true);
  cpu.update_mode();
  cpu.leave_block = true;
}

bool write_efer(Cpu& cpu, u64 value) {
  u64 allowed = efer::kLma;
  if (cpu.has(Feature::Syscall)) allowed |= efer::kSce;
  if (cpu.has(Feature::Lm)) allowed |= efer::kLme;
  if (cpu.has(Feature::Nx)) allowed |= efer::kNxe;
  if (cpu.has(Feature::FxsrOpt)) allowed |= efer::kFfxsr;
  if ((value & ~allowed) != 0) return false;
  const u64 changed = cpu.efer ^ value;
  if ((changed & efer::kLme) != 0 && cpu.paging()) return false;
  cpu.efer = (value & ~efer::kLma) | (cpu.efer & efer::kLma);
  if ((changed & efer::kNxe) != 0) cpu.flush_tlb();
  cpu.leave_block = true;
  return true;
}

u64 xcr0_bits(const CpuModel& model) {
  u64 bits = 1;
  if (model.has(Feature::Sse)) bits |= 2;
  if (model.has(Feature::Avx)) bits |= 4;
  if (model.has(Feature::Pku)) bits |= 0x200;
  return bits;
}

}  // namespace rhea::x86::system
