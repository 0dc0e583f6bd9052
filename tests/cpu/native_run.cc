// SPDX-License-Identifier: GPL-2.0-or-later
// Single instructions on the host's own processor.
#include "tests/cpu/native_run.h"

#include "rhea/util/error.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstddef>
#include <cstring>
#include <initializer_list>

namespace rhea::x86 {
namespace {

constexpr u64 kState = 0x1300'0000, kAlternateStack = 0x1310'0000, kAlternateSize = 0x1'0000;
constexpr u64 kSlot = 64, kFirstSlot = 0x1000;

/// What the code around the instruction uses, at an address that fits a displacement.
struct Frame {
  NativeState state;
  u64 rsp{};  ///< ours
};
Frame& frame() { return *reinterpret_cast<Frame*>(kState); }

struct Signals {
  NativeFault fault;
  u64 leave{};  ///< where a fault goes on
  bool running{};
};
Signals g_signals;

// Order of the SDM's register numbers.
constexpr std::array kRegisters{REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                REG_R12, REG_R13, REG_R14, REG_R15};

void on_fault(int number, siginfo_t*, void* opaque) {
  auto& registers = static_cast<ucontext_t*>(opaque)->uc_mcontext.gregs;
  if (!g_signals.running) {
    signal(number, SIG_DFL);
    return;
  }
  NativeState& state = frame().state;
  for (unsigned n = 0; n < 16; ++n) state.gpr[n] = static_cast<u64>(registers[kRegisters[n]]);
  state.rflags = static_cast<u64>(registers[REG_EFL]);
  state.rip = static_cast<u64>(registers[REG_RIP]);
  g_signals.fault = {.happened = true,
                     .vector = static_cast<u8>(registers[REG_TRAPNO]),
                     .error = static_cast<u32>(registers[REG_ERR]),
                     .cr2 = static_cast<u64>(registers[REG_CR2])};
  registers[REG_RIP] = static_cast<greg_t>(g_signals.leave);
  registers[REG_EFL] = 0x202;
}

class Assembler {
 public:
  explicit Assembler(u64 at) : at_(reinterpret_cast<u8*>(at)) {}
  u64 address() const { return reinterpret_cast<u64>(at_); }
  void bytes(std::initializer_list<unsigned> values) {
    for (const unsigned value : values) *at_++ = static_cast<u8>(value);
  }
  void dword(u64 value) {
    const auto low = static_cast<u32>(value);
    std::memcpy(at_, &low, 4);
    at_ += 4;
  }
  /// An opcode with [displacement] as its memory operand.
  void at(std::initializer_list<unsigned> opcode, unsigned reg, u64 address) {
    bytes(opcode);
    bytes({0x04 | (reg & 7) << 3, 0x25});
    dword(address);
  }
  void move(unsigned reg, bool store, u64 address) {
    at({reg < 8 ? 0x48u : 0x4cu, store ? 0x89u : 0x8bu}, reg, address);
  }
  void jump(u64 to) {
    bytes({0xe9});
    dword(to - (address() + 4));
  }

 private:
  u8* at_;
};

constexpr unsigned kRsp = 4;
constexpr u64 gpr_address(unsigned n) { return kState + offsetof(Frame, state.gpr) + 8 * n; }
constexpr u64 kFlagsAddress = kState + offsetof(Frame, state.rflags);
constexpr u64 kRipAddress = kState + offsetof(Frame, state.rip);
constexpr u64 kRspAddress = kState + offsetof(Frame, rsp);
constexpr u64 kEnter = NativeRun::kCode, kLeave = NativeRun::kCode + 0x400;

void write_enter() {
  Assembler out(kEnter);
  out.bytes({0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57});
  out.move(kRsp, true, kRspAddress);
  out.at({0xff}, 6, kFlagsAddress);  // PUSH
  out.bytes({0x9d});                 // POPFQ
  for (unsigned n = 0; n < 16; ++n) out.move(n, false, gpr_address(n));
  out.at({0xff}, 4, kRipAddress);  // JMP
}

/// Behind the instruction; returns where a fault joins.
u64 write_leave() {
  Assembler out(kLeave);
  for (unsigned n = 0; n < 16; ++n) out.move(n, true, gpr_address(n));
  out.move(kRsp, false, kRspAddress);
  out.bytes({0x9c});                 // PUSHFQ
  out.at({0x8f}, 0, kFlagsAddress);  // POP
  const u64 join = out.address();
  out.move(kRsp, false, kRspAddress);
  out.bytes({0xfc});  // CLD
  out.bytes({0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3});
  return join;
}

void map(u64 address, u64 size, int protection) {
  void* const at = reinterpret_cast<void*>(address);
  RHEA_ASSERT(mmap(at, size, protection,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0) == at);
}

}  // namespace

NativeRun::NativeRun() {
  map(kWindow, kWindowEnd - kWindow, PROT_READ | PROT_WRITE);
  std::memset(reinterpret_cast<void*>(kReadOnly), 0, 0x1000);
  mprotect(reinterpret_cast<void*>(kReadOnly), 0x1000, PROT_READ);
  map(kCode, kCodeSize + 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC);
  map(kState, 0x1000, PROT_READ | PROT_WRITE);
  map(kAlternateStack, kAlternateSize, PROT_READ | PROT_WRITE);
  std::memset(reinterpret_cast<void*>(kCode), 0xcc, kCodeSize + 0x1000);
  write_enter();
  g_signals.leave = write_leave();
  const stack_t alternate{
      .ss_sp = reinterpret_cast<void*>(kAlternateStack), .ss_flags = 0, .ss_size = kAlternateSize};
  sigaltstack(&alternate, nullptr);
  struct sigaction action{};
  action.sa_sigaction = &on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP})
    sigaction(number, &action, nullptr);
}

u64 NativeRun::next(bool branches) const {
  if (branches) return kBranch + 0x800;
  // A fresh line each time: rewriting one that was just executed is slow.
  return kCode + kFirstSlot + (next_ + kSlot) % (kCodeSize - kFirstSlot);
}

u64 NativeRun::place(std::span<const u8> instruction, bool branches) {
  const u64 at = next(branches);
  if (branches)
    std::memset(reinterpret_cast<void*>(kBranch), 0xcc, 0x1000);
  else
    next_ = at - kCode - kFirstSlot;
  std::memcpy(reinterpret_cast<void*>(at), instruction.data(), instruction.size());
  if (!branches) Assembler(at + instruction.size()).jump(kLeave);
  return at;
}

NativeFault NativeRun::run(NativeState& state) {
  const u64 at = state.rip;
  frame().state = state;
  g_signals.fault = {};
  g_signals.running = true;
  reinterpret_cast<void (*)()>(kEnter)();
  g_signals.running = false;
  state = frame().state;
  if (!g_signals.fault.happened) state.rip = at;
  return g_signals.fault;
}

}  // namespace rhea::x86
