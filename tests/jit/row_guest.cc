// SPDX-License-Identifier: GPL-2.0-or-later
// The machine for single rows of the instruction table.
#include "tests/jit/row_guest.h"

#include "target/x86/models.h"
#include "target/x86/system/segments.h"
#include "tests/support/cpu_bench.h"

#include <algorithm>
#include <cstring>

namespace rhea::test {
namespace {

constexpr u64 kGdt = 0x1000, kIdt = 0x3000, kHandlers = 0x5000, kTables = 0x8000;
constexpr u16 kCodeSelector = 0x08, kDataSelector = 0x10, kNarrowSelector = 0x18;
constexpr u64 kCodeDescriptor = descriptor(0, 0xf'ffff, 0xa09b),
              kDataDescriptor = descriptor(0, 0xf'ffff, 0xc093),
              kNarrowDescriptor = descriptor(0, 0xf'ffff, 0xc09b);

bool is_writable(u64 page) {
  return page == RowGuest::kStack || (page >= RowGuest::kData && page != RowGuest::kReadOnly);
}

x86::SegmentRegister segment(u16 selector, u64 low) {
  x86::system::Descriptor d;
  d.low = low;
  return x86::system::segment_from(selector, d);
}

}  // namespace

RowGuest::RowGuest(bool translates, RowMode mode, std::size_t code_bytes) : mode_(mode) {
  const DomainGuard guard(&machine_.lock());
  vm_ = std::make_unique<jit::Vm>(machine_, translates, code_bytes);
  RHEA_ASSERT(ram_.init_ram(nullptr, "ram", kRam).has_value());
  machine_.system_memory().add(0, ram_);
  RHEA_ASSERT(vm_->board_ready().has_value());
  vcpu_ = std::make_unique<jit::JitVcpu>(*vm_, 0,
                                         x86::make_model(x86::parse_cpu("max").value()).value());
  build_tables();
  enter_long_mode();
}

RowGuest::~RowGuest() {
  const DomainGuard guard(&machine_.lock());
  vcpu_.reset();
  vm_.reset();
}

void RowGuest::build_tables() {
  const auto poke = [this](u64 at, u64 value) { machine_.memory().store(at, value, 8); };
  poke(kGdt + kCodeSelector, kCodeDescriptor);
  poke(kGdt + kDataSelector, kDataDescriptor);
  poke(kGdt + kNarrowSelector, kNarrowDescriptor);
  for (unsigned vector = 0; vector < 32; ++vector)
    poke(kIdt + 16 * vector, gate(kCodeSelector, static_cast<u32>(kHandlers + 16 * vector), 0x8e));
  static_cast<void>(machine_.memory().fill(kHandlers, 0xf4, 0x200));
  for (u64 level = 0; level < 3; ++level)
    poke(kTables + 0x1000 * level, (kTables + 0x1000 * (level + 1)) | 3);
  for (u64 page = 0; page < kRam; page += kPageSize)
    if (page != kAbsent)
      poke(kTables + 0x3000 + page / kPageSize * 8, page | (is_writable(page) ? 0x63 : 0x61));
}

void RowGuest::enter_long_mode() {
  using namespace x86;
  Cpu& c = vcpu_->cpu();
  c.cr4 = cr4::kPae | cr4::kOsfxsr | cr4::kOsxmmexcpt | cr4::kOsxsave;
  c.cr3 = kTables;
  c.efer = efer::kLme | efer::kLma;
  c.cr0 = cr0::kPe | cr0::kPg | cr0::kWp | cr0::kNe | cr0::kEt;
  c.xcr0 = 7;
  c.gdtr = {.base = kGdt, .limit = 0x1f};
  c.idtr = {.base = kIdt, .limit = 0x1ff};
  for (SegmentRegister& s : c.seg) s = segment(kDataSelector, kDataDescriptor);
  c.cpl = 0;
  c.flush_tlb();
}

void RowGuest::load(std::span<const u8> code) {
  static_cast<void>(machine_.memory().write(kCode, code));
  static_cast<void>(machine_.memory().fill(kCode + code.size(), 0xf4, 16));
}

void RowGuest::store(u64 at, std::span<const u8> bytes) {
  static_cast<void>(machine_.memory().write(at, bytes));
}

void RowGuest::map(u64 page, u64 to) {
  machine_.memory().store(kTables + 0x3000 + page / kPageSize * 8, to == kAbsent ? 0 : to | 0x61,
                          8);
  vcpu_->cpu().flush_tlb_page(page);
}

void RowGuest::fill(std::span<const u8> data) {
  std::memset(ram_.host() + kStack, 0, kPageSize);
  for (u64 page = kData; page < kRam; page += kPageSize)
    std::memcpy(ram_.host() + page, data.data() + (page - kData) % data.size(), kPageSize);
}

RowState RowGuest::run(const RowState& state) {
  x86::Cpu& c = vcpu_->cpu();
  std::ranges::copy(state.gpr, c.gpr.begin());
  c.ymm = state.ymm;
  c.x87 = state.x87;
  c.mxcsr = state.mxcsr;
  c.set_rflags(state.flags);
  c.cr2 = 0;
  // A fault's handler is 64-bit code.
  c.seg[x86::Cs] = mode_ == RowMode::Long ? segment(kCodeSelector, kCodeDescriptor)
                                          : segment(kNarrowSelector, kNarrowDescriptor);
  c.update_mode();
  c.set_rip(state.rip != 0 ? state.rip : kCode);
  c.activity = x86::Activity::Running;
  // Repeated instructions are entered again and again.
  for (unsigned n = 0; n < 100 && c.activity == x86::Activity::Running; ++n) vcpu_->run_briefly(20);
  RowState after{.ymm = c.ymm,
                 .x87 = c.x87,
                 .mxcsr = c.mxcsr,
                 .flags = c.rflags(),
                 .rip = c.rip(),
                 .cr2 = c.cr2};
  std::copy_n(c.gpr.begin(), 16, after.gpr.begin());
  return after;
}

}  // namespace rhea::test
