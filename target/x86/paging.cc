// SPDX-License-Identifier: GPL-2.0-or-later
// The page walker: 32-bit, PAE, 4-level and 5-level paging (SDM vol. 3, chapter 4).
#include "target/x86/paging.h"

#include "rhea/util/log.h"

namespace rhea::x86 {
namespace {

constexpr u64 kPresent = 1 << 0, kWritable = 1 << 1, kUser = 1 << 2, kAccessed = 1 << 5,
              kDirty = 1 << 6, kLarge = 1 << 7, kGlobal = 1 << 8, kNoExecute = u64{1} << 63;
constexpr u64 kAddress = 0x000f'ffff'ffff'f000;

/// Form of the tables: how many levels are walked in memory and how wide their entries are.
struct Form {
  unsigned levels{};
  unsigned entry_size{8};
  u64 table{};
  u64 reserved{};  ///< in every entry
  unsigned index_bits() const { return entry_size == 8 ? 9 : 10; }
};

struct Step {
  u64 address{};
  u64 entry{};
  const u8* host{};  ///< where the entry is; null: on a device, or nobody asked
};

enum class Outcome : u8 { Mapped, NotPresent, Reserved };

/// One walk from the root to the entry that maps the page.
struct Walk {
  Outcome outcome{Outcome::NotPresent};
  std::array<Step, 5> steps{};
  unsigned count{};
  u64 physical{};
  unsigned page_shift{12};
  bool user{true}, writable{true}, executable{true};
  unsigned key_rights{};  ///< what the page's protection key forbids: kNoAccess, kNoWrites

  const Step& leaf() const { return steps[count - 1]; }
};

bool long_paging(const Cpu& cpu) { return cpu.lma(); }
bool pae(const Cpu& cpu) { return (cpu.cr4 & cr4::kPae) != 0; }

u64 reserved_everywhere(const Cpu& cpu) {
  u64 reserved = kAddress & ~cpu.model->physical_mask();
  if (!long_paging(cpu)) reserved |= 0x7ff0'0000'0000'0000;
  if ((cpu.efer & efer::kNxe) == 0) reserved |= kNoExecute;
  return reserved;
}

/// The tables' form; for PAE paging they start behind the PDPTE. False: that is not present.
bool find_form(const Cpu& cpu, u64 linear, Form& form) {
  if (!pae(cpu)) {
    form = {.levels = 2, .entry_size = 4, .table = cpu.cr3 & 0xffff'f000, .reserved = 0};
    return true;
  }
  form.reserved = reserved_everywhere(cpu);
  if (long_paging(cpu)) {
    form.levels = (cpu.cr4 & cr4::kLa57) != 0 ? 5 : 4;
    form.table = cpu.cr3 & kAddress;
    return true;
  }
  const u64 pdpte = cpu.pdpte[linear >> 30 & 3];
  form.levels = 2;
  form.table = pdpte & kAddress;
  return (pdpte & kPresent) != 0;
}

/// Of the page at a physical address; null: it is not memory. Good until the bus is used.
const u8* table_page(Cpu& cpu, u64 page) {
  if (const u8* host = cpu.tlb.table_page(page)) [[likely]]
    return host;
  const u8* host = cpu.bus->page(page).read;
  if (host != nullptr) cpu.tlb.remember_table_page(page, host);
  return host;
}

void read_entry(Cpu& cpu, Step& step, unsigned size) {
  const u64 address = step.address & cpu.a20_mask;
  const u8* page = table_page(cpu, address & ~u64{0xfff});
  if (page == nullptr) {
    step.entry = cpu.bus->read(address, size);
    return;
  }
  step.host = page + (address & 0xfff);
  step.entry = size == 8
                   ? __atomic_load_n(reinterpret_cast<const u64*>(step.host), __ATOMIC_RELAXED)
                   : __atomic_load_n(reinterpret_cast<const u32*>(step.host), __ATOMIC_RELAXED);
}

/// As a debugger reads it: an entry that only a device could tell is not present.
void peek_entry(Cpu& cpu, Step& step, unsigned size) {
  const u64 address = step.address & cpu.a20_mask;
  const u8* page = cpu.bus->page(address & ~u64{0xfff}).read;
  if (page != nullptr) std::memcpy(&step.entry, page + (address & 0xfff), size);
}

using EntryReader = void (*)(Cpu&, Step& step, unsigned size);

/// Bits that must be clear in an entry of this level: 0 is the page table's.
u64 reserved_bits(const Cpu& cpu, const Form& form, unsigned level, u64 entry) {
  const bool large = level > 0 && (entry & kLarge) != 0;
  if (form.entry_size == 4) {
    if (!large || (cpu.cr4 & cr4::kPse) == 0) return 0;
    if (!cpu.has(Feature::Pse36)) return 0x003f'e000;
    // Bits 13 to 20 are bits 32 to 39 of the address.
    const unsigned width = std::min<unsigned>(cpu.model->physical_bits, 40);
    const u64 allowed = width > 32 ? ((u64{1} << (width - 32)) - 1) << 13 : 0;
    return 0x003f'e000 & ~allowed;
  }
  if (!large) return form.reserved;
  if (level == 1) return form.reserved | 0x001f'e000;
  if (level == 2 && cpu.has(Feature::Pdpe1gb)) return form.reserved | 0x3fff'e000;
  return form.reserved | kLarge;
}

bool is_leaf(const Cpu& cpu, const Form& form, unsigned level, u64 entry) {
  if (level == 0) return true;
  if ((entry & kLarge) == 0) return false;
  return form.entry_size == 8 || (cpu.cr4 & cr4::kPse) != 0;
}

u64 page_base(const Form& form, u64 entry, unsigned shift) {
  const u64 offset_mask = (u64{1} << shift) - 1;
  if (form.entry_size == 8) return entry & kAddress & ~offset_mask;
  if (shift == 12) return entry & 0xffff'f000;
  return (entry & 0xffc0'0000) | (entry & 0x001f'e000) << 19;
}

constexpr unsigned kNoAccess = 1, kNoWrites = 2;

/// SDM vol. 3, 4.6.2.
unsigned key_rights(const Cpu& cpu, const Walk& walk, u64 entry) {
  if (!long_paging(cpu) || (cpu.cr4 & (walk.user ? cr4::kPke : cr4::kPks)) == 0) return 0;
  return (walk.user ? cpu.pkru : cpu.pkrs) >> 2 * (entry >> 59 & 0xf) & 3;
}

Walk walk_tables(Cpu& cpu, u64 linear, EntryReader read) {
  Walk walk;
  Form form;
  if (!find_form(cpu, linear, form)) return walk;
  u64 table = form.table;
  for (unsigned level = form.levels; level-- > 0;) {
    const unsigned shift = 12 + form.index_bits() * level;
    const u64 index = linear >> shift & ((1u << form.index_bits()) - 1);
    Step& step = walk.steps[walk.count++];
    step.address = table + index * form.entry_size;
    read(cpu, step, form.entry_size);
    if ((step.entry & kPresent) == 0) return walk;
    if ((step.entry & reserved_bits(cpu, form, level, step.entry)) != 0) {
      walk.outcome = Outcome::Reserved;
      return walk;
    }
    walk.user &= (step.entry & kUser) != 0;
    walk.writable &= (step.entry & kWritable) != 0;
    walk.executable &= (step.entry & kNoExecute) == 0;
    if (is_leaf(cpu, form, level, step.entry)) {
      walk.page_shift = shift;
      walk.physical = page_base(form, step.entry, shift) | (linear & ((u64{1} << shift) - 1));
      walk.outcome = Outcome::Mapped;
      walk.key_rights = key_rights(cpu, walk, step.entry);
      return walk;
    }
    table = step.entry & (form.entry_size == 8 ? kAddress : 0xffff'f000);
  }
  return walk;
}

/// Whether the page's protection key forbids the access. Without CR0.WP supervisors write anywhere
/// but where there is no access at all.
bool key_forbids(const Cpu& cpu, const Walk& walk, AccessKind kind, Privilege as) {
  if (kind == AccessKind::Fetch) return false;
  if ((walk.key_rights & kNoAccess) != 0) return true;
  const bool user = as == Privilege::User || as == Privilege::UserAligned;
  return kind == AccessKind::Write && (walk.key_rights & kNoWrites) != 0 &&
         (user || (cpu.cr0 & cr0::kWp) != 0);
}

bool may_write(const Cpu& cpu, const Walk& walk, Privilege as) {
  if (key_forbids(cpu, walk, AccessKind::Write, as)) return false;
  const bool user = as == Privilege::User || as == Privilege::UserAligned;
  return walk.writable || (!user && (cpu.cr0 & cr0::kWp) == 0);
}

/// The rights of SDM vol. 3, 4.6.1.
bool allowed(const Cpu& cpu, const Walk& walk, AccessKind kind, Privilege as) {
  const bool user = as == Privilege::User || as == Privilege::UserAligned;
  if (kind == AccessKind::Fetch && !walk.executable) return false;
  if (key_forbids(cpu, walk, kind, as)) return false;
  if (user && !walk.user) return false;
  if (!user && walk.user) {
    if (kind == AccessKind::Fetch) {
      if ((cpu.cr4 & cr4::kSmep) != 0) return false;
    } else if ((cpu.cr4 & cr4::kSmap) != 0 && as == Privilege::Supervisor) {
      return false;
    }
  }
  return kind != AccessKind::Write || may_write(cpu, walk, as);
}

u32 error_code(const Cpu& cpu, const Walk& walk, AccessKind kind, Privilege as) {
  u32 error = 0;
  if (walk.outcome != Outcome::NotPresent) error |= pf::kPresent;
  if (walk.outcome == Outcome::Reserved) error |= pf::kReserved;
  if (kind == AccessKind::Write) error |= pf::kWrite;
  if (walk.outcome == Outcome::Mapped && key_forbids(cpu, walk, kind, as)) error |= pf::kKey;
  if (as == Privilege::User || as == Privilege::UserAligned) error |= pf::kUser;
  const bool nx = pae(cpu) && (cpu.efer & efer::kNxe) != 0;
  if (kind == AccessKind::Fetch && (nx || (cpu.cr4 & cr4::kSmep) != 0)) error |= pf::kFetch;
  return error;
}

template <class T>
bool exchange(Cpu& cpu, u64 address, u64 expected, u64 wanted) {
  address &= cpu.a20_mask;
  const HostPage page = cpu.bus->page(address & ~u64{0xfff});
  if (page.write == nullptr) {
    cpu.bus->write(address, wanted, sizeof(T));
    return true;
  }
  auto* entry = reinterpret_cast<T*>(page.write + (address & 0xfff));
  T old = static_cast<T>(expected);
  if (!__atomic_compare_exchange_n(entry, &old, static_cast<T>(wanted), false, __ATOMIC_SEQ_CST,
                                   __ATOMIC_RELAXED))
    return false;
  if (page.watched) cpu.bus->wrote(address, sizeof(T));
  return true;
}

/// Sets the accessed bits and, for a write, the dirty bit; false: an entry has changed meanwhile.
bool mark(Cpu& cpu, Walk& walk, AccessKind kind) {
  const bool wide = pae(cpu);
  for (unsigned i = 0; i < walk.count; ++i) {
    Step& step = walk.steps[i];
    u64 wanted = step.entry | kAccessed;
    if (i + 1 == walk.count && kind == AccessKind::Write) wanted |= kDirty;
    if (wanted == step.entry) continue;
    const bool done = wide ? exchange<u64>(cpu, step.address, step.entry, wanted)
                           : exchange<u32>(cpu, step.address, step.entry, wanted);
    if (!done) return false;
    step.entry = wanted;
  }
  return true;
}

bool is_global(const Cpu& cpu, const Walk& walk) {
  return (walk.leaf().entry & kGlobal) != 0 && (cpu.cr4 & cr4::kPge) != 0;
}

/// So that the processor knows when what it makes of the walk is worth nothing any more.
void record(Cpu& cpu, const Walk& walk, u64 linear, AccessKind kind) {
  std::array<WalkedPage::Step, 5> steps;
  for (unsigned i = 0; i < walk.count; ++i)
    steps[i] = {.entry = walk.steps[i].host, .value = walk.steps[i].entry};
  cpu.tlb.record(cpu.space(), {.steps = std::span(steps).first(walk.count),
                               .linear = linear,
                               .page_shift = walk.page_shift,
                               .narrow = !pae(cpu),
                               .fetched = kind == AccessKind::Fetch,
                               .global = is_global(cpu, walk)});
  // A changed upper table makes the TLBs begin anew, and they may be smaller then.
  cpu.update_views();
}

}  // namespace

OrFault<Translation> find_translation(Cpu& cpu, u64 linear, AccessKind kind, Privilege as) {
  if (!cpu.paging())
    return Translation{.physical = linear & cpu.a20_mask, .writable = true, .global = false};
  for (;;) {
    Walk walk = walk_tables(cpu, linear, read_entry);
    if (walk.outcome != Outcome::Mapped || !allowed(cpu, walk, kind, as))
      return Unexpected(page_fault(linear, error_code(cpu, walk, kind, as)));
    if (!mark(cpu, walk, kind)) continue;
    record(cpu, walk, linear, kind);
    if (log_enabled(LogItem::Mmu)) [[unlikely]]
      log_write(fmt::format("mmu: {:#x} is {:#x}\n", linear, walk.physical));
    const u64 entry = walk.leaf().entry;
    return Translation{.physical = walk.physical & cpu.a20_mask,
                       .writable = (entry & kDirty) != 0 && may_write(cpu, walk, as),
                       .global = is_global(cpu, walk)};
  }
}

std::optional<u64> translate_quietly(Cpu& cpu, u64 linear) {
  if (!cpu.paging()) return linear & cpu.a20_mask;
  const Walk walk = walk_tables(cpu, linear, peek_entry);
  if (walk.outcome != Outcome::Mapped) return std::nullopt;
  return walk.physical & cpu.a20_mask;
}

bool load_pdptes(Cpu& cpu, u64 cr3) {
  const u64 reserved = 0x1e6 | (~cpu.model->physical_mask() & ~u64{0xfff});
  std::array<u64, 4> loaded{};
  for (unsigned i = 0; i < 4; ++i) {
    Step step{.address = (cr3 & 0xffff'ffe0) + 8 * i};
    read_entry(cpu, step, 8);
    loaded[i] = step.entry;
    if ((loaded[i] & kPresent) != 0 && (loaded[i] & reserved) != 0) return false;
  }
  cpu.pdpte = loaded;
  return true;
}

}  // namespace rhea::x86
