// SPDX-License-Identifier: GPL-2.0-or-later
// A processor model: what CPUID answers and which instructions exist.
#pragma once

#include "target/x86/features.h"
#include "target/x86/topology.h"

#include <optional>
#include <string>

namespace rhea::x86 {

struct CpuidResult {
  u32 eax{}, ebx{}, ecx{}, edx{};
};

enum class HypervFeature : u8 { Relaxed, Vapic, VpIndex, Runtime, Reset, Time, Frequencies };

/// What of Microsoft's hypervisor interface there is (hyperv.h).
struct Hyperv {
  static constexpr u32 kNeverNotify = ~u32{0};
  u32 features{};                      ///< a bit each
  u32 spinlock_retries{kNeverNotify};  ///< before the hypervisor is told of a long wait
  std::string vendor{"Microsoft Hv"};  ///< at most 12 characters

  bool has(HypervFeature feature) const { return (features >> static_cast<u8>(feature) & 1) != 0; }
  void set(HypervFeature feature, bool on) {
    const u32 bit = u32{1} << static_cast<u8>(feature);
    features = on ? features | bit : features & ~bit;
  }
  bool present() const { return features != 0 || spinlock_retries != kNeverNotify; }
};

struct CpuModel {
  std::string name;                    ///< as -cpu names it
  std::string vendor{"AuthenticAMD"};  ///< 12 characters
  std::string brand;                   ///< at most 48 characters
  u32 family{15}, model{107}, stepping{1};
  u32 level{0xd}, xlevel{0x8000'001a};  ///< highest basic and extended leaf
  u8 physical_bits{40}, linear_bits{48};
  FeatureSet features;
  u64 arch_capabilities{};  ///< IA32_ARCH_CAPABILITIES: the "not vulnerable" bits
  u32 tsc_khz{1'000'000};
  std::optional<u64> random_seed{};  ///< RDRAND's numbers are made of it; nothing: the host's
  Hyperv hyperv;
  bool tcg_name{true};       ///< leaf 4000_0000h has the software processor's name
  bool topology_leaf{true};  ///< leaf Bh is there
  bool l3_cache{true};
  bool kvm{};  ///< KVM's name and its hypercalls are there
  // Of one processor.
  Topology topology;
  u32 apic_id{};

  /// Hygon's processors are AMD's design.
  bool is_amd() const { return vendor == "AuthenticAMD" || vendor == "HygonGenuine"; }
  bool has(Feature feature) const { return features[static_cast<unsigned>(feature)]; }
  void set(Feature feature, bool on = true) { features[static_cast<unsigned>(feature)] = on; }
  /// Family, model and stepping as leaf 1's EAX has them.
  u32 signature() const;
  u64 physical_mask() const { return (u64{1} << physical_bits) - 1; }
};

/// What changes CPUID's answers at run time.
struct CpuidInputs {
  u64 cr4{}, xcr0{1};
  bool apic_enabled{true};
};
CpuidResult cpuid(const CpuModel& model, u32 leaf, u32 subleaf, const CpuidInputs& inputs);

}  // namespace rhea::x86
