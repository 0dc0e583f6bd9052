// SPDX-License-Identifier: GPL-2.0-or-later
// Fetching and executing one instruction.
#include "target/x86/interp/step.h"

#include "target/x86/interp/bind.h"
#include "target/x86/paging.h"
#include "target/x86/system/debug.h"
#include "target/x86/system/events.h"

namespace rhea::x86 {
namespace {

constexpr u64 kOffset = 0xfff;

void undefined(Cpu&, const Insn&) { raise(Vector::Ud); }
void too_long(Cpu&, const Insn&) { raise(Vector::Gp, 0); }

/// The bytes at RIP, one behind the other.
class CodeReader {
 public:
  explicit CodeReader(Cpu& cpu) : cpu_(&cpu) {}
  u8 read(unsigned index) {
    Cpu& cpu = *cpu_;
    const u64 offset = (cpu.rip() + index) & cpu.rip_mask;
    if (!cpu.long_mode() && offset > cpu.seg[Cs].limit) raise(Vector::Gp, 0);
    const u64 linear = cpu.long_mode() ? offset : (cpu.seg[Cs].base + offset) & 0xffff'ffff;
    if ((linear & ~kOffset) != page_) {
      physical_ = translate(cpu, linear, AccessKind::Fetch, cpu.privilege).physical;
      page_ = linear & ~kOffset;
    }
    return cpu.read_physical<u8>((physical_ & ~kOffset) | (linear & kOffset));
  }

 private:
  Cpu* cpu_;
  u64 page_{~u64{0}}, physical_{};
};

}  // namespace

void set_decode_fault(Insn& insn, DecodeStatus status) {
  insn.exec = status == DecodeStatus::TooLong ? &too_long : &undefined;
}

bool is_undefined(const Insn& insn) { return insn.exec == &undefined || insn.exec == &too_long; }

void fetch(Cpu& cpu, Fetched& to) {
  cpu.insn_rip = cpu.rip();
  if (const u64 hit = due_breakpoint(cpu, linear_rip(cpu)); hit != 0)
    throw Fault{.vector = Vector::Db, .dr6 = hit};
  const DecodeMode how{.code_bits = cpu.code_bits,
                       .real_or_v86 = cpu.mode <= Mode::Virtual8086,
                       .features = &cpu.model->features,
                       .amd = cpu.model->is_amd()};
  CodeReader code(cpu);
  to.status = DecodeStatus::TooLong;
  for (to.count = 0; to.count < to.bytes.size();) {
    to.bytes[to.count] = code.read(to.count);
    ++to.count;
    const DecodeStatus status = decode({to.bytes.data(), to.count}, how, to.insn);
    if (status == DecodeStatus::NeedMore) continue;
    to.status = status;
    break;
  }
  if (to.status == DecodeStatus::Ok)
    interp::bind(to.insn);
  else
    set_decode_fault(to.insn, to.status);
}

void fetch_rest(Cpu& cpu, Fetched& to) {
  CodeReader code(cpu);
  try {
    for (; to.count < to.bytes.size(); ++to.count) to.bytes[to.count] = code.read(to.count);
  } catch (const Fault&) {
    return;  // to.count says how many there are
  }
}

void execute_alone(Cpu& cpu, const Insn& insn) {
  cpu.leave_block = false;
  cpu.traps_held = false;
  cpu.eflags &= ~eflags::kRf;
  cpu.set_rip((cpu.insn_rip + insn.length) & cpu.rip_mask);
  cpu.traced = cpu.eflag(eflags::kTf);
  insn.exec(cpu, insn);
  cpu.shadow = cpu.shadow_next;
  cpu.shadow_next = false;
  if (cpu.traced) cpu.pending_db |= dr6::kBs;
  if (cpu.pending_db != 0 && !cpu.traps_held) deliver_debug_traps(cpu);
}

void step(Cpu& cpu) {
  // A fast return that switched single-stepping on, before anybody looked behind each instruction.
  if (cpu.pending_db != 0 && !cpu.shadow) return deliver_debug_traps(cpu);
  Fetched fetched;
  fetch(cpu, fetched);
  execute_alone(cpu, fetched.insn);
}

void deliver_step_fault(Cpu& cpu, const Fault& fault) {
  cpu.set_rip(cpu.insn_rip);
  cpu.shadow = cpu.shadow_next = false;
  cpu.pending_db = 0;
  deliver_fault(cpu, fault);
}

}  // namespace rhea::x86
