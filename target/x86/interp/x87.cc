// SPDX-License-Identifier: GPL-2.0-or-later
// x87 instructions on the guest's whole x87 state.
#include "target/x86/interp/x87.h"

#include "target/x86/interp/bind.h"
#include "target/x86/interp/native_code.h"
#include "target/x86/isa/row.h"

#include <algorithm>
#include <vector>

namespace rhea::x86::interp {
namespace {

/// Loads `image`, then EFLAGS, executes, saves both; the host's FPU is as after FNINIT.
using X87Thunk = u64 (*)(void* memory, FxsaveImage* image, u64 flags);

constexpr unsigned kOpcodes = 8;

/// All encodings of D8..DF: with a memory operand by ModRM.reg, with registers by ModRM. One of the
/// process; complete before anybody can look.
class Thunks {
 public:
  Thunks() {
    for (unsigned opcode = 0; opcode < kOpcodes; ++opcode) {
      for (unsigned reg = 0; reg < 8; ++reg) memory_[opcode * 8 + reg] = add(opcode, reg << 3 | 7);
      for (unsigned modrm = 0xc0; modrm < 0x100; ++modrm)
        register_[opcode * 64 + modrm - 0xc0] = add(opcode, modrm);
    }
  }
  X87Thunk find(const Insn& insn) const {
    const unsigned opcode = insn.opcode & 7;
    return insn.modrm < 0xc0 ? memory_[opcode * 8 + (insn.modrm >> 3 & 7)]
                             : register_[opcode * 64 + insn.modrm - 0xc0];
  }

 private:
  X87Thunk add(unsigned opcode, unsigned modrm) {
    const u8 code[] = {0x48,
                       0x0f,
                       0xae,
                       0x0e,  // FXRSTOR64 [RSI]
                       0x52,
                       0x9d,  // PUSH RDX; POPFQ
                       static_cast<u8>(0xd8 | opcode),
                       static_cast<u8>(modrm),  // on [RDI]
                       0x9c,
                       0x58,  // PUSHFQ; POP RAX
                       0x48,
                       0x0f,
                       0xae,
                       0x06,  // FXSAVE64 [RSI]
                       0xdb,
                       0xe3,
                       0xc3};  // FNINIT; RET
    return reinterpret_cast<X87Thunk>(code_.add(code));
  }

  NativeCode code_{64 << 10};
  std::array<X87Thunk, kOpcodes * 8> memory_;
  std::array<X87Thunk, kOpcodes * 64> register_;
};

const Thunks& thunks() {
  static const Thunks all;
  return all;
}

struct MemoryOperand {
  u8 size{};
  bool store{};
};

/// By opcode and ModRM.reg (SDM vol. 2, tables ); the control instructions' are not in
/// it.
MemoryOperand memory_operand(const Insn& insn) {
  constexpr MemoryOperand kNone{}, kL2{2, false}, kL4{4, false}, kL8{8, false}, kL10{10, false},
      kS2{2, true}, kS4{4, true}, kS8{8, true}, kS10{10, true};
  constexpr std::array<std::array<MemoryOperand, 8>, kOpcodes> kOperands{{
      {kL4, kL4, kL4, kL4, kL4, kL4, kL4, kL4},
      {kL4, kNone, kS4, kS4, kNone, kNone, kNone, kNone},
      {kL4, kL4, kL4, kL4, kL4, kL4, kL4, kL4},
      {kL4, kS4, kS4, kS4, kNone, kL10, kNone, kS10},
      {kL8, kL8, kL8, kL8, kL8, kL8, kL8, kL8},
      {kL8, kS8, kS8, kS8, kNone, kNone, kNone, kNone},
      {kL2, kL2, kL2, kL2, kL2, kL2, kL2, kL2},
      {kL2, kS2, kS2, kS2, kL10, kL8, kS10, kS8},
  }};
  return kOperands[insn.opcode & 7][insn.modrm >> 3 & 7];
}

/// Without the exception flags: what the instruction raises shows alone. (Pending ones would trap.)
void to_image(const X87& x87, FxsaveImage& image) {
  image.fcw = x87.fcw;
  image.fsw = static_cast<u16>(x87.fsw & ~(kFswExceptions | fsw::kSf | kFswEs | kFswBusy));
  image.valid = x87.valid;
  image.mxcsr = kMxcsrReset;
  for (unsigned i = 0; i < 8; ++i) image.st[i] = x87.reg[(x87.top() + i) & 7];
}

void from_image(const FxsaveImage& image, X87& x87) {
  const u16 sticky = x87.fsw & (kFswExceptions | fsw::kSf | kFswEs | kFswBusy);
  x87.fsw = image.fsw | sticky;
  x87.valid = image.valid;
  for (unsigned i = 0; i < 8; ++i) {
    st(x87, i).significand = image.st[i].significand;
    st(x87, i).sign_exponent = image.st[i].sign_exponent;
  }
}

Execute bind_x87(const Insn& insn) {
  if (const Execute control = bind_x87_control(insn)) return control;
  if (const Execute quick = bind_x87_short(insn)) return quick;
  return &x87_any;
}

}  // namespace

void x87_any(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  alignas(16) std::array<u8, 16> memory{};
  const MemoryOperand operand = insn.modrm < 0xc0 ? memory_operand(insn) : MemoryOperand{};
  const u64 offset = cpu.effective_address(insn);
  if (operand.size != 0 && !operand.store)
    cpu.read_bytes(insn.seg, offset, memory.data(), operand.size);

  FxsaveImage image;
  to_image(cpu.x87, image);
  const u64 flags =
      thunks().find(insn)(memory.data(), &image, cpu.flags.value() | eflags::kFixed | eflags::kIf);

  // An unmasked exception other than a loss of precision keeps the result from memory.
  constexpr u16 kPrecision = 0x20;
  if (operand.store && (image.fsw & ~image.fcw & kFswExceptions & ~kPrecision) == 0)
    cpu.write_bytes(insn.seg, offset, memory.data(), operand.size);
  from_image(image, cpu.x87);
  set_x87_pointers(cpu, insn);
  if (isa::rows()[insn.row].flags.writes != 0) cpu.flags.set_value(flags);
}

/// The escape opcodes' encoding is regular: whatever the mnemonic, opcode and ModRM tell.
std::span<const Binding> x87_bindings() {
  static const std::vector<Binding> all = [] {
    std::vector<Binding> bindings;
    for (const isa::Row& row : isa::rows()) {
      if (row.map != isa::Map::OneByte || row.opcode < 0xd8 || row.opcode > 0xdf) continue;
      if (std::ranges::find(bindings, row.mnemonic, &Binding::mnemonic) == bindings.end())
        bindings.push_back({row.mnemonic, bind_x87});
    }
    bindings.push_back({"fwait", bind_x87_control});
    return bindings;
  }();
  return all;
}

}  // namespace rhea::x86::interp
