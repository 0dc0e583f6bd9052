// SPDX-License-Identifier: GPL-2.0-or-later
// The host's processor as the judge.
#include "tests/cpu/host_oracle.h"

#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#include <cstddef>
#include <initializer_list>
#include <vector>

namespace rhea::x86 {
namespace {

sigjmp_buf g_return;
volatile u32 g_mxcsr;

void on_sigfpe(int, siginfo_t*, void* context) {
  g_mxcsr = static_cast<ucontext_t*>(context)->uc_mcontext.fpregs->mxcsr;
  siglongjmp(g_return, 1);
}

/// Code around the instruction; RDI is the HostState, which also lies on the stack.
class Body {
 public:
  void bytes(std::initializer_list<unsigned> values) {
    for (const unsigned value : values) code_.push_back(static_cast<u8>(value));
  }
  void append(std::span<const u8> more) { code_.insert(code_.end(), more.begin(), more.end()); }
  /// Opcode bytes with a memory operand at [RDI + offset].
  void at(std::initializer_list<unsigned> opcode, unsigned reg, size_t offset) {
    bytes(opcode);
    bytes({0x87 | (reg & 7) << 3});
    const auto value = static_cast<u32>(offset);
    bytes({value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >> 24});
  }
  void ymm(unsigned n, bool store) {
    at({0xc5, n < 8 ? 0xfcu : 0x7cu, store ? 0x11u : 0x10u}, n, offsetof(HostState, ymm) + 32 * n);
  }
  void gpr(unsigned n, bool store) {
    at({n < 8 ? 0x48u : 0x4cu, store ? 0x89u : 0x8bu}, n, offsetof(HostState, gpr) + 8 * n);
  }
  void mm(unsigned n, bool store) {
    at({0x0f, store ? 0x7fu : 0x6fu}, n, offsetof(HostState, mmx) + 8 * n);
  }
  const std::vector<u8>& code() const { return code_; }

 private:
  std::vector<u8> code_;
};

constexpr unsigned kRsp = 4, kRdi = 7;

void emit_load(Body& out, bool uses_mmx) {
  for (unsigned n = 0; n < 16; ++n) out.ymm(n, false);
  if (uses_mmx)
    for (unsigned n = 0; n < 8; ++n) out.mm(n, false);
  out.at({0x0f, 0xae}, 2, offsetof(HostState, mxcsr));  // LDMXCSR
  out.at({0xff}, 6, offsetof(HostState, flags));        // PUSH
  out.bytes({0x9d});                                    // POPFQ
  for (unsigned n = 0; n < 16; ++n)
    if (n != kRsp && n != kRdi) out.gpr(n, false);
  out.gpr(kRdi, false);
}

void emit_store(Body& out, bool uses_mmx) {
  out.bytes({0x48, 0x87, 0x3c, 0x24});                  // XCHG RDI, [RSP]
  out.bytes({0x9c});                                    // PUSHFQ
  out.at({0x8f}, 0, offsetof(HostState, flags));        // POP
  out.at({0x0f, 0xae}, 3, offsetof(HostState, mxcsr));  // STMXCSR
  for (unsigned n = 0; n < 16; ++n)
    if (n != kRsp && n != kRdi) out.gpr(n, true);
  out.bytes({0x58});  // POP RAX: the instruction's RDI
  out.at({0x48, 0x89}, 0, offsetof(HostState, gpr) + 8 * kRdi);
  for (unsigned n = 0; n < 16; ++n) out.ymm(n, true);
  if (uses_mmx) {
    for (unsigned n = 0; n < 8; ++n) out.mm(n, true);
    out.bytes({0x0f, 0x77});  // EMMS
  }
  out.bytes({0xc5, 0xf8, 0x77});  // VZEROUPPER
}

std::vector<u8> body(std::span<const u8> instruction, bool uses_mmx) {
  Body out;
  out.bytes({0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x57});
  emit_load(out, uses_mmx);
  out.append(instruction);
  emit_store(out, uses_mmx);
  out.bytes({0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3});
  return out.code();
}

}  // namespace

bool HostOracle::run(std::span<const u8> instruction, bool uses_mmx, HostState& state) {
  const auto call = reinterpret_cast<void (*)(HostState*)>(code_.add(body(instruction, uses_mmx)));
  struct sigaction action{}, old{};
  action.sa_sigaction = &on_sigfpe;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGFPE, &action, &old);
  const bool completed = sigsetjmp(g_return, 1) == 0;
  if (completed)
    call(&state);
  else
    state.mxcsr = g_mxcsr;
  const u32 reset = kMxcsrReset;
  asm volatile("ldmxcsr %0" : : "m"(reset));
  sigaction(SIGFPE, &old, nullptr);
  return completed;
}

}  // namespace rhea::x86
