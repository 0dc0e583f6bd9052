// SPDX-License-Identifier: GPL-2.0-or-later
// FXSAVE, FXRSTOR, XSAVE, XSAVEOPT, XSAVEC and XRSTOR (SDM vol. 1, chapters 10.5 and 13).
#include "target/x86/interp/bind.h"
#include "target/x86/interp/vector_state.h"
#include "target/x86/interp/xsave_area.h"
#include "target/x86/system/protection_keys.h"

namespace rhea::x86::interp {
namespace {

PointerFormat pointer_format(const Insn& insn) {
  return insn.has(kRexW) ? PointerFormat::Wide : PointerFormat::Selectors;
}

/// Outside 64-bit mode XMM8 to XMM15 are neither saved nor loaded.
unsigned register_count(const Cpu& cpu) { return cpu.long_mode() ? 16 : 8; }

u64 aligned_operand(const Cpu& cpu, const Insn& insn, unsigned alignment) {
  const u64 offset = cpu.effective_address(insn);
  const u64 base = cpu.long_mode() && insn.seg < Fs ? 0 : cpu.seg[insn.seg].base;
  if (((base + offset) & (alignment - 1)) != 0) raise(Vector::Gp, 0);
  return offset;
}

/// FXSAVE and FXRSTOR leave the XMM registers out while the system does not save them, and where
/// EFER.FFXSR asks for it (AMD APM vol. 2, 11.4.4.3).
bool fxsave_has_xmm(const Cpu& cpu) {
  const bool fast = (cpu.efer & efer::kFfxsr) != 0 && cpu.long_mode() && cpu.cpl == 0;
  return (cpu.cr4 & cr4::kOsfxsr) != 0 && !fast;
}

void fxsave(Cpu& cpu, const Insn& insn) {
  check_x87_no_wait(cpu);
  const u64 offset = aligned_operand(cpu, insn, 16);
  FxsaveImage image;
  save_x87(cpu.x87, pointer_format(insn), image);
  image.mxcsr = cpu.mxcsr;
  image.mxcsr_mask = kMxcsrMask;
  const unsigned registers = fxsave_has_xmm(cpu) ? register_count(cpu) : 0;
  save_xmm(cpu, registers, image);
  cpu.probe_write(insn.seg, offset, sizeof image);
  cpu.write_bytes(insn.seg, offset, &image, offsetof(FxsaveImage, xmm) + 16 * registers);
}

void fxrstor(Cpu& cpu, const Insn& insn) {
  check_x87_no_wait(cpu);
  const u64 offset = aligned_operand(cpu, insn, 16);
  FxsaveImage image;
  cpu.read_bytes(insn.seg, offset, &image, sizeof image);
  const bool sse = (cpu.cr4 & cr4::kOsfxsr) != 0;
  if (sse && (image.mxcsr & ~kMxcsrMask) != 0) raise(Vector::Gp, 0);
  load_x87(cpu.x87, pointer_format(insn), image);
  if (sse) cpu.mxcsr = image.mxcsr;
  if (fxsave_has_xmm(cpu)) load_xmm(cpu, register_count(cpu), image);
}

// ---- XSAVE.

void check_xsave(const Cpu& cpu) {
  if ((cpu.cr4 & cr4::kOsxsave) == 0) raise(Vector::Ud);
  if ((cpu.cr0 & cr0::kTs) != 0) raise(Vector::Nm);
}

/// The requested-feature bitmap.
u64 requested(const Cpu& cpu) {
  const u64 mask = (cpu.gpr[Rdx] << 32) | (cpu.gpr[Rax] & 0xffff'ffff);
  return mask & cpu.xcr0 & xstate::kAll;
}

/// PKRU lies behind AVX, or in its place where the format is compacted and AVX is left out.
unsigned pkru_offset(u64 xcomp_bv) {
  const bool moved = (xcomp_bv & xstate::kCompacted) != 0 && (xcomp_bv & xstate::kAvx) == 0;
  return moved ? kXsaveAvx : kXsavePkru;
}

/// Writes the parts of `area` that belong to `components`, and MXCSR if that is among them.
struct Writer {
  Cpu& cpu;
  const Insn& insn;
  u64 offset;
  XsaveArea& area;

  void part(size_t at, size_t size) const {
    cpu.write_bytes(insn.seg, offset + at, reinterpret_cast<const u8*>(&area) + at,
                    static_cast<unsigned>(size));
  }
  void components(u64 saved, bool with_mxcsr) const {
    const unsigned registers = register_count(cpu);
    if ((saved & xstate::kX87) != 0) {
      save_x87(cpu.x87, pointer_format(insn), area.legacy);
      part(0, offsetof(FxsaveImage, mxcsr));
      part(offsetof(FxsaveImage, st), sizeof area.legacy.st);
    }
    if (with_mxcsr) {
      area.legacy.mxcsr = cpu.mxcsr;
      area.legacy.mxcsr_mask = kMxcsrMask;
      part(offsetof(FxsaveImage, mxcsr), 8);
    }
    if ((saved & xstate::kSse) != 0) {
      save_xmm(cpu, registers, area.legacy);
      part(offsetof(FxsaveImage, xmm), 16 * registers);
    }
    if ((saved & xstate::kAvx) != 0) {
      save_ymm_high(cpu, registers, area);
      part(kXsaveAvx, 16 * registers);
    }
    if ((saved & xstate::kPkru) != 0)
      cpu.write<u64>(insn.seg, offset + pkru_offset(area.xcomp_bv), cpu.pkru);
  }
};

u64 probe_area(Cpu& cpu, const Insn& insn, u64 components, u64 xcomp_bv) {
  const u64 offset = aligned_operand(cpu, insn, 64);
  cpu.probe_write(insn.seg, offset, kXsaveAvx);
  if ((components & xstate::kAvx) != 0)
    cpu.probe_write(insn.seg, offset + kXsaveAvx, 16 * register_count(cpu));
  if ((components & xstate::kPkru) != 0)
    cpu.probe_write(insn.seg, offset + pkru_offset(xcomp_bv), 8);
  return offset;
}

/// XSAVE, and XSAVEOPT, which leaves out what is in its initial configuration.
template <bool kOptimized>
void xsave(Cpu& cpu, const Insn& insn) {
  check_xsave(cpu);
  const u64 wanted = requested(cpu);
  const u64 offset = probe_area(cpu, insn, wanted, 0);
  const u64 in_use = xstate_in_use(cpu);
  XsaveArea area;
  const u64 old = cpu.read<u64>(insn.seg, offset + kXsaveHeader);
  area.xstate_bv = (old & ~wanted) | (in_use & wanted);
  const Writer writer{cpu, insn, offset, area};
  writer.components(kOptimized ? wanted & in_use : wanted,
                    (wanted & (xstate::kSse | xstate::kAvx)) != 0);
  writer.part(kXsaveHeader, 8);
}

void xsavec(Cpu& cpu, const Insn& insn) {
  check_xsave(cpu);
  const u64 wanted = requested(cpu);
  u64 saved = xstate_in_use(cpu) & wanted;
  if (cpu.mxcsr != kMxcsrReset) saved |= xstate::kSse & wanted;
  XsaveArea area;
  area.xstate_bv = saved;
  area.xcomp_bv = xstate::kCompacted | wanted;
  const u64 offset = probe_area(cpu, insn, wanted, area.xcomp_bv);
  const Writer writer{cpu, insn, offset, area};
  writer.components(saved, (saved & xstate::kSse) != 0);
  writer.part(kXsaveHeader, 16);
}

/// #GP where the header is not one that XSAVE or XSAVEC can have written (SDM vol. 1, 13.8).
void check_header(const Cpu& cpu, const XsaveArea& area) {
  const bool compacted = (area.xcomp_bv & xstate::kCompacted) != 0;
  u64 bad = 0;
  if (compacted) {
    if (!cpu.has(Feature::Xsavec)) raise(Vector::Gp, 0);
    const u64 layout = area.xcomp_bv & ~xstate::kCompacted;
    bad = (layout & ~cpu.xcr0) | (area.xstate_bv & ~layout);
    for (const u8 byte : area.reserved) bad |= byte;
  } else {
    bad = (area.xstate_bv & ~cpu.xcr0) | area.xcomp_bv;
    for (unsigned n = 0; n < 8; ++n) bad |= area.reserved[n];
  }
  if (bad != 0) raise(Vector::Gp, 0);
}

void xrstor(Cpu& cpu, const Insn& insn) {
  check_xsave(cpu);
  const u64 wanted = requested(cpu);
  const u64 offset = aligned_operand(cpu, insn, 64);
  const unsigned registers = register_count(cpu);
  XsaveArea area;
  cpu.read_bytes(insn.seg, offset, &area, kXsaveAvx);
  check_header(cpu, area);
  const bool compacted = (area.xcomp_bv & xstate::kCompacted) != 0;
  const u64 loaded = wanted & area.xstate_bv;
  if ((loaded & xstate::kAvx) != 0)
    cpu.read_bytes(insn.seg, offset + kXsaveAvx, area.ymm_high.data(), 16 * registers);
  const u64 pkru = (loaded & xstate::kPkru) != 0
                       ? cpu.read<u64>(insn.seg, offset + pkru_offset(area.xcomp_bv))
                       : 0;
  // MXCSR is the SSE component's in the compacted format only.
  const bool mxcsr_wanted =
      (wanted & (compacted ? xstate::kSse : xstate::kSse | xstate::kAvx)) != 0;
  const bool mxcsr_loaded = mxcsr_wanted && (!compacted || (loaded & xstate::kSse) != 0);
  if (mxcsr_loaded && (area.legacy.mxcsr & ~kMxcsrMask) != 0) raise(Vector::Gp, 0);

  if (mxcsr_wanted) cpu.mxcsr = mxcsr_loaded ? area.legacy.mxcsr : kMxcsrReset;
  if ((loaded & xstate::kX87) != 0)
    load_x87(cpu.x87, pointer_format(insn), area.legacy);
  else if ((wanted & xstate::kX87) != 0)
    reset_x87(cpu.x87);
  if ((wanted & xstate::kSse) != 0)
    load_xmm(cpu, registers, (loaded & xstate::kSse) != 0 ? area.legacy : FxsaveImage{});
  if ((wanted & xstate::kAvx) != 0)
    load_ymm_high(cpu, registers, (loaded & xstate::kAvx) != 0 ? area : XsaveArea{});
  if ((wanted & xstate::kPkru) != 0) system::set_pkru(cpu, static_cast<u32>(pkru));
}

}  // namespace

std::span<const Binding> xsave_bindings() {
  static constexpr Binding kAll[] = {
      {"fxsave", always<fxsave>},
      {"fxrstor", always<fxrstor>},
      {"xsave", always<xsave<false>>},
      {"xsaveopt", always<xsave<true>>},
      {"xsavec", always<xsavec>},
      {"xrstor", always<xrstor>},
      {"ldmxcsr", always<ldmxcsr<Gate::Sse>>},
      {"stmxcsr", always<stmxcsr<Gate::Sse>>},
      {"vldmxcsr", always<ldmxcsr<Gate::Avx>>},
      {"vstmxcsr", always<stmxcsr<Gate::Avx>>},
      {"emms", always<emms>},
      {"vzeroupper", bind_vector_zero},
      {"vzeroall", bind_vector_zero},
  };
  return kAll;
}

}  // namespace rhea::x86::interp
