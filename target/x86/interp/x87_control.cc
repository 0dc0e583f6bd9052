// SPDX-License-Identifier: GPL-2.0-or-later
// x87 control instructions: control and status word, environment, FNSAVE and FRSTOR, FWAIT.
#include "target/x86/interp/bind.h"
#include "target/x86/interp/x87.h"

namespace rhea::x86::interp {
namespace {

// ---- The tag word (SDM vol. 1, 8.1.7): two bits a register, of which we keep "empty".

enum Tag : unsigned { kValid, kZero, kSpecial, kEmpty };

Tag tag_of(const X87Register& value) {
  const unsigned exponent = value.sign_exponent & 0x7fff;
  const bool integer_bit = value.significand >> 63 != 0;
  if (exponent == 0 && value.significand == 0) return kZero;
  return exponent == 0 || exponent == 0x7fff || !integer_bit ? kSpecial : kValid;
}

u16 tag_word(const X87& x87) {
  unsigned word = 0;
  for (unsigned n = 0; n < 8; ++n)
    word |= ((x87.valid >> n & 1) != 0 ? tag_of(x87.reg[n]) : kEmpty) << 2 * n;
  return static_cast<u16>(word);
}

void set_tag_word(X87& x87, unsigned word) {
  x87.valid = 0;
  for (unsigned n = 0; n < 8; ++n)
    if ((word >> 2 * n & 3) != kEmpty) x87.valid = static_cast<u8>(x87.valid | 1u << n);
}

// ---- The environment: seven words or doublewords (SDM vol. 1, figures 8-9 to 8-12).

struct Environment {
  std::array<u8, 28> bytes{};
  unsigned size{};
};

bool real_format(const Cpu& cpu) { return cpu.mode == Mode::Real || cpu.mode == Mode::Virtual8086; }

/// The pointers' fields behind the three status words: FIP, FCS and FOP, FDP, FDS. In the real
/// formats they are linear addresses that FOP goes into the gaps of.
std::array<u32, 4> pointer_fields(const Cpu& cpu, unsigned width) {
  const X87& x87 = cpu.x87;
  const auto fip = static_cast<u32>(x87.fip), fdp = static_cast<u32>(x87.fdp);
  const u32 opcode = x87.fop & 0x7ff;
  if (!real_format(cpu))
    return {fip, width == 4 ? u32{x87.fcs} | opcode << 16 : x87.fcs, fdp, x87.fds};
  const u32 ip = fip + (u32{x87.fcs} << 4), dp = fdp + (u32{x87.fds} << 4);
  if (width == 4) return {ip & 0xffff, (ip >> 16) << 12 | opcode, dp & 0xffff, (dp >> 16) << 12};
  return {ip & 0xffff, (ip >> 4 & 0xf000) | opcode, dp & 0xffff, dp >> 4 & 0xf000};
}

Environment environment(const Cpu& cpu, unsigned width) {
  const X87& x87 = cpu.x87;
  Environment made{.size = 7 * width};
  // The upper halves of doublewords that hold 16 bits are ones.
  const u32 reserved = width == 4 ? 0xffff'0000 : 0;
  const std::array<u32, 4> pointers = pointer_fields(cpu, width);
  const std::array<u32, 7> fields{
      reserved | x87.fcw, reserved | x87.fsw, reserved | tag_word(x87), pointers[0],
      pointers[1],        pointers[2],        pointers[3] | reserved};
  for (unsigned n = 0; n < fields.size(); ++n)
    std::memcpy(made.bytes.data() + n * width, &fields[n], width);
  return made;
}

void load_environment(Cpu& cpu, const u8* bytes, unsigned width) {
  std::array<u32, 7> fields{};
  for (unsigned n = 0; n < fields.size(); ++n) std::memcpy(&fields[n], bytes + n * width, width);
  X87& x87 = cpu.x87;
  x87.fcw = static_cast<u16>((fields[0] & 0x1f3f) | 0x40);
  x87.fsw = static_cast<u16>(fields[1]);
  set_tag_word(x87, fields[2]);
  update_error_summary(x87);
  if (real_format(cpu)) {
    const u32 high = width == 4 ? 0xffff'0000 : 0xf'0000;
    x87.fip = (fields[3] & 0xffff) | (fields[4] << 4 & high);
    x87.fdp = (fields[5] & 0xffff) | (fields[6] << 4 & high);
    x87.fop = fields[4] & 0x7ff;
    x87.fcs = x87.fds = 0;
    return;
  }
  x87.fip = fields[3];
  x87.fcs = static_cast<u16>(fields[4]);
  if (width == 4) x87.fop = fields[4] >> 16 & 0x7ff;
  x87.fdp = fields[5];
  x87.fds = static_cast<u16>(fields[6]);
}

/// Doublewords with an operand size of 32 or 64 bits.
unsigned field_width(const Insn& insn) { return insn.operand_size == 2 ? 2 : 4; }

void initialize(X87& x87) {
  x87.fcw = kFcwReset;
  x87.fsw = 0;
  x87.valid = 0;
  x87.fop = 0;
  x87.fip = x87.fdp = 0;
  x87.fcs = x87.fds = 0;
}

void fnstenv(Cpu& cpu, const Insn& insn) {
  check_x87_no_wait(cpu);
  const Environment made = environment(cpu, field_width(insn));
  cpu.write_bytes(insn.seg, cpu.effective_address(insn), made.bytes.data(), made.size);
  cpu.x87.fcw |= kFswExceptions;
  update_error_summary(cpu.x87);
}

void fldenv(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  std::array<u8, 28> bytes;
  const unsigned width = field_width(insn);
  cpu.read_bytes(insn.seg, cpu.effective_address(insn), bytes.data(), 7 * width);
  load_environment(cpu, bytes.data(), width);
}

void fnsave(Cpu& cpu, const Insn& insn) {
  check_x87_no_wait(cpu);
  const Environment made = environment(cpu, field_width(insn));
  std::array<u8, 108> bytes;
  std::memcpy(bytes.data(), made.bytes.data(), made.size);
  for (unsigned i = 0; i < 8; ++i)
    std::memcpy(bytes.data() + made.size + 10 * i, &st(cpu.x87, i), 10);
  cpu.write_bytes(insn.seg, cpu.effective_address(insn), bytes.data(), made.size + 80);
  initialize(cpu.x87);
}

void frstor(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  std::array<u8, 108> bytes;
  const unsigned width = field_width(insn);
  cpu.read_bytes(insn.seg, cpu.effective_address(insn), bytes.data(), 7 * width + 80);
  load_environment(cpu, bytes.data(), width);
  for (unsigned i = 0; i < 8; ++i) st(cpu.x87, i) = register_at(bytes.data() + 7 * width + 10 * i);
}

// ---- Words.

void fldcw(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  const u16 value = cpu.read<u16>(insn.seg, cpu.effective_address(insn));
  cpu.x87.fcw = static_cast<u16>((value & 0x1f3f) | 0x40);
  update_error_summary(cpu.x87);
}

void fnstcw(Cpu& cpu, const Insn& insn) {
  check_x87_no_wait(cpu);
  cpu.write<u16>(insn.seg, cpu.effective_address(insn), cpu.x87.fcw);
}

void fnstsw_memory(Cpu& cpu, const Insn& insn) {
  check_x87_no_wait(cpu);
  cpu.write<u16>(insn.seg, cpu.effective_address(insn), cpu.x87.fsw);
}

void fnstsw_ax(Cpu& cpu, const Insn&) {
  check_x87_no_wait(cpu);
  cpu.set_reg<u16>(Rax, cpu.x87.fsw);
}

void fninit(Cpu& cpu, const Insn&) {
  check_x87_no_wait(cpu);
  initialize(cpu.x87);
}

void fnclex(Cpu& cpu, const Insn&) {
  check_x87_no_wait(cpu);
  cpu.x87.fsw &= static_cast<u16>(~(kFswExceptions | fsw::kSf | kFswEs | kFswBusy));
}

/// FNENI, FNDISI, FNSETPM: the 8087's and the 287's.
void no_operation(Cpu& cpu, const Insn&) { check_x87_no_wait(cpu); }

void fwait(Cpu& cpu, const Insn&) {
  constexpr u64 kBoth = cr0::kMp | cr0::kTs;
  if ((cpu.cr0 & kBoth) == kBoth) raise(Vector::Nm);
  raise_pending_x87(cpu);
}

}  // namespace

Execute bind_x87_control(const Insn& insn) {
  if (insn.opcode == 0x9b) return &fwait;
  if (insn.modrm < 0xc0) switch (insn.opcode << 4 | (insn.modrm >> 3 & 7)) {
      case 0xd94: return &fldenv;
      case 0xd95: return &fldcw;
      case 0xd96: return &fnstenv;
      case 0xd97: return &fnstcw;
      case 0xdd4: return &frstor;
      case 0xdd6: return &fnsave;
      case 0xdd7: return &fnstsw_memory;
      default: return nullptr;
    }
  switch (insn.opcode << 8 | insn.modrm) {
    case 0xdbe0:
    case 0xdbe1:
    case 0xdbe4: return &no_operation;
    case 0xdbe2: return &fnclex;
    case 0xdbe3: return &fninit;
    case 0xdfe0: return &fnstsw_ax;
    default: return nullptr;
  }
}

}  // namespace rhea::x86::interp
