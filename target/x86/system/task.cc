// SPDX-License-Identifier: GPL-2.0-or-later
// The hardware task switch: leaving one TSS, entering another (SDM vol. 3, 8.2 and 8.3).
#include "target/x86/system/task.h"

#include "target/x86/paging.h"
#include "target/x86/system/segments.h"
#include "target/x86/system/stack.h"

#include <algorithm>

namespace rhea::x86::system {
namespace {

constexpr u32 kDebugTrap = 0x64, kPageDirectory = 0x1c;
constexpr u64 kLocalBreakpoints = 0x155;

/// Where a TSS of either width keeps things.
struct Layout {
  unsigned word{};  ///< size of registers
  u32 ip{}, flags{}, gpr{}, selectors{}, ldt{}, least_limit{};
  unsigned selector_count{};
  unsigned selector_stride() const { return word; }
};
constexpr Layout kLayout16{.word = 2,
                           .ip = 0x0e,
                           .flags = 0x10,
                           .gpr = 0x12,
                           .selectors = 0x22,
                           .ldt = 0x2a,
                           .least_limit = 0x2b,
                           .selector_count = 4};
constexpr Layout kLayout32{.word = 4,
                           .ip = 0x20,
                           .flags = 0x24,
                           .gpr = 0x28,
                           .selectors = 0x48,
                           .ldt = 0x60,
                           .least_limit = 0x67,
                           .selector_count = 6};

const Layout& layout_of(unsigned type) { return (type & 8) != 0 ? kLayout32 : kLayout16; }

/// What the new TSS holds.
struct Image {
  u32 cr3{}, ip{}, flags{};
  std::array<u32, 8> gpr{};
  std::array<u16, 6> selectors{};
  u16 ldt{};
  bool debug_trap{};
};

template <class T>
T peek(Cpu& cpu, u64 base, u32 offset) {
  return cpu.read_system<T>((base + offset) & 0xffff'ffff);
}
u32 peek_word(Cpu& cpu, u64 base, u32 offset, unsigned word) {
  return word == 4 ? peek<u32>(cpu, base, offset) : peek<u16>(cpu, base, offset);
}
template <class T>
void poke(Cpu& cpu, u64 base, u32 offset, T value) {
  cpu.write_system<T>((base + offset) & 0xffff'ffff, value);
}
void poke_word(Cpu& cpu, u64 base, u32 offset, u64 value, unsigned word) {
  if (word == 4)
    poke(cpu, base, offset, static_cast<u32>(value));
  else
    poke(cpu, base, offset, static_cast<u16>(value));
}

Descriptor find_tss(Cpu& cpu, u16 selector, const TaskSwitch& request) {
  const bool back = request.how == TaskSwitch::Return;
  const Vector vector = back ? Vector::Ts : Vector::Gp;
  const u32 error = selector_error(selector, request.external);
  if (is_null(selector) || (selector & 4) != 0) raise(vector, error);
  const Descriptor d = fetch_descriptor(cpu, selector, vector, request.external);
  const unsigned state = back ? kBusy : 0;
  if (d.s() || (d.type() != (kTss16 | state) && d.type() != (kTss32 | state))) raise(vector, error);
  if (!d.present()) raise(Vector::Np, error);
  if (d.limit() < layout_of(d.type()).least_limit) raise(Vector::Ts, error);
  return d;
}

Image read_image(Cpu& cpu, u64 base, const Layout& layout) {
  Image image;
  const unsigned word = layout.word;
  image.ip = peek_word(cpu, base, layout.ip, word);
  image.flags = peek_word(cpu, base, layout.flags, word);
  for (unsigned i = 0; i < 8; ++i)
    image.gpr[i] =
        peek_word(cpu, base, layout.gpr + i * word, word) | (word == 2 ? 0xffff'0000 : 0);
  for (unsigned i = 0; i < layout.selector_count; ++i)
    image.selectors[i] = peek<u16>(cpu, base, layout.selectors + i * layout.selector_stride());
  image.ldt = peek<u16>(cpu, base, layout.ldt);
  if (word == 4) {
    image.cr3 = peek<u32>(cpu, base, kPageDirectory);
    image.debug_trap = (peek<u16>(cpu, base, kDebugTrap) & 1) != 0;
  }
  return image;
}

void save_old(Cpu& cpu, const TaskSwitch& request) {
  const Layout& layout = layout_of(cpu.tr.type());
  const u64 base = cpu.tr.base;
  u64 flags = cpu.rflags() | (request.resume ? eflags::kRf : 0);
  if (request.how == TaskSwitch::Return) flags &= ~eflags::kNt;
  poke_word(cpu, base, layout.ip, cpu.rip(), layout.word);
  poke_word(cpu, base, layout.flags, flags, layout.word);
  for (unsigned i = 0; i < 8; ++i)
    poke_word(cpu, base, layout.gpr + i * layout.word, cpu.gpr[i], layout.word);
  for (unsigned i = 0; i < layout.selector_count; ++i)
    poke(cpu, base, layout.selectors + i * layout.selector_stride(), cpu.seg[i].selector);
}

/// The busy bits and the back link, the last steps that may fail in the old task.
void link_tasks(Cpu& cpu, const Descriptor& to, const TaskSwitch& request) {
  const bool nests = request.how == TaskSwitch::Call || request.how == TaskSwitch::Interrupt;
  if (nests) poke(cpu, to.base(), 0, cpu.tr.selector);
  if (!nests)
    if (const auto old = find_descriptor(cpu, cpu.tr.selector)) set_busy(cpu, old->address, false);
  if (request.how != TaskSwitch::Return) set_busy(cpu, to.address, true);
}

void load_page_directory(Cpu& cpu, u32 cr3) {
  if (!cpu.paging()) return;
  if ((cpu.cr4 & cr4::kPae) != 0 && !load_pdptes(cpu, cr3)) raise(Vector::Gp, 0);
  cpu.cr3 = cr3;
  cpu.load_space(false);
}

void load_registers(Cpu& cpu, const Image& image, const TaskSwitch& request) {
  cpu.cr0 |= cr0::kTs;
  cpu.dr7 &= ~kLocalBreakpoints;
  for (unsigned i = 0; i < 8; ++i) cpu.gpr[i] = image.gpr[i];
  u64 flags = image.flags & 0x003f'7fd5;
  if (request.how == TaskSwitch::Call || request.how == TaskSwitch::Interrupt) flags |= eflags::kNt;
  cpu.set_rflags(flags);
  cpu.set_rip(image.ip);
  cpu.insn_rip = image.ip;
  // Until each has been qualified it cannot be used.
  for (unsigned i = 0; i < 6; ++i) {
    cpu.seg[i] = {};
    cpu.seg[i].selector = image.selectors[i];
    cpu.seg[i].unusable = true;
  }
  cpu.ldtr = {};
  cpu.ldtr.selector = image.ldt;
  cpu.ldtr.unusable = true;
  cpu.set_cpl(cpu.eflag(eflags::kVm) ? 3 : rpl_of(image.selectors[Cs]));
}

void load_code(Cpu& cpu, u16 selector, u32 external) {
  const u32 error = selector_error(selector, external);
  if (is_null(selector)) raise(Vector::Ts, error);
  Descriptor d = fetch_descriptor(cpu, selector, Vector::Ts, external);
  const bool level = d.is_conforming() ? d.dpl() <= cpu.cpl : d.dpl() == cpu.cpl;
  if (!d.is_code() || !level) raise(Vector::Ts, error);
  if (!d.present()) raise(Vector::Np, error);
  mark_accessed(cpu, d);
  cpu.seg[Cs] = segment_from(selector, d);
  cpu.update_mode();
}

void load_data(Cpu& cpu, unsigned segment, u16 selector, u32 external) {
  if (is_null(selector)) return;
  const u32 error = selector_error(selector, external);
  Descriptor d = fetch_descriptor(cpu, selector, Vector::Ts, external);
  if (!d.is_readable()) raise(Vector::Ts, error);
  if (!d.is_conforming() && std::max<unsigned>(rpl_of(selector), cpu.cpl) > d.dpl())
    raise(Vector::Ts, error);
  if (!d.present()) raise(Vector::Np, error);
  mark_accessed(cpu, d);
  cpu.seg[segment] = segment_from(selector, d);
}

void load_segments(Cpu& cpu, const Image& image, u32 external) {
  load_ldtr(cpu, image.ldt, Vector::Ts, external);
  if (cpu.eflag(eflags::kVm)) {
    for (unsigned i = 0; i < 6; ++i) cpu.seg[i] = virtual_8086_segment(image.selectors[i]);
    return cpu.update_mode();
  }
  load_code(cpu, image.selectors[Cs], external);
  cpu.seg[Ss] = check_stack_segment(cpu, image.selectors[Ss], cpu.cpl, Vector::Ts, external);
  for (const unsigned n : {Es, Ds, Fs, Gs}) load_data(cpu, n, image.selectors[n], external);
}

}  // namespace

void switch_task(Cpu& cpu, u16 selector, const TaskSwitch& request) {
  Descriptor tss = find_tss(cpu, selector, request);
  const Layout& layout = layout_of(tss.type());
  const Image image = read_image(cpu, tss.base(), layout);
  save_old(cpu, request);
  link_tasks(cpu, tss, request);

  // The commit point: what fails from here on fails in the new task.
  tss.low |= u64{kBusy} << 40;
  cpu.tr = segment_from(selector, tss);
  cpu.leave_block = true;
  load_registers(cpu, image, request);
  if (layout.word == 4) load_page_directory(cpu, image.cr3);
  if (image.debug_trap) cpu.pending_db |= dr6::kBt;
  load_segments(cpu, image, request.external);
  if (request.error) {
    Stack stack(cpu);
    stack.push(*request.error, layout.word);
    stack.commit();
  }
  if (image.ip > cpu.seg[Cs].limit) raise(Vector::Gp, 0);
}

}  // namespace rhea::x86::system
