// SPDX-License-Identifier: GPL-2.0-or-later
// The accelerator interface: three small parts. What runs the guest's CPUs is behind it; nothing
// else asks.
#pragma once

#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"
#include "target/x86/cpu_state.h"
#include "target/x86/debug_stops.h"
#include "target/x86/topology.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::accel {

class CpuDevice;

/// Where the XSAVE area of a processor's state has what follows its header, by offset; 0: the
/// processor has no such registers.
struct XsaveOffsets {
  u32 ymm_high{}, opmask{}, zmm_high{}, high_zmm{}, pkru{};
};

/// How a vCPU runs for a debugger.
enum class SingleStep : u8 {
  Off,
  On,                 ///< behind each instruction, and at the beginning of a handler, it stops
  HoldingInterrupts,  ///< and takes none meanwhile, where the accelerator can (HLT does end)
};

/// One vCPU. Everything but run(), kick() and the thread hooks is called on the vCPU's thread or
/// while it is stopped (Vcpu::run_on does that).
class VcpuBackend : public VcpuRunner {
 public:
  /// The whole architectural state, out and in.
  virtual Result<> get_state(x86::CpuState& state) = 0;
  virtual Result<> set_state(const x86::CpuState& state) = 0;
  /// Power-on or INIT state (Intel SDM vol. 3, table 10-1); the boot processor runs, others wait
  /// for SIPI.
  virtual void reset(ResetKind kind) = 0;
  virtual void inject_nmi() = 0;
  /// Where a linear address leads now; nullopt when not mapped.
  virtual std::optional<GuestPhys> translate(GuestVirt address) = 0;
  /// Stops (run state debug) as it says.
  virtual Result<> set_single_step(SingleStep how) = 0;
  /// Replaces what a debugger wants to stop at. Where the processor stands on one, it stops again
  /// at once: step over it. The error says what the accelerator cannot do, and nothing has changed.
  virtual Result<> set_debug_stops(const x86::DebugStops& stops) {
    if (stops.empty()) return {};
    return fail("this accelerator has no breakpoints");
  }
  /// Why the processor stopped for a debugger; asking forgets it.
  virtual std::optional<x86::DebugStop> take_debug_stop() { return std::nullopt; }
  virtual XsaveOffsets xsave_offsets() const { return {}; }
  /// Whether the state may differ from what the snapshot object last read or wrote. Always true
  /// where what was set is read back as it was.
  virtual bool touched() const { return true; }
  virtual void clear_touched() {}
};

/// Of the processors, as -smp says.
x86::Topology topology(const MachineConfig& config);

/// Which devices a board puts where the accelerator may have its own. All are types without a bus
/// or on ISA: pic: 16 inputs, output "intr"; ioapic: 24 inputs; pit: output "" 0 (IRQ 0), a
/// SpeakerTimer; empty pit/pcspk: inside the kernel.
struct BoardParts {
  std::string_view pic = "isa-i8259";
  std::string_view ioapic = "ioapic";
  std::string_view pit = "isa-pit";
};

/// One virtual machine's context.
class VmBackend {
 public:
  virtual ~VmBackend() = default;
  virtual BoardParts parts() const { return {}; }
  /// Whether there are CPUs at all (not under qtest).
  virtual bool runs_code() const { return true; }
  virtual Result<std::unique_ptr<VcpuBackend>> create_vcpu(unsigned index) = 0;
  /// Called when the board stands and before vCPUs are made.
  virtual Result<> board_ready() { return {}; }
  /// What `info kvm` and query-kvm say beyond "enabled"; lines of text.
  virtual std::string describe() const { return {}; }
};

/// A way to run guests: type "kvm-accel", "qtest-accel", "tcg-accel"; its properties are -accel's
/// parameters.
class Accelerator : public Object {
 public:
  static constexpr std::string_view kName = "accel";
  using Extendable = Accelerator;
  /// As -accel names it: "kvm".
  virtual std::string_view short_name() const = 0;
  /// Why guests run slower by it on this host than on the software CPU, if they do; then it is not
  /// taken unless asked for.
  virtual std::optional<std::string> why_slow() const { return std::nullopt; }
  /// Why this host cannot, as one line; or success.
  virtual Result<std::unique_ptr<VmBackend>> create_vm(Machine& machine) = 0;
};

/// The accelerator chosen for a machine and its vCPUs: machine.service<AccelService>().
class AccelService final : public MachineService {
 public:
  explicit AccelService(Machine& machine);
  ~AccelService() override;
  void objects_gone() override;

  /// -accel, -machine accel=: a list "kvm:tcg" of candidates in order; what follows a comma belongs
  /// to the last ("kvm:tcg,thread=multi"). The first that works is taken; the others' reasons are
  /// warnings, or the error when none works. Without any, the fastest that works is.
  void add_candidates(std::string_view list);
  /// -machine accel= and -enable-kvm: the last one counts, and neither goes with -accel.
  void set_candidates(std::string_view list);
  const std::vector<std::string>& candidates() const { return candidates_; }
  Result<> select();
  Result<> create_vcpus();

  VmBackend& vm() const { return *vm_; }
  bool has_vm() const { return vm_ != nullptr; }
  const Accelerator& accelerator() const { return *accelerator_; }
  /// By CPU index.
  VcpuBackend& vcpu(unsigned index) const { return *vcpus_[index]; }
  const CpuDevice& cpu_device(unsigned index) const { return *devices_[index]; }
  std::size_t vcpu_count() const { return vcpus_.size(); }
  /// The state of vCPU `index`, fetched on its thread; the machine's lock may be held.
  Result<x86::CpuState> cpu_state(unsigned index) const;

 private:
  void log_registers(unsigned index) const;
  void let_go();

  Machine* machine_;
  std::vector<std::string> candidates_;
  bool added_{}, set_{};  ///< how those were given
  Accelerator* accelerator_{};
  std::unique_ptr<VmBackend> vm_;
  std::vector<std::unique_ptr<VcpuBackend>> vcpus_;
  std::vector<CpuDevice*> devices_;  ///< the machine's, for each of them
};

}  // namespace rhea::accel
