// SPDX-License-Identifier: GPL-2.0-or-later
// A software processor on a flat piece of memory, with ports that remember what they were told.
//
//   CpuBench bench;
//   bench.enter_protected();
//   const auto fault = bench.execute(x86::system::jmpf, bench.far(0x08, 0x5000));
//   EXPECT_EQ(bench.cpu.rip(), 0x5000);
#pragma once

#include "target/x86/cpu.h"

#include <array>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace rhea::test {

class TranslatedInsn;

struct PortAccess {
  u16 port{};
  u64 value{};
  unsigned size{};
  friend bool operator==(const PortAccess&, const PortAccess&) = default;
};

/// The eight bytes of a segment descriptor. `attributes` as SegmentRegister has them; with G the
/// limit counts pages.
constexpr u64 descriptor(u64 base, u32 limit, u16 attributes) {
  return (limit & 0xffff) | (base & 0xff'ffff) << 16 | u64{attributes} << 40 |
         u64{limit >> 16 & 0xf} << 48 | (base >> 24 & 0xff) << 56;
}
/// Of a gate; `access` is its byte 5: P, DPL, type.
constexpr u64 gate(u16 selector, u32 offset, u8 access, u8 parameters = 0) {
  return (offset & 0xffff) | u64{selector} << 16 | u64{parameters} << 32 | u64{access} << 40 |
         u64{offset >> 16} << 48;
}

class CpuBench final : public x86::Bus {
 public:
  static constexpr u64 kGdt = 0x1000, kTss = 0x2000, kIdt = 0x3000, kTables = 0x8000;
  // Selectors of the flat GDT.
  static constexpr u16 kCode0 = 0x08, kData0 = 0x10, kCode3 = 0x1b, kData3 = 0x23, kLong0 = 0x28,
                       kLong3 = 0x33, kTssSelector = 0x40, kFree = 0x50;

  /// Every feature on, four mebibytes of memory, reset state.
  explicit CpuBench(std::string_view vendor = "AuthenticAMD");
  ~CpuBench() override;

  // ---- Set-up.
  /// CPL 0 in flat 32-bit segments, the GDT above, a 32-bit TSS with inner stacks (level n at
  /// 7000h + 400h * n), an empty IDT.
  void enter_protected();
  /// The same in 64-bit mode, identity-mapped with 2 MiB pages from kTables on.
  void enter_long();
  /// CPL 3 with the flat user segments.
  void enter_user();
  /// Virtual-8086 mode with IOPL `iopl`, CS 2000h, SS 3000h:1000h.
  void enter_virtual_8086(unsigned iopl);
  void set_gdt(u16 selector, u64 low, u64 high = 0);
  void set_idt(u8 vector, u64 low, u64 high = 0);

  // ---- Execution: nullopt, or the fault, after which RIP is the instruction's own.
  std::optional<x86::Fault> execute(x86::Execute function, x86::Insn insn = {});
  /// One that was decoded: interpreted, or with RHEA_TRANSLATE=1 as host code.
  std::optional<x86::Fault> execute(const x86::Insn& decoded);
  /// Whatever throws a Fault.
  template <class Action>
  static std::optional<x86::Fault> fault_of(Action action) {
    try {
      action();
    } catch (const x86::Fault& fault) {
      return fault;
    }
    return std::nullopt;
  }

  // ---- Instructions. `size` is the operand size.
  static x86::Insn plain(unsigned size = 4);
  static x86::Insn far(u16 selector, u64 offset, unsigned size = 4);
  static x86::Insn immediate(u64 value, unsigned size = 4);
  /// Operand 0 is written, operand 1 read.
  static x86::Insn two(x86::Operand to, x86::Operand from, unsigned size = 4);
  /// DS:[`address`] as operand `n`.
  static x86::Insn memory(u32 address, unsigned n = 0, unsigned size = 4);
  static x86::Operand gpr(unsigned n, unsigned size = 4);
  static x86::Operand segment(unsigned n);
  static x86::Operand control(unsigned n);
  static x86::Operand debug(unsigned n);

  // ---- Memory and stack.
  template <class T>
  T peek(u64 address) const {
    T value;
    std::memcpy(&value, host(address), sizeof value);
    return value;
  }
  template <class T>
  void poke(u64 address, T value) {
    std::memcpy(host(address), &value, sizeof value);
  }

  /// All memory comes to lie elsewhere on the host, as when the memory map changes.
  void move_memory();

  std::vector<PortAccess> outs;
  std::map<u16, u64> ins;
  std::map<u32, u64> bus_msrs;
  std::vector<u64> wrote_to;                ///< watched stores
  std::function<void()> on_device = [] {};  ///< called by every access outside memory
  u64 watched_page{~u64{0}};
  u64 time{};
  u8 priority{};
  unsigned fpu_errors{};  ///< FERR#
  unsigned rests{};       ///< relax()

  // ---- Bus.
  x86::HostPage page(u64 address) override;
  void wrote(u64 address, unsigned size) override;
  u64 read(u64 address, unsigned size) override;
  void write(u64 address, u64 value, unsigned size) override;
  u64 in(u16 port, unsigned size) override;
  void out(u16 port, u64 value, unsigned size) override;
  u64 tsc() override { return time; }
  bool read_msr(u32 index, u64& value) override;
  bool write_msr(u32 index, u64 value) override;
  void fpu_error() override { ++fpu_errors; }
  void relax() override { ++rests; }
  u8 task_priority() override { return priority; }
  void set_task_priority(u8 value) override { priority = value; }

 private:
  /// Of guests, on the host's too: translated code has the host check alignment.
  struct alignas(4096) Page {
    std::array<u8, 4096> bytes{};
  };
  u8* host(u64 address) { return reinterpret_cast<u8*>(memory_.data()) + address; }
  const u8* host(u64 address) const {
    return reinterpret_cast<const u8*>(memory_.data()) + address;
  }

  std::vector<Page> memory_;

 public:
  x86::CpuModel model;
  x86::Cpu cpu;

 private:
  static x86::CpuModel full_model(std::string_view vendor);

  std::unique_ptr<TranslatedInsn> translated_;
};

}  // namespace rhea::test
