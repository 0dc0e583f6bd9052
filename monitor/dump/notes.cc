// SPDX-License-Identifier: GPL-2.0-or-later
// ELF notes of processors: Linux's elf_prstatus of both widths (include/uapi/linux/elfcore.h), and
// the structure that QEMU writes beside them.
#include "monitor/dump/notes.h"

#include "monitor/dump/sink.h"

#include <elf.h>

#include <array>

namespace rhea::dump {
namespace {

using x86::CpuState;
using x86::Segment;

void add_note(std::vector<u8>& out, std::string_view owner, u32 type, std::span<const u8> content) {
  const auto put = [&out](std::span<const u8> bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
    out.resize((out.size() + 3) & ~std::size_t{3});
  };
  put(bytes_of(Elf64_Nhdr{.n_namesz = static_cast<u32>(owner.size() + 1),
                          .n_descsz = static_cast<u32>(content.size()),
                          .n_type = type}));
  std::vector<u8> name(owner.begin(), owner.end());
  name.push_back(0);
  put(name);
  put(content);
}

/// elf_prstatus: what no guest has is zero.
template <class Word, std::size_t kRegisters, std::size_t kBefore>
struct ProcessStatus {
  std::array<u8, kBefore> before{};
  u32 pid{};
  std::array<u8, sizeof(Word) == 8 ? 76 : 44> parents_and_times{};
  std::array<Word, kRegisters> registers{};
  std::array<u8, sizeof(Word)> fpu_valid{};  ///< 32 bits and what fills the structure up
};
using Status64 = ProcessStatus<u64, 27, 32>;
using Status32 = ProcessStatus<u32, 17, 24>;
static_assert(sizeof(Status64) == 336 && sizeof(Status32) == 144);

Status64 status64(const CpuState& cpu, unsigned index) {
  const auto& r = cpu.gpr;
  const auto selector = [&cpu](x86::Seg s) -> u64 { return cpu.segment[s].selector; };
  Status64 status;
  status.pid = index + 1;
  // The order of user_regs_struct.
  status.registers = {r[x86::R15],
                      r[x86::R14],
                      r[x86::R13],
                      r[x86::R12],
                      r[x86::Rbp],
                      r[x86::Rbx],
                      r[x86::R11],
                      r[x86::R10],
                      r[x86::R9],
                      r[x86::R8],
                      r[x86::Rax],
                      r[x86::Rcx],
                      r[x86::Rdx],
                      r[x86::Rsi],
                      r[x86::Rdi],
                      0,
                      cpu.rip,
                      selector(x86::Cs),
                      cpu.rflags,
                      r[x86::Rsp],
                      selector(x86::Ss),
                      cpu.segment[x86::Fs].base,
                      cpu.segment[x86::Gs].base,
                      selector(x86::Ds),
                      selector(x86::Es),
                      selector(x86::Fs),
                      selector(x86::Gs)};
  return status;
}

Status32 status32(const CpuState& cpu, unsigned index) {
  const auto reg = [&cpu](x86::Gpr r) { return static_cast<u32>(cpu.gpr[r]); };
  const auto selector = [&cpu](x86::Seg s) -> u32 { return cpu.segment[s].selector; };
  Status32 status;
  status.pid = index + 1;
  status.registers = {reg(x86::Rbx),
                      reg(x86::Rcx),
                      reg(x86::Rdx),
                      reg(x86::Rsi),
                      reg(x86::Rdi),
                      reg(x86::Rbp),
                      reg(x86::Rax),
                      selector(x86::Ds),
                      selector(x86::Es),
                      selector(x86::Fs),
                      selector(x86::Gs),
                      0,
                      static_cast<u32>(cpu.rip),
                      selector(x86::Cs),
                      static_cast<u32>(cpu.rflags),
                      reg(x86::Rsp),
                      selector(x86::Ss)};
  return status;
}

struct QemuSegment {
  u32 selector{}, limit{}, flags{}, padding{};
  u64 base{};
};

QemuSegment segment(const Segment& s) {
  const u32 flags = s.type << 8 | u32{s.s} << 12 | u32{s.dpl} << 13 | u32{s.present} << 15 |
                    (s.limit >> 16 & 0xf) << 16 | u32{s.avl} << 20 | u32{s.l} << 21 |
                    u32{s.db} << 22 | u32{s.g} << 23;
  return {.selector = s.selector, .limit = s.limit, .flags = flags, .base = s.base};
}

/// Version 1 of what a "QEMU" note holds.
struct QemuStatus {
  u32 version{1};
  u32 size{sizeof(QemuStatus)};
  std::array<u64, 16> general{};  ///< RAX RBX RCX RDX RSI RDI RSP RBP R8..R15
  u64 rip{}, rflags{};
  std::array<QemuSegment, 10> segments{};  ///< CS DS ES FS GS SS LDT TR GDT IDT
  std::array<u64, 5> control{};            ///< CR0 to CR4
  u64 kernel_gs_base{};
};
static_assert(sizeof(QemuStatus) == 0x1b8);

QemuStatus qemu_status(const CpuState& cpu) {
  constexpr std::array<unsigned, 16> kOrder = {
      x86::Rax, x86::Rbx, x86::Rcx, x86::Rdx, x86::Rsi, x86::Rdi, x86::Rsp, x86::Rbp,
      x86::R8,  x86::R9,  x86::R10, x86::R11, x86::R12, x86::R13, x86::R14, x86::R15};
  constexpr u32 kKernelGsBase = 0xc000'0102;
  QemuStatus status;
  for (std::size_t i = 0; i < kOrder.size(); ++i) status.general[i] = cpu.gpr[kOrder[i]];
  status.rip = cpu.rip;
  status.rflags = cpu.rflags;
  status.segments = {segment(cpu.segment[x86::Cs]),
                     segment(cpu.segment[x86::Ds]),
                     segment(cpu.segment[x86::Es]),
                     segment(cpu.segment[x86::Fs]),
                     segment(cpu.segment[x86::Gs]),
                     segment(cpu.segment[x86::Ss]),
                     segment(cpu.ldtr),
                     segment(cpu.tr),
                     {.limit = cpu.gdtr.limit, .base = cpu.gdtr.base},
                     {.limit = cpu.idtr.limit, .base = cpu.idtr.base}};
  status.control = {cpu.cr0, 0, cpu.cr2, cpu.cr3, cpu.cr4};
  for (const x86::Msr& msr : cpu.msrs)
    if (msr.index == kKernelGsBase) status.kernel_gs_base = msr.value;
  return status;
}

}  // namespace

std::vector<u8> processor_notes(const GuestImage& image) {
  std::vector<u8> notes;
  for (unsigned i = 0; i < image.cpus.size(); ++i) {
    if (image.is_64bit())
      add_note(notes, "CORE", NT_PRSTATUS, bytes_of(status64(image.cpus[i], i)));
    else
      add_note(notes, "CORE", NT_PRSTATUS, bytes_of(status32(image.cpus[i], i)));
  }
  for (const CpuState& cpu : image.cpus) add_note(notes, "QEMU", 0, bytes_of(qemu_status(cpu)));
  notes.insert(notes.end(), image.guest_note.begin(), image.guest_note.end());
  return notes;
}

}  // namespace rhea::dump
