// SPDX-License-Identifier: GPL-2.0-or-later
// PUSH, POP, PUSHA, POPA, ENTER, LEAVE.
#include "target/x86/interp/operand.h"

#include <array>

namespace rhea::x86::interp {
namespace {

template <class Src>
struct Push {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    cpu.push<T>(Src::template get<T>(cpu, insn));
  }
};

// The size pushed is the operand size; an immediate's own size is smaller.
template <class Src>
Execute by_operand_size(const Insn& insn) {
  switch (insn.operand_size) {
    case 2: return &Push<Src>::template run<u16>;
    case 4: return &Push<Src>::template run<u32>;
    default: return &Push<Src>::template run<u64>;
  }
}
Execute bind_push(const Insn& insn) {
  switch (insn.op[0].kind) {
    case OperandKind::Immediate: return by_operand_size<AsImmediate>(insn);
    case OperandKind::Memory: return by_operand_size<InMemory>(insn);
    default: return by_operand_size<InRegister<0>>(insn);
  }
}

struct PopRegister {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    // POP rSP: the value popped wins over the increment.
    const T value = cpu.pop<T>();
    cpu.set_reg<T>(insn.op[0].reg, value);
  }
};

// The address is computed with rSP already raised (SDM vol. 2, POP), and rSP goes back if the
// destination faults.
struct PopMemory {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const u64 before = cpu.gpr[Rsp];
    const T value = cpu.pop<T>();
    const u64 after = cpu.gpr[Rsp];
    const u64 offset = cpu.effective_address(insn);
    cpu.gpr[Rsp] = before;
    cpu.write<T>(insn.seg, offset, value);
    cpu.gpr[Rsp] = after;
  }
};

template <class F>
Execute pop_by_size(const Insn& insn) {
  switch (insn.operand_size) {
    case 2: return &F::template run<u16>;
    case 4: return &F::template run<u32>;
    default: return &F::template run<u64>;
  }
}
Execute bind_pop(const Insn& insn) {
  return insn.op[0].kind == OperandKind::Memory ? pop_by_size<PopMemory>(insn)
                                                : pop_by_size<PopRegister>(insn);
}

/// Undoes what a faulting sequence of pushes or pops did to rSP.
class KeepStackPointer {
 public:
  explicit KeepStackPointer(Cpu& cpu) : cpu_(&cpu), before_(cpu.gpr[Rsp]) {}
  ~KeepStackPointer() {
    if (!done_) cpu_->gpr[Rsp] = before_;
  }
  KeepStackPointer(const KeepStackPointer&) = delete;
  KeepStackPointer& operator=(const KeepStackPointer&) = delete;
  void done() { done_ = true; }
  u64 before() const { return before_; }

 private:
  Cpu* cpu_;
  u64 before_;
  bool done_{false};
};

void pusha(Cpu& cpu, const Insn& insn) {
  KeepStackPointer keep(cpu);
  for (unsigned reg = 0; reg < 8; ++reg)
    cpu.push_sized(reg == Rsp ? keep.before() : cpu.gpr[reg], insn.operand_size);
  keep.done();
}

void popa(Cpu& cpu, const Insn& insn) {
  KeepStackPointer keep(cpu);
  std::array<u64, 8> values{};
  for (unsigned reg = 8; reg-- > 0;) values[reg] = cpu.pop_sized(insn.operand_size);
  keep.done();
  for (unsigned reg = 0; reg < 8; ++reg) {
    if (reg == Rsp) continue;
    if (insn.operand_size == 2)
      cpu.set_reg<u16>(reg, static_cast<u16>(values[reg]));
    else
      cpu.set_reg<u32>(reg, static_cast<u32>(values[reg]));
  }
}

void set_sized(Cpu& cpu, unsigned reg, u64 value, unsigned size) {
  if (size == 2)
    cpu.set_reg<u16>(reg, static_cast<u16>(value));
  else if (size == 4)
    cpu.set_reg<u32>(reg, static_cast<u32>(value));
  else
    cpu.gpr[reg] = value;
}

// ENTER size, level (SDM vol. 2). The frame pointers copied come by way of rBP with the stack's
// address size.
void enter(Cpu& cpu, const Insn& insn) {
  KeepStackPointer keep(cpu);
  const unsigned size = insn.operand_size, width = cpu.stack_address_size();
  const unsigned level = insn.imm2 & 31;
  const u64 mask = Cpu::size_mask(width);
  cpu.push_sized(cpu.gpr[Rbp], size);
  const u64 frame = cpu.gpr[Rsp];
  u64 walk = cpu.gpr[Rbp];
  for (unsigned n = 1; n < level; ++n) {
    walk -= size;
    const u64 at = walk & mask;
    cpu.push_sized(size == 8   ? cpu.read<u64>(Ss, at)
                   : size == 4 ? cpu.read<u32>(Ss, at)
                               : cpu.read<u16>(Ss, at),
                   size);
  }
  if (level > 0) cpu.push_sized(frame, size);
  const u64 sp = (cpu.gpr[Rsp] - (insn.imm & 0xffff)) & mask;
  cpu.probe_write(Ss, sp, size);  // the new top, as wide as an operand
  cpu.set_sp(sp, width);
  keep.done();
  set_sized(cpu, Rbp, frame, size);
}

void leave(Cpu& cpu, const Insn& insn) {
  KeepStackPointer keep(cpu);
  const unsigned width = cpu.stack_address_size();
  cpu.set_sp(cpu.gpr[Rbp] & Cpu::size_mask(width), width);
  const u64 value = cpu.pop_sized(insn.operand_size);
  keep.done();
  set_sized(cpu, Rbp, value, insn.operand_size);
}

constexpr std::array kBindings = {
    Binding{"push", &bind_push},       Binding{"pop", &bind_pop},
    Binding{"pusha", &always<&pusha>}, Binding{"popa", &always<&popa>},
    Binding{"enter", &always<&enter>}, Binding{"leave", &always<&leave>},
};

}  // namespace

std::span<const Binding> stack_bindings() { return kBindings; }

}  // namespace rhea::x86::interp
