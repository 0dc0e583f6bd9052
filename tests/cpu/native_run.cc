// SPDX-License-Identifier: GPL-2.0-or-later
// Single instructions on the host's own processor.
#include "tests/cpu/native_run.h"

#include "rhea/util/error.h"

#include <asm/ldt.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstring>
#include <initializer_list>

namespace rhea::x86 {
namespace {

constexpr size_t kAlternateSize = 0x1'0000;
constexpr u64 kSlot = 64;

/// A far pointer as JMP takes it from memory.
struct FarPointer {
  u32 offset{};
  u16 selector{};
};

/// What the code around the instruction uses, at an address that fits a displacement.
struct Frame {
  NativeState state;
  u64 rsp{};  ///< ours
  FarPointer entry;
  u16 stack{kHostData};  ///< our SS
};
Frame& frame() { return *reinterpret_cast<Frame*>(host_memory(kKeep)); }

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

/// The kernel keeps CS and SS; the others are still the instruction's.
void read_segments(std::array<u16, 6>& seg, u64 cs_and_ss) {
  seg[Cs] = static_cast<u16>(cs_and_ss);
  seg[Ss] = static_cast<u16>(cs_and_ss >> 48);
  asm volatile("mov %%ds, %0\n\tmov %%es, %1\n\tmov %%gs, %2"
               : "=m"(seg[Ds]), "=m"(seg[Es]), "=m"(seg[Gs]));
}

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
  read_segments(state.seg, static_cast<u64>(registers[REG_CSGSFS]));
  g_signals.fault = {.happened = true,
                     .vector = static_cast<u8>(registers[REG_TRAPNO]),
                     .error = static_cast<u32>(registers[REG_ERR]),
                     .cr2 = static_cast<u64>(registers[REG_CR2])};
  registers[REG_RIP] = static_cast<greg_t>(g_signals.leave);
  // Some hypervisors do not go back to a stack pointer that is no address.
  registers[REG_RSP] = static_cast<greg_t>(frame().rsp);
  registers[REG_CSGSFS] = static_cast<greg_t>(u64{kHostData} << 48 | kHostCode64);
  registers[REG_EFL] = 0x202;
}

class Assembler {
 public:
  explicit Assembler(u64 at) : at_(host_memory(at)) {}
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
  void move_segment(unsigned segment, bool store, u64 address) {
    at({store ? 0x8cu : 0x8eu}, segment, address);
  }
  /// From code of `code_bits` to our own.
  void jump(u64 to, unsigned code_bits) {
    if (code_bits == 64) {
      bytes({0xe9});
      return dword(to - (address() + 4));
    }
    if (code_bits == 16) bytes({0x66});
    bytes({0xea});
    dword(to);
    bytes({kHostCode64, 0});
  }

 private:
  u8* at_;
};

constexpr unsigned kRsp = 4;
constexpr u64 gpr_address(unsigned n) { return kKeep + offsetof(Frame, state.gpr) + u64{8} * n; }
constexpr u64 seg_address(unsigned n) { return kKeep + offsetof(Frame, state.seg) + u64{2} * n; }
constexpr u64 kFlagsAddress = kKeep + offsetof(Frame, state.rflags);
constexpr u64 kEntryAddress = kKeep + offsetof(Frame, entry);
constexpr u64 kStackAddress = kKeep + offsetof(Frame, stack);
constexpr u64 kRspAddress = kKeep + offsetof(Frame, rsp);
constexpr u64 kEnter = kStubs, kLeave = kStubs + 0x400;

void write_enter() {
  Assembler out(kEnter);
  out.bytes({0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57});
  out.move(kRsp, true, kRspAddress);
  out.at({0xff}, 6, kFlagsAddress);  // PUSH
  out.bytes({0x9d});                 // POPFQ
  for (const unsigned segment : {Es, Ss, Ds, Gs})
    out.move_segment(segment, false, seg_address(segment));
  for (unsigned n = 0; n < 16; ++n) out.move(n, false, gpr_address(n));
  out.at({0xff}, 5, kEntryAddress);  // JMP m16:32
}

/// Behind the instruction; returns where a fault joins.
u64 write_leave() {
  Assembler out(kLeave);
  for (unsigned n = 0; n < 16; ++n) out.move(n, true, gpr_address(n));
  for (const unsigned segment : {Es, Ss, Ds, Gs})
    out.move_segment(segment, true, seg_address(segment));
  out.move(kRsp, false, kRspAddress);
  out.bytes({0x9c});                 // PUSHFQ
  out.at({0x8f}, 0, kFlagsAddress);  // POP
  const u64 join = out.address();
  out.move_segment(Ss, false, kStackAddress);
  out.move(kRsp, false, kRspAddress);
  out.bytes({0xfc});  // CLD
  out.bytes({0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3});
  return join;
}

void map(u64 address, u64 size, int protection) {
  void* const at = host_memory(address);
  RHEA_ASSERT(mmap(at, size, protection,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0) == at);
}

void write_ldt(const HostSegment& segment) {
  const unsigned attributes = segment.attributes;
  user_desc made{};
  made.entry_number = segment.selector >> 3;
  made.base_addr = static_cast<unsigned>(segment.base);
  made.limit = segment.limit;
  made.contents = attributes >> 2 & 3;
  made.read_exec_only = (attributes >> 1 & 1) == 0;
  made.seg_not_present = (attributes >> 7 & 1) == 0;
  made.useable = attributes >> 12 & 1;
  made.seg_32bit = attributes >> 14 & 1;
  made.limit_in_pages = attributes >> 15 & 1;
  RHEA_ASSERT(syscall(SYS_modify_ldt, 0x11, &made, sizeof made) == 0);
}

/// On a stack above 4 GiB, where no instruction's own stack pointer leads.
void take_signals() {
  alignas(64) static std::array<u8, kAlternateSize> bytes;
  const stack_t alternate{.ss_sp = bytes.data(), .ss_flags = 0, .ss_size = kAlternateSize};
  sigaltstack(&alternate, nullptr);
  struct sigaction action{};
  action.sa_sigaction = &on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP})
    sigaction(number, &action, nullptr);
}

}  // namespace

bool host_has_own_segments() {
  for (const HostSegment& segment : kHostSegments) {
    if (segment.selector != kLocalData32) continue;
    write_ldt(segment);
    u32 rights = 0;
    bool valid = false;
    asm volatile("lar %2, %0" : "=r"(rights), "=@ccz"(valid) : "r"(u32{segment.selector}));
    return valid && (rights >> 8 & 0xf0ff) == segment.attributes;
  }
  return false;
}

NativeRun::NativeRun(NativeMode mode) : layout_(layout(mode)) {
  map(kWindow, kWindowEnd - kWindow, PROT_READ | PROT_WRITE);
  std::memset(host_memory(kReadOnly), 0, 0x1000);
  mprotect(host_memory(kReadOnly), 0x1000, PROT_READ);
  constexpr int kAny = PROT_READ | PROT_WRITE | PROT_EXEC;
  map(layout_.code, layout_.branch + 0x1000 - layout_.code, kAny);
  std::memset(host_memory(layout_.code), 0xcc, layout_.branch + 0x1000 - layout_.code);
  map(kStubs, 0x1000, kAny);
  map(kKeep, 0x1000, PROT_READ | PROT_WRITE);
  frame() = {};
  write_enter();
  g_signals.leave = write_leave();
  for (const HostSegment& segment : kHostSegments)
    if (segment.local()) write_ldt(segment);
  take_signals();
}

u64 NativeRun::next(bool branches) const {
  if (branches) return layout_.branch + 0x800 - layout_.base;
  // A fresh line each time: rewriting one that was just executed is slow.
  return layout_.code + (next_ + kSlot) % layout_.code_size - layout_.base;
}

u64 NativeRun::place(std::span<const u8> instruction, bool branches) {
  const u64 at = next(branches), linear = at + layout_.base;
  if (branches)
    std::memset(host_memory(layout_.branch), 0xcc, 0x1000);
  else
    next_ = linear - layout_.code;
  std::memcpy(host_memory(linear), instruction.data(), instruction.size());
  if (!branches) Assembler(linear + instruction.size()).jump(kLeave, layout_.code_bits);
  return at;
}

NativeFault NativeRun::run(NativeState& state) {
  const u64 at = state.rip;
  frame().state = state;
  frame().entry = {.offset = static_cast<u32>(at), .selector = state.seg[Cs]};
  g_signals.fault = {};
  g_signals.running = true;
  reinterpret_cast<void (*)()>(host_memory(kEnter))();
  g_signals.running = false;
  state = frame().state;
  if (!g_signals.fault.happened) state.rip = at;
  return g_signals.fault;
}

}  // namespace rhea::x86
