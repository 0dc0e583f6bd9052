// SPDX-License-Identifier: GPL-2.0-or-later
// The wild guest's machine and code, and what is looked at afterwards.
#include "tests/jit/wild_guest.h"

#include "target/x86/models.h"

#include <fmt/format.h>
#include <immintrin.h>

#include <algorithm>
#include <tuple>

namespace rhea::test {
namespace {

x86::CpuModel model_of(const char* name, unsigned apic_id) {
  x86::CpuModel model = x86::make_model(x86::parse_cpu(name).value()).value();
  model.apic_id = apic_id;
  return model;
}

/// Rows by what executes them, so that the many vector instructions do not crowd out the rest.
std::vector<std::vector<const x86::isa::Row*>> row_groups() {
  using x86::isa::Map;
  std::vector<std::vector<const x86::isa::Row*>> groups(6);
  for (const x86::isa::Row& row : x86::isa::rows()) {
    const bool x87 = row.map == Map::OneByte && row.opcode >= 0xd8 && row.opcode <= 0xdf;
    const bool system = row.is(x86::isa::EndsBlock) || row.is(x86::isa::Cpl0);
    const bool vector = row.is(x86::isa::NativeVector);
    groups[row.vex                   ? 5
           : vector                  ? 4
           : x87                     ? 3
           : system                  ? 2
           : row.map == Map::OneByte ? 0
                                     : 1]
        .push_back(&row);
  }
  return groups;
}

}  // namespace

WildGuest::WildGuest(bool translate, unsigned cpus, const char* model) : groups_(row_groups()) {
  const DomainGuard guard(&machine_.lock());
  // Little room for host code, so that it is evicted all the time.
  vm_ = std::make_unique<jit::Vm>(machine_, translate, 256 * KiB);
  RHEA_ASSERT(ram_.init_ram(nullptr, "ram", kRam).has_value());
  RHEA_ASSERT(rom_.init_rom(nullptr, "rom", 64 * KiB).has_value());
  RHEA_ASSERT(overlay_.init_ram(nullptr, "overlay", 64 * KiB).has_value());
  device_.init_io(nullptr, "device", 64 * KiB, io<&WildGuest::read, &WildGuest::write>(), this);
  ports_.init_io(nullptr, "ports", 64 * KiB, io<&WildGuest::read, &WildGuest::write>(), this);
  Region& memory = machine_.system_memory();
  memory.add(0, ram_);
  memory.add(kOverlay, overlay_, 1);
  memory.add(kDevice, device_, 1);
  memory.add(kRom, rom_, 1);
  machine_.system_io().add(0, ports_);
  RHEA_ASSERT(vm_->board_ready().has_value());
  vcpu_ = std::make_unique<jit::JitVcpu>(*vm_, 0, model_of(model, 0));
  if (cpus > 1) other_ = std::make_unique<jit::JitVcpu>(*vm_, 1, model_of(model, 1));
}

WildGuest::~WildGuest() {
  const DomainGuard guard(&machine_.lock());
  other_.reset();
  vcpu_.reset();
  vm_.reset();
}

u64 WildGuest::read(u64, unsigned) { return random_(); }

// Now and then the memory map changes under the processor.
void WildGuest::write(u64 offset, u64, unsigned) {
  if (offset % 128 == 66) overlay_.set_enabled(one_in(2));
}

void WildGuest::start(u64 seed) {
  random_.seed(seed);
  vcpu_->reset(ResetKind::Cold);
  // Whoever leaves the code comes to a HLT soon. Below the overlay, too.
  for (const bool enabled : {false, true}) {
    {
      const DomainGuard guard(&machine_.lock());
      overlay_.set_enabled(enabled);
    }
    static_cast<void>(machine_.memory().fill(0, 0xf4, kRam));
  }
  mode_ = static_cast<WildMode>(below(kWildModes));
  user_ = mode_ == WildMode::Virtual8086 || (mode_ != WildMode::Real && one_in(2));
  fill_code();  // first: it says what addresses the others may mean
  fill_data();
  fill_descriptors();
  fill_gates();
  fill_page_tables();
  enter_mode();
  vcpu_->write_apic(0xf0, 0x1ff, 4);  // software-enabled
}

/// A valid instruction, a valid one with a flaw, or any bytes.
std::vector<u8> WildGuest::instruction() {
  std::vector<u8> bytes;
  const bool narrow = mode_ <= WildMode::Protected16;
  const x86::isa::GenerateMode how{.code_bits = mode_ == WildMode::Long ? u8{64}
                                                : narrow                ? u8{16}
                                                                        : u8{32}};
  if (one_in(64)) return {0x0f, 0xaa};  // RSM
  const auto& group = groups_[below(groups_.size())];
  if (!one_in(8)) generate(*group[below(group.size())], random_, how, bytes);
  if (bytes.empty() || one_in(16))
    for (u64 n = 1 + below(6); n > 0; --n) bytes.push_back(static_cast<u8>(random_()));
  if (one_in(8)) bytes[below(bytes.size())] ^= static_cast<u8>(1U << below(8));
  return bytes;
}

void WildGuest::fill_code() {
  code_starts_.clear();
  for (unsigned chunk = 0; chunk < 3; ++chunk) {
    // One is where system management mode begins, one runs over a page's end.
    u64 at = kCode + (chunk == 0 ? 0 : chunk == 1 ? 0x2f80 : 0x400 + below(kCodeBytes - 0x800));
    for (unsigned n = 0; n < 40; ++n) {
      code_starts_.push_back(at);
      const std::vector<u8> bytes = instruction();
      static_cast<void>(machine_.memory().write(at, bytes));
      at += bytes.size();
    }
    const std::array<u8, 2> back{0xeb, static_cast<u8>(random_())};  // JMP
    static_cast<void>(machine_.memory().write(at, back));
  }
}

std::string WildGuest::tlb_damage() {
  struct Memory {
    const Region* region;
    bool writable;
  };
  const std::array<Memory, 3> all{{{&ram_, true}, {&overlay_, true}, {&rom_, false}}};
  const auto wrong = [&](const x86::TlbEntry& entry, bool write) {
    const auto* host = reinterpret_cast<const u8*>(entry.page + entry.addend);
    const auto holds = [&](const Memory& memory) {
      const u8* first = memory.region->host();
      const u64 size = memory.region->ram()->size();
      return host >= first && host + kPageSize <= first + size && (memory.writable || !write);
    };
    const auto found = std::ranges::find_if(all, holds);
    if (found == all.end()) return true;
    const auto offset = static_cast<u64>(host - found->region->host());
    return write && vm_->code().of(found->region->ram()).at(offset).watched();
  };
  std::string damage;
  vcpu_->cpu().tlb.visit([&](const x86::TlbEntry& entry, bool write) {
    if (wrong(entry, write))
      damage = fmt::format("TLB entry to {} {:#x}", write ? "write" : "read", entry.page);
  });
  return damage;
}

// Guest instructions run on the host's processor; they must leave it as Rhea's own code needs it.
std::string WildGuest::host_damage() {
  u16 control = 0;
  asm volatile("fnstcw %0" : "=m"(control));
  u64 flags = 0;
  asm volatile("pushfq; pop %0" : "=r"(flags));
  constexpr u32 kMxcsrStatus = 0x3f;
  if ((_mm_getcsr() & ~kMxcsrStatus) != x86::kMxcsrReset)
    return fmt::format("MXCSR {:#x}", _mm_getcsr());
  if (control != 0x37f) return fmt::format("x87 control word {:#x}", control);
  if ((flags & (x86::eflags::kDf | x86::eflags::kAc | x86::eflags::kTf)) != 0)
    return fmt::format("flags {:#x}", flags);
  return {};
}

std::string WildGuest::damage() {
  x86::Cpu& cpu = vcpu_->cpu();
  const auto derived = [&] { return std::tuple(cpu.mode, cpu.code_bits, cpu.privilege); };
  const auto before = derived();
  cpu.update_mode();
  if (before != derived()) return "mode does not follow from the registers";
  if (cpu.cpl > 3 || (cpu.rip() & ~cpu.rip_mask) != 0) return "CPL or RIP out of range";
  if (cpu.gpr[x86::kNoReg] != 0) return "the register that is none is not zero";
  if ((cpu.mxcsr & ~x86::kMxcsrMask) != 0) return "reserved bits in MXCSR";
  if (std::string found = tlb_damage(); !found.empty()) return found;
  return host_damage();
}

}  // namespace rhea::test
