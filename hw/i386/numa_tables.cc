// SPDX-License-Identifier: GPL-2.0-or-later
// SRAT and SLIT.
#include "hw/i386/numa_tables.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u8 kLocalApic = 0, kMemory = 1, kLocalX2apic = 2;
constexpr u32 kEnabled = 1;
constexpr u64 kHoleBegin = 640 * KiB, kHoleEnd = MiB;

void add_processor(TableWriter& out, u32 apic_id, unsigned node) {
  if (apic_id < 0xff)
    out.byte(kLocalApic)
        .byte(16)
        .byte(node)
        .byte(apic_id)
        .dword(kEnabled)
        .byte(0)
        .number(0, 3)
        .dword(0);
  else
    out.byte(kLocalX2apic)
        .byte(24)
        .word(0)
        .dword(node)
        .dword(apic_id)
        .dword(kEnabled)
        .dword(0)
        .dword(0);
}

/// Pieces of physical memory and the nodes they are of.
class MemoryList {
 public:
  explicit MemoryList(TableWriter& out) : out_(&out) {}

  void add(u64 base, u64 end, unsigned node) {
    if (base < end) entry(base, end - base, node, kEnabled);
  }
  void pad_to(unsigned count) {
    while (entries_ < count) entry(0, 0, 0, 0);
  }

 private:
  void entry(u64 base, u64 length, unsigned node, u32 flags) {
    out_->byte(kMemory).byte(40).dword(node).word(0).qword(base).qword(length);
    out_->dword(0).dword(flags).qword(0);
    ++entries_;
  }
  TableWriter* out_;
  unsigned entries_{0};
};

}  // namespace

// Nodes lie one behind the other in RAM, of which a piece below 1 MiB is hidden and what is above
// the PCI window begins at 4 GiB. As many entries as QEMU has follow, so that old guests find what
// they know.
u32 add_srat(TableFile& file, const AcpiConfig& config) {
  const u32 start = file.begin("SRAT", 1);
  TableWriter& out = file.out;
  out.dword(1).qword(0);
  for (unsigned cpu = 0; cpu < config.max_cpus; ++cpu)
    add_processor(out, config.topology.apic_id(cpu), config.numa.cpu_nodes[cpu]);
  MemoryList list(out);
  const u64 low = config.pci_low_first;
  u64 from = 0;
  for (unsigned node = 0; node < config.numa.memory.size(); ++node) {
    const u64 end = from + config.numa.memory[node];
    list.add(from, std::min(end, kHoleBegin), node);
    list.add(std::max(from, kHoleEnd), std::min(end, low), node);
    if (end > low) list.add(4 * GiB + std::max(from, low) - low, 4 * GiB + end - low, node);
    from = end;
  }
  list.pad_to(static_cast<unsigned>(config.numa.memory.size()) + 2);
  file.end(start);
  return start;
}

u32 add_slit(TableFile& file, const AcpiConfig& config) {
  const u32 start = file.begin("SLIT", 1);
  file.out.qword(config.numa.memory.size()).bytes(config.numa.distances);
  file.end(start);
  return start;
}

}  // namespace rhea::hw
