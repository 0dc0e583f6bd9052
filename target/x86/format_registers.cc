// SPDX-License-Identifier: GPL-2.0-or-later
// The text of `info registers`, in the layout that QEMU's users know.
#include "target/x86/cpu_state.h"
#include "target/x86/registers.h"

#include <bit>
#include <cstring>

namespace rhea::x86 {
namespace {

constexpr u64 kProtectedMode = 1;
constexpr u64 kVirtual8086 = u64{1} << 17;
constexpr std::array<const char*, 16> kGprNames = {"AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI",
                                                   "8 ", "9 ", "10", "11", "12", "13", "14", "15"};

class RegisterText {
 public:
  explicit RegisterText(const CpuState& state)
      : state_(state),
        long_mode_((state.efer & (u64{1} << 10)) != 0),
        code64_(code_bits(state) == 64) {}

  std::string core(bool with_condition_codes) {
    text_.clear();
    general();
    flags();
    constexpr std::array names = {"ES", "CS", "SS", "DS", "FS", "GS"};
    for (unsigned i = 0; i < names.size(); ++i) segment(names[i], state_.segment[i]);
    segment("LDT", state_.ldtr);
    segment("TR", state_.tr);
    table("GDT", state_.gdtr);
    table("IDT", state_.idtr);
    control();
    // Status flags are what -d shows as the operands of the last instruction that set them.
    if (with_condition_codes)
      add("CCS={:08x} CCD=00000000 CCO=EFLAGS\n",
          static_cast<u32>(state_.rflags & eflags::kStatus));
    add("EFER={:016x}\n", state_.efer);
    return std::move(text_);
  }
  std::string fpu() {
    text_.clear();
    floating_point();
    return std::move(text_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    text_ += fmt::format(format, std::forward<Args>(args)...);
  }
  // An address or register at the width of the mode.
  std::string wide(u64 value, bool whole) const {
    return whole ? fmt::format("{:016x}", value) : fmt::format("{:08x}", static_cast<u32>(value));
  }

  void general() {
    constexpr std::array<u8, 16> order = {Rax, Rbx, Rcx, Rdx, Rsi, Rdi, Rbp, Rsp,
                                          R8,  R9,  R10, R11, R12, R13, R14, R15};
    for (unsigned i = 0; i < (code64_ ? 16U : 8U); ++i)
      add("{}{}={}{}", code64_ ? "R" : "E", kGprNames[order[i]],
          wide(state_.gpr[order[i]], code64_), i % 4 == 3 ? "\n" : " ");
  }

  void flags() {
    const u64 fl = state_.rflags;
    const auto letter = [fl](unsigned bit, char name) { return (fl >> bit & 1) != 0 ? name : '-'; };
    const unsigned cpl = (fl & kVirtual8086) != 0             ? 3
                         : (state_.cr0 & kProtectedMode) != 0 ? state_.segment[Ss].dpl
                                                              : 0;
    add("{}={} {}={:08x} [{}{}{}{}{}{}{}] CPL={} II={} A20=1 SMM={} HLT={}\n",
        code64_ ? "RIP" : "EIP", wide(state_.rip, code64_), code64_ ? "RFL" : "EFL",
        static_cast<u32>(fl), letter(10, 'D'), letter(11, 'O'), letter(7, 'S'), letter(6, 'Z'),
        letter(4, 'A'), letter(2, 'P'), letter(0, 'C'), cpl,
        state_.events.interrupt_shadow != 0 ? 1 : 0, state_.events.smm ? 1 : 0,
        state_.mp_state == MpState::Halted ? 1 : 0);
  }

  static u32 attributes(const Segment& s) {
    return s.type << 8 | u32{s.s} << 12 | u32{s.dpl} << 13 | u32{s.present} << 15 |
           (s.limit >> 16 & 0xf) << 16 | u32{s.avl} << 20 | u32{s.l} << 21 | u32{s.db} << 22 |
           u32{s.g} << 23;
  }

  // "DS   [-WA]", "CS64 [-RA]", "TSS32-busy": what the descriptor says it is.
  std::string kind(const Segment& s) const {
    const auto bit = [&s](unsigned n, char name) { return (s.type >> n & 1) != 0 ? name : '-'; };
    if (s.s && (s.type & 8) != 0)
      return fmt::format("{} [{}{}{}]",
                         s.l    ? "CS64"
                         : s.db ? "CS32"
                                : "CS16",
                         bit(2, 'C'), bit(1, 'R'), bit(0, 'A'));
    if (s.s)
      return fmt::format("{} [{}{}{}]", s.db ? "DS  " : "DS16", bit(2, 'E'), bit(1, 'W'),
                         bit(0, 'A'));
    constexpr std::array system = {"Reserved",   "TSS16-avl", "LDT",       "TSS16-busy",
                                   "CallGate16", "TaskGate",  "IntGate16", "TrapGate16",
                                   "Reserved",   "TSS32-avl", "Reserved",  "TSS32-busy",
                                   "CallGate32", "Reserved",  "IntGate32", "TrapGate32"};
    constexpr std::array system64 = {"<hiword>",   "Reserved",  "LDT",       "Reserved",
                                     "Reserved",   "Reserved",  "Reserved",  "Reserved",
                                     "Reserved",   "TSS64-avl", "Reserved",  "TSS64-busy",
                                     "CallGate64", "Reserved",  "IntGate64", "TrapGate64"};
    return long_mode_ ? system64[s.type & 15] : system[s.type & 15];
  }

  void segment(const char* name, const Segment& s) {
    add("{:<3}={:04x} {} {:08x} {:08x}", name, s.selector, wide(s.base, code64_), s.limit,
        attributes(s));
    if ((state_.cr0 & kProtectedMode) != 0 && s.present) add(" DPL={} {}", s.dpl, kind(s));
    text_ += '\n';
  }

  void table(const char* name, const DescriptorTable& t) {
    add("{}=     {} {:08x}\n", name, wide(t.base, long_mode_), t.limit);
  }

  void control() {
    add("CR0={:08x} CR2={} CR3={} CR4={:08x}\n", static_cast<u32>(state_.cr0),
        wide(state_.cr2, long_mode_), wide(state_.cr3, long_mode_), static_cast<u32>(state_.cr4));
    for (unsigned i = 0; i < 4; ++i) add("DR{}={:016x} ", i, state_.dr[i]);
    add("\nDR6={:016x} DR7={:016x}\n", state_.dr6, state_.dr7);
  }

  // A little-endian number of the XSAVE area's legacy region (SDM vol. 1, 10.5.1).
  template <class T>
  T legacy(std::size_t offset) const {
    T value{};
    if (offset + sizeof value <= state_.xsave.size())
      std::memcpy(&value, state_.xsave.data() + offset, sizeof value);
    return value;
  }

  void floating_point() {
    const auto status = legacy<u16>(2);
    add("FCW={:04x} FSW={:04x} [ST={}] FTW={:02x} MXCSR={:08x}\n", legacy<u16>(0), status,
        status >> 11 & 7, legacy<u8>(4), legacy<u32>(24));
    // The area holds ST(n); people look for the physical registers.
    for (unsigned i = 0; i < 8; ++i) {
      const std::size_t place = 32 + std::size_t{(i - (status >> 11)) & 7U} * 16;
      add("FPR{}={:016x} {:04x}{}", i, legacy<u64>(place), legacy<u16>(place + 8),
          i % 2 == 1 ? "\n" : " ");
    }
    for (unsigned i = 0; i < (code64_ ? 16U : 8U); ++i)
      add("XMM{:02}={:016x} {:016x}{}", i, legacy<u64>(160 + i * 16 + 8), legacy<u64>(160 + i * 16),
          i % 2 == 1 ? "\n" : " ");
  }

  const CpuState& state_;
  bool long_mode_, code64_;
  std::string text_;
};

}  // namespace

std::string format_registers(const CpuState& state, unsigned cpu_index) {
  return fmt::format("CPU#{}\n", cpu_index) + RegisterText(state).core(false) +
         format_fpu_registers(state);
}

std::string format_core_registers(const CpuState& state) { return RegisterText(state).core(true); }

std::string format_fpu_registers(const CpuState& state) { return RegisterText(state).fpu(); }

}  // namespace rhea::x86
