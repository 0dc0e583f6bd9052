// SPDX-License-Identifier: GPL-2.0-or-later
// The processor's test bench: memory, ports, modes.
#include "tests/support/cpu_bench.h"

#include "target/x86/system/segments.h"
#include "tests/support/environment.h"
#include "tests/support/translated_insn.h"

namespace rhea::test {
namespace {

constexpr std::size_t kMemory = 4 << 20;

x86::SegmentRegister load(CpuBench& bench, u16 selector) {
  x86::system::Descriptor d;
  d.low = bench.peek<u64>(CpuBench::kGdt + (selector & 0xfff8));
  return x86::system::segment_from(selector, d);
}

void load_flat(CpuBench& bench, u16 code, u16 data) {
  for (x86::SegmentRegister& s : bench.cpu.seg) s = load(bench, data);
  bench.cpu.seg[x86::Cs] = load(bench, code);
}

}  // namespace

x86::CpuModel CpuBench::full_model(std::string_view vendor) {
  x86::CpuModel model;
  model.name = "test";
  model.vendor = vendor;
  model.features.set();
  model.set(x86::Feature::Svm, false);
  return model;
}

CpuBench::CpuBench(std::string_view vendor)
    : memory_(kMemory / sizeof(Page)), model(full_model(vendor)), cpu(*this, model) {
  bus_msrs[0x1b] = 0xfee0'0900;
  if (from_environment("RHEA_TRANSLATE", 0) != 0)
    translated_ = std::make_unique<TranslatedInsn>(cpu);
}

CpuBench::~CpuBench() = default;

void CpuBench::set_gdt(u16 selector, u64 low, u64 high) {
  poke<u64>(kGdt + (selector & 0xfff8u), low);
  if (high != 0) poke<u64>(kGdt + (selector & 0xfff8u) + 8, high);
}

void CpuBench::set_idt(u8 vector, u64 low, u64 high) {
  if (!cpu.lma()) return poke<u64>(kIdt + 8u * vector, low);
  poke<u64>(kIdt + 16u * vector, low);
  poke<u64>(kIdt + 16u * vector + 8, high);
}

void CpuBench::enter_protected() {
  set_gdt(kCode0, descriptor(0, 0xf'ffff, 0xc09b));
  set_gdt(kData0, descriptor(0, 0xf'ffff, 0xc093));
  set_gdt(kCode3, descriptor(0, 0xf'ffff, 0xc0fb));
  set_gdt(kData3, descriptor(0, 0xf'ffff, 0xc0f3));
  set_gdt(kLong0, descriptor(0, 0xf'ffff, 0xa09b));
  set_gdt(kLong3, descriptor(0, 0xf'ffff, 0xa0fb));
  set_gdt(kTssSelector, descriptor(kTss, 0xfff, 0x008b));
  for (u32 level = 0; level < 3; ++level) {
    poke<u32>(kTss + 4 + 8 * level, 0x7000 + 0x400 * level);
    poke<u16>(kTss + 8 + 8 * level, kData0 + static_cast<u16>(level));
  }
  cpu.gdtr = {.base = kGdt, .limit = 0xfff};
  cpu.idtr = {.base = kIdt, .limit = 0xfff};
  cpu.cr0 |= x86::cr0::kPe;
  load_flat(*this, kCode0, kData0);
  cpu.tr = load(*this, kTssSelector);
  cpu.ldtr = {};
  cpu.ldtr.unusable = true;
  cpu.gpr[x86::Rsp] = 0x6000;
  cpu.set_rip(0x4000);
  cpu.set_cpl(0);
}

void CpuBench::enter_long() {
  enter_protected();
  poke<u64>(kTables, (kTables + 0x1000) | 7);
  poke<u64>(kTables + 0x1000, (kTables + 0x2000) | 7);
  for (u64 i = 0; i < 512; ++i) poke<u64>(kTables + 0x2000 + 8 * i, i << 21 | 0x87);
  for (u32 level = 0; level < 3; ++level) poke<u64>(kTss + 4 + 8 * level, 0x7000 + 0x400 * level);
  cpu.cr3 = kTables;
  cpu.cr4 |= x86::cr4::kPae;
  cpu.cr0 |= x86::cr0::kPg;
  cpu.efer |= x86::efer::kLme | x86::efer::kLma | x86::efer::kSce | x86::efer::kNxe;
  load_flat(*this, kLong0, kData0);
  cpu.set_cpl(0);
}

void CpuBench::enter_user() {
  load_flat(*this, cpu.lma() ? kLong3 : kCode3, kData3);
  cpu.gpr[x86::Rsp] = 0x5000;
  cpu.set_cpl(3);
}

void CpuBench::enter_virtual_8086(unsigned iopl) {
  enter_protected();
  for (x86::SegmentRegister& s : cpu.seg) s = x86::system::virtual_8086_segment(0x3000);
  cpu.seg[x86::Cs] = x86::system::virtual_8086_segment(0x2000);
  cpu.gpr[x86::Rsp] = 0x1000;
  cpu.set_rip(0x100);
  cpu.set_rflags(x86::eflags::kVm | u64{iopl} << 12);
  cpu.set_cpl(3);
}

std::optional<x86::Fault> CpuBench::execute(x86::Execute function, x86::Insn insn) {
  cpu.insn_rip = cpu.rip();
  cpu.set_rip(cpu.rip() + insn.length);
  const auto fault = fault_of([&] { function(cpu, insn); });
  if (fault) cpu.set_rip(cpu.insn_rip);
  return fault;
}

std::optional<x86::Fault> CpuBench::execute(const x86::Insn& decoded) {
  if (!translated_) return execute(decoded.exec, decoded);
  const u64 rip = cpu.rip();
  const auto fault = translated_->run(decoded);
  if (fault) cpu.set_rip(rip);
  return fault;
}

x86::Insn CpuBench::plain(unsigned size) {
  x86::Insn insn;
  insn.length = 2;
  insn.operand_size = static_cast<u8>(size);
  insn.address_size = 4;
  insn.seg = x86::Ds;
  return insn;
}

x86::Insn CpuBench::far(u16 selector, u64 offset, unsigned size) {
  x86::Insn insn = plain(size);
  insn.op[0].kind = x86::OperandKind::Far;
  insn.imm = offset;
  insn.imm2 = selector;
  return insn;
}

x86::Insn CpuBench::immediate(u64 value, unsigned size) {
  x86::Insn insn = plain(size);
  insn.op[0].kind = x86::OperandKind::Immediate;
  insn.imm = value;
  return insn;
}

x86::Insn CpuBench::two(x86::Operand to, x86::Operand from, unsigned size) {
  x86::Insn insn = plain(size);
  insn.op[0] = to;
  insn.op[1] = from;
  return insn;
}

x86::Insn CpuBench::memory(u32 address, unsigned n, unsigned size) {
  x86::Insn insn = plain(size);
  insn.op[n] = {.kind = x86::OperandKind::Memory, .size = static_cast<u8>(size)};
  insn.disp = static_cast<i32>(address);
  return insn;
}

x86::Operand CpuBench::gpr(unsigned n, unsigned size) {
  return {.kind = x86::OperandKind::Gpr, .reg = static_cast<u8>(n), .size = static_cast<u8>(size)};
}
x86::Operand CpuBench::segment(unsigned n) {
  return {.kind = x86::OperandKind::Segment, .reg = static_cast<u8>(n), .size = 2};
}
x86::Operand CpuBench::control(unsigned n) {
  return {.kind = x86::OperandKind::Control, .reg = static_cast<u8>(n), .size = 4};
}
x86::Operand CpuBench::debug(unsigned n) {
  return {.kind = x86::OperandKind::Debug, .reg = static_cast<u8>(n), .size = 4};
}

x86::HostPage CpuBench::page(u64 address) {
  if (address + 0x1000 > kMemory) return {};
  return {.read = host(address), .write = host(address), .watched = address == watched_page};
}

void CpuBench::move_memory() {
  std::vector<Page> moved(memory_);
  memory_.swap(moved);
  for (Page& page : moved) page.bytes.fill(0xee);
  cpu.flush_tlb();
}

void CpuBench::wrote(u64 address, unsigned) { wrote_to.push_back(address); }

u64 CpuBench::read(u64 address, unsigned size) {
  u64 value = ~u64{0};
  if (address + size <= kMemory) {
    value = 0;
    std::memcpy(&value, host(address), size);
  } else {
    on_device();
  }
  return value & x86::Cpu::size_mask(size);
}

void CpuBench::write(u64 address, u64 value, unsigned size) {
  if (address + size <= kMemory)
    std::memcpy(host(address), &value, size);
  else
    on_device();
}

u64 CpuBench::in(u16 port, unsigned) { return ins[port]; }

void CpuBench::out(u16 port, u64 value, unsigned size) {
  outs.push_back({.port = port, .value = value, .size = size});
}

bool CpuBench::read_msr(u32 index, u64& value) {
  const auto found = bus_msrs.find(index);
  if (found == bus_msrs.end()) return false;
  value = found->second;
  return true;
}

bool CpuBench::write_msr(u32 index, u64 value) {
  if (!bus_msrs.contains(index)) return false;
  bus_msrs[index] = value;
  return true;
}

}  // namespace rhea::test
