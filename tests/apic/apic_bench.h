// SPDX-License-Identifier: GPL-2.0-or-later
// One local APIC, its processor a list of what it was told.
#pragma once

#include "accel/apic/apic_bus.h"
#include "accel/apic/local_apic.h"
#include "tests/support/bench.h"

namespace rhea::test {

// Offsets of registers (SDM vol. 3, table 11-1).
inline constexpr unsigned kApicEoi = 0xb0, kApicSvr = 0xf0, kApicTimer = 0x320,
                          kApicInitialCount = 0x380, kApicCurrentCount = 0x390, kApicDivide = 0x3e0;
inline constexpr u32 kApicPeriodic = 1 << 17, kApicDeadline = 2 << 17;

struct ApicBench final : apic::Processor {
  ApicBench() { apic.write(kApicSvr, 0x1ff); }

  void interrupt() override {}
  void nmi() override {}
  void smi() override {}
  void init() override {}
  void start_up(u8) override {}
  u64 time_stamp() override { return static_cast<u64>(bench.machine().virtual_clock().now_ns()); }
  u32 tsc_khz() const override { return 1'000'000; }

  Bench bench;
  apic::LocalApic apic{bench.machine().service<apic::ApicBus>(), *this,
                       bench.machine().virtual_clock(), 0, true};
};

}  // namespace rhea::test
