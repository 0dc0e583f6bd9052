// SPDX-License-Identifier: GPL-2.0-or-later
// x87, SSE and AVX state in the XSAVE area.
#include "target/x86/interp/xsave_area.h"

#include <algorithm>

namespace rhea::x86::interp {
namespace {

bool x87_in_use(const X87& x87) {
  return x87.fcw != kFcwReset || x87.fsw != 0 || x87.valid != 0 || x87.fop != 0 || x87.fip != 0 ||
         x87.fdp != 0 || x87.fcs != 0 || x87.fds != 0 ||
         std::ranges::any_of(x87.reg, [](const X87Register& reg) { return reg != X87Register{}; });
}

}  // namespace

u64 xstate_in_use(const Cpu& cpu) {
  u64 low = 0, high = 0;
  for (const VectorRegister& reg : cpu.ymm) {
    low |= reg.q[0] | reg.q[1];
    high |= reg.q[2] | reg.q[3];
  }
  return (x87_in_use(cpu.x87) ? xstate::kX87 : 0) | (low != 0 ? xstate::kSse : 0) |
         (high != 0 ? xstate::kAvx : 0) | (cpu.pkru != 0 ? xstate::kPkru : 0);
}

void save_x87(const X87& x87, PointerFormat format, FxsaveImage& image) {
  image.fcw = x87.fcw;
  image.fsw = x87.fsw;
  image.valid = x87.valid;
  image.fop = x87.fop;
  image.fip = x87.fip;
  image.fdp = x87.fdp;
  if (format == PointerFormat::Selectors) {
    image.fip = (x87.fip & 0xffff'ffff) | u64{x87.fcs} << 32;
    image.fdp = (x87.fdp & 0xffff'ffff) | u64{x87.fds} << 32;
  }
  for (unsigned i = 0; i < 8; ++i) image.st[i] = x87.reg[(x87.top() + i) & 7];
}

void load_x87(X87& x87, PointerFormat format, const FxsaveImage& image) {
  x87.fcw = static_cast<u16>((image.fcw & 0x1f3f) | 0x40);
  x87.fsw = image.fsw;
  x87.valid = image.valid;
  x87.fop = image.fop & 0x7ff;
  x87.fip = image.fip;
  x87.fdp = image.fdp;
  x87.fcs = x87.fds = 0;
  if (format == PointerFormat::Selectors) {
    x87.fip &= 0xffff'ffff;
    x87.fdp &= 0xffff'ffff;
    x87.fcs = static_cast<u16>(image.fip >> 32);
    x87.fds = static_cast<u16>(image.fdp >> 32);
  }
  for (unsigned i = 0; i < 8; ++i) {
    st(x87, i).significand = image.st[i].significand;
    st(x87, i).sign_exponent = image.st[i].sign_exponent;
  }
  update_error_summary(x87);
}

void reset_x87(X87& x87) { x87 = X87{}; }

void save_xmm(const Cpu& cpu, unsigned registers, FxsaveImage& image) {
  for (unsigned n = 0; n < registers; ++n) std::memcpy(image.xmm[n].data(), cpu.ymm[n].bytes(), 16);
}

void load_xmm(Cpu& cpu, unsigned registers, const FxsaveImage& image) {
  for (unsigned n = 0; n < registers; ++n) std::memcpy(cpu.ymm[n].bytes(), image.xmm[n].data(), 16);
}

void save_ymm_high(const Cpu& cpu, unsigned registers, XsaveArea& area) {
  for (unsigned n = 0; n < registers; ++n)
    std::memcpy(area.ymm_high[n].data(), cpu.ymm[n].bytes() + 16, 16);
}

void load_ymm_high(Cpu& cpu, unsigned registers, const XsaveArea& area) {
  for (unsigned n = 0; n < registers; ++n)
    std::memcpy(cpu.ymm[n].bytes() + 16, area.ymm_high[n].data(), 16);
}

}  // namespace rhea::x86::interp
