// SPDX-License-Identifier: GPL-2.0-or-later
// The text of `info lapic` (SDM vol. 3, chapter 11), from the registers' page.
#include "target/x86/format_local_apic.h"

#include <array>
#include <cstring>

namespace rhea::x86 {
namespace {

// Offsets in the page (SDM vol. 3, table 11-1).
constexpr unsigned kTpr = 0x80, kApr = 0x90, kPpr = 0xa0, kLdr = 0xd0, kDfr = 0xe0, kSvr = 0xf0;
constexpr unsigned kIsr = 0x100, kTmr = 0x180, kIrr = 0x200, kEsr = 0x280;
constexpr unsigned kIcrLow = 0x300, kIcrHigh = 0x310;
constexpr unsigned kLvtTimer = 0x320, kLvtThermal = 0x330, kLvtCounters = 0x340;
constexpr unsigned kLvtLint0 = 0x350, kLvtLint1 = 0x360, kLvtError = 0x370;
constexpr unsigned kInitialCount = 0x380, kCurrentCount = 0x390, kDivide = 0x3e0;
constexpr std::size_t kPageBytes = 0x3f0;

constexpr std::array<const char*, 8> kModes = {"Fixed", "LowPri", "SMI",  "...",
                                               "NMI",   "INIT",   "SIPI", "ExtINT"};

class ApicText {
 public:
  explicit ApicText(const CpuState& state) : state_(state) {}

  std::string text(unsigned cpu_index) {
    add("dumping local APIC state for CPU {} \n\n", cpu_index);
    entry("LVT0", kLvtLint0);
    entry("LVT1", kLvtLint1);
    entry("LVTPC", kLvtCounters);
    entry("LVTERR", kLvtError);
    entry("LVTTHMR", kLvtThermal);
    entry("LVTT", kLvtTimer);
    const u32 divide = reg(kDivide);
    add("Timer\t DCR={:#x} (divide by {}) initial_count = {} current_count = {}\n", divide,
        1U << ((((divide & 3) | (divide >> 1 & 4)) + 1) & 7), reg(kInitialCount),
        reg(kCurrentCount));
    const u32 spurious = reg(kSvr);
    add("SPIV\t 0x{:08x} APIC {}, focus={}, spurious vec {}\n", spurious,
        (spurious & 0x100) != 0 ? "enabled" : "disabled", (spurious & 0x200) != 0 ? "on" : "off",
        spurious & 0xff);
    command();
    add("ESR\t 0x{:08x}\n", reg(kEsr));
    vectors("ISR", kIsr);
    vectors("IRR", kIrr);
    add("\nAPR 0x{:02x} TPR 0x{:02x} DFR 0x{:02x} LDR 0x{:02x} PPR 0x{:02x}\n", reg(kApr),
        reg(kTpr), reg(kDfr) >> 28, reg(kLdr) >> 24, reg(kPpr));
    return std::move(text_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    text_ += fmt::format(format, std::forward<Args>(args)...);
  }

  u32 reg(unsigned offset) const {
    u32 value = 0;
    std::memcpy(&value, state_.lapic.data() + offset, sizeof value);
    return value;
  }

  void entry(const char* name, unsigned offset) {
    const u32 value = reg(offset);
    constexpr std::array timers = {"one-shot", "periodic", "tsc-deadline", "reserved"};
    add("{}\t 0x{:08x} {} {:<5} {:<6} {:<8} {:<12} {:<6}", name, value,
        (value & 0x2000) != 0 ? "active-lo" : "active-hi", (value & 0x8000) != 0 ? "level" : "edge",
        (value & 0x10000) != 0 ? "masked" : "", (value & 0x1000) != 0 ? "pending" : "",
        offset == kLvtTimer ? timers[value >> 17 & 3] : "", kModes[value >> 8 & 7]);
    if (offset == kLvtTimer || (value >> 8 & 7) == 0) add(" (vec {})", value & 0xff);
    text_ += '\n';
  }

  void command() {
    const u32 low = reg(kIcrLow), high = reg(kIcrHigh);
    constexpr std::array shorthands = {"no-shorthand", "self", "all-self", "all"};
    const bool logical = (low & 0x800) != 0;
    add("ICR\t 0x{:08x} {} {} {} {}\n", low, logical ? "logical" : "physical",
        (low & 0x8000) != 0 ? "level" : "edge", (low & 0x4000) != 0 ? "assert" : "de-assert",
        shorthands[low >> 18 & 3]);
    if (logical)
      add("ICR2\t 0x{:08x} mask {:08b}\n", high, high >> 24);
    else
      add("ICR2\t 0x{:08x} cpu {} (APIC ID)\n", high, high >> 24);
  }

  void vectors(const char* name, unsigned offset) {
    add("{}\t ", name);
    bool any = false;
    for (unsigned vector = 0; vector < 256; ++vector) {
      const auto bit = [&](unsigned set) {
        return (reg(set + vector / 32 * 16) >> (vector % 32) & 1) != 0;
      };
      if (!bit(offset)) continue;
      any = true;
      add("{}{} ", vector, bit(kTmr) ? "(level)" : "");
    }
    text_ += any ? "\n" : "(none)\n";
  }

  const CpuState& state_;
  std::string text_;
};

}  // namespace

std::string format_local_apic(const CpuState& state, unsigned cpu_index) {
  return state.lapic.size() < kPageBytes ? std::string() : ApicText(state).text(cpu_index);
}

}  // namespace rhea::x86
