// SPDX-License-Identifier: GPL-2.0-or-later
// The processor that -cpu asks for: a model, features more or less, values of its own.
#pragma once

#include "rhea/util/error.h"
#include "target/x86/cpuid.h"
#include "target/x86/cpuid_bits.h"

#include <optional>
#include <string>
#include <vector>

namespace rhea {
class Machine;
}  // namespace rhea

namespace rhea::x86 {

/// Where a model's features come from.
enum class ModelKind : u8 {
  Named,
  Max,   ///< whatever the accelerator can do
  Host,  ///< the same, with the host's names
  Base,  ///< none
};

struct CpuRequest {
  std::string name;
  ModelKind kind{ModelKind::Named};
  /// What the model says, with -cpu's own values. A host's is empty but for those.
  std::string vendor, brand;
  bool vendor_given{false};  ///< by the command line
  std::optional<u32> family, model, stepping, level, xlevel;
  CpuidBitSet features;             ///< of the model
  CpuidBitSet added, removed;       ///< by the command line
  std::vector<std::string> others;  ///< added, too, but nobody has them: QEMU's names
  std::optional<u8> physical_bits;
  std::optional<u32> tsc_khz;
  Hyperv hyperv;
  bool tcg_name{true};       ///< the software processor says who it is, in leaf 4000_0000h
  bool topology_leaf{true};  ///< leaf Bh is there
  bool l3_cache{true};
  bool migratable{true};  ///< max and host leave out what another host may not have
  bool check{true};       ///< warn of what was asked for and cannot be had
  bool enforce{false};    ///< and refuse to start
  bool kvm{true};         ///< tell the guest of KVM
  bool kvm_given{};       ///< by the command line: the software processor says so only then

  /// What is wanted of a named model.
  CpuidBitSet wanted() const { return (features | added) & ~removed; }
  /// Whether the model is what the accelerator has.
  bool whole() const { return kind == ModelKind::Max || kind == ModelKind::Host; }
  /// Warns of the bits in `absent`, or fails; `accelerator` as the text calls it. Those the model
  /// brings along count only for `enforce`.
  Result<> tell_absent(const CpuidBitSet& absent, std::string_view accelerator) const;
};

/// What a request comes to on an accelerator: the bits and names that guests find, and the bits
/// that were wanted and cannot be had.
struct ModelFit {
  CpuidBitSet features{}, absent{};
  std::string vendor{}, brand{};
  u32 family{}, model{}, stepping{}, level{}, xlevel{};
};

/// What a board's release has of a model that later ones changed: "popcnt" "on", "family" "6".
struct ModelDefault {
  std::string_view model;  ///< empty: all of them
  std::string_view property;
  std::string value;
};

/// "Haswell,+avx,-sse4.2,smep=off,vendor=GenuineIntel". What the text says comes after `defaults`.
Result<CpuRequest> parse_cpu(const std::string& text,
                             const std::vector<ModelDefault>& defaults = {});
/// Takes what a board's release has of models; after the options, before the processors are made.
void set_model_defaults(Machine& machine, std::vector<ModelDefault> defaults);
/// A name that -cpu takes.
struct ModelName {
  std::string_view name;
  std::string_view same_as{};  ///< its numbered version, if it is another name of one
};
/// All of them.
std::vector<ModelName> model_names();
/// What -cpu help prints.
std::string cpu_help();

/// What the command line said, over the board's defaults; nothing without -cpu.
std::optional<CpuRequest> cpu_request(Machine& machine);
/// The same, with `model` where there is no -cpu.
Result<CpuRequest> cpu_request_or(Machine& machine, const std::string& model);

/// Without -cpu. A guest may trust the software processor's time stamp counter, which is the
/// machine's clock; the models that QEMU's tools name are QEMU's, which has no invtsc.
inline constexpr std::string_view kDefaultModel = "qemu64,+invtsc";
/// The features that the software processor can have on this host.
FeatureSet software_features();
/// What a request comes to on the software processor, without what belongs to one processor.
Result<CpuModel> make_model(const CpuRequest& request);
/// The same for those who only look; warns of nothing.
Result<ModelFit> fit_software(CpuRequest request);
/// The model that the machine's -cpu asks for, or the default one.
Result<CpuModel> make_model(Machine& machine);

}  // namespace rhea::x86
