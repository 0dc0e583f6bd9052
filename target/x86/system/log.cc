// SPDX-License-Identifier: GPL-2.0-or-later
#include "target/x86/system/log.h"

#include "rhea/util/log.h"
#include "rhea/util/log_filter.h"

#include <atomic>

namespace rhea::x86 {
namespace {

std::string registers(const Cpu& cpu) {
  CpuState state;
  cpu.save(state);
  std::string text = format_core_registers(state);
  if (log_enabled(LogItem::Fpu)) text += format_fpu_registers(state);
  return text;
}

/// What QEMU keys its blocks by: the mode's bits at the places that readers of such logs know.
u32 block_flags(const Cpu& cpu) {
  const auto bit = [](bool value, unsigned place) { return u32{value} << place; };
  const bool flat = cpu.seg[Ds].base == 0 && cpu.seg[Es].base == 0 && cpu.seg[Ss].base == 0;
  const bool adds_bases = !cpu.long_mode() && (cpu.mode <= Mode::Virtual8086 || !flat);
  return cpu.cpl | bit(cpu.shadow, 3) | bit(cpu.code_bits >= 32, 4) | bit(cpu.seg[Ss].db(), 5) |
         bit(adds_bases, 6) | bit(cpu.protected_mode(), 7) | bit(cpu.eflag(eflags::kTf), 8) |
         bit((cpu.cr0 & cr0::kMp) != 0, 9) | bit((cpu.cr0 & cr0::kEm) != 0, 10) |
         bit((cpu.cr0 & cr0::kTs) != 0, 11) | cpu.iopl() << 12 | bit(cpu.lma(), 14) |
         bit(cpu.long_mode(), 15) | bit(cpu.eflag(eflags::kRf), 16) |
         bit(cpu.eflag(eflags::kVm), 17) | bit(cpu.eflag(eflags::kAc), 18) | bit(cpu.smm, 19);
}

u64 code_base(const Cpu& cpu) { return cpu.long_mode() ? 0 : cpu.seg[Cs].base; }

}  // namespace

void log_code(const Cpu& cpu, std::span<const u8> code, u64 linear) {
  if (!log_filter_takes(linear)) return;
  log_write("----------------\nIN: \n" + disassemble(code, GuestVirt(linear), cpu.code_bits, ~0U) +
            "\n");
}

// In QEMU's words.
void log_host_code(const HostCode& code) {
  if (!log_filter_takes(code.linear.front())) return;
  std::string text = fmt::format("OUT: [size={}]\n", code.end - code.begin);
  u32 begin = code.begin;
  const auto list_up_to = [&](u32 end) {
    text += disassemble({code.at + begin, end - begin},
                        GuestVirt(reinterpret_cast<u64>(code.at + begin)), 64, ~0U);
    begin = end;
  };
  for (std::size_t n = 0; n + 1 < code.starts.size(); ++n) {
    text += fmt::format("  -- guest addr 0x{:016x}{}\n", code.linear[n],
                        n == 0 ? " + tb prologue" : "");
    list_up_to(code.starts[n + 1]);
  }
  text += "  -- tb slow paths\n";
  list_up_to(code.end);
  log_write(text + "\n");
}

void log_block(const Cpu& cpu, unsigned index, const void* block) {
  if (!log_filter_takes(code_base(cpu) + cpu.rip())) return;
  if (log_enabled(LogItem::Exec))
    log_write(fmt::format("Trace {}: {} [{:016x}/{:016x}/{:08x}/{:08x}] \n", index, block,
                          code_base(cpu), code_base(cpu) + cpu.rip(), block_flags(cpu), 0));
  if (log_enabled(LogItem::Cpu)) log_write(registers(cpu));
}

void log_event(const Cpu& cpu, const Event& event) {
  if (!log_enabled(LogItem::Int)) [[likely]]
    return;
  if (event.kind == EventKind::External)
    log_write(fmt::format("Servicing hardware INT=0x{:02x}\n", event.vector));
  if (!cpu.protected_mode()) return;
  static std::atomic<u32> count{0};
  const bool page_fault = event.kind == EventKind::Exception && event.vector == 0xe;
  log_write(fmt::format(
      "{:6}: v={:02x} e={:04x} i={} cpl={} IP={:04x}:{:016x} pc={:016x} SP={:04x}:{:016x} "
      "{}={:016x}\n",
      count++, event.vector, event.error, event.by_instruction() ? 1 : 0, cpu.cpl,
      cpu.seg[Cs].selector, cpu.rip(), code_base(cpu) + cpu.rip(), cpu.seg[Ss].selector,
      cpu.gpr[Rsp], page_fault ? "CR2" : "env->regs[R_EAX]", page_fault ? cpu.cr2 : cpu.gpr[Rax]));
  log_write(registers(cpu));
}

void log_fault_during(u8 first, u8 second) {
  if (log_enabled(LogItem::Int))
    log_write(fmt::format("check_exception old: 0x{:x} new 0x{:x}\n", first, second));
}

void log_management_mode(const Cpu& cpu, bool entering) {
  if (log_enabled(LogItem::Int))
    log_write((entering ? "SMM: enter\n" : "SMM: after RSM\n") + registers(cpu));
}

}  // namespace rhea::x86
