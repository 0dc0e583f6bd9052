// SPDX-License-Identifier: GPL-2.0-or-later
// A machine: the root of the object tree and everything its parts share. Nothing here is global, so
// any number of machines live in one process.
#pragma once

#include "rhea/qom/device.h"
#include "rhea/qom/object.h"
#include "rhea/softmmu/address_space.h"
#include "rhea/softmmu/clock.h"
#include "rhea/softmmu/interrupt.h"
#include "rhea/softmmu/observers.h"
#include "rhea/softmmu/run_state.h"
#include "rhea/softmmu/vcpu.h"
#include "rhea/util/event_loop.h"
#include "rhea/util/lock.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <typeindex>
#include <vector>

namespace rhea {

/// What the command line says of the machine as a whole; set before the board is built.
struct MachineConfig {
  std::string name;         ///< -name guest
  u64 ram_size{128 * MiB};  ///< bytes
  RamOptions ram;
  unsigned cpus{1};
  unsigned max_cpus{1};
  unsigned sockets{1}, dies{1}, cores{1}, threads{1};  ///< each in one of the level above
  std::string firmware;                                ///< -bios; empty: the board's own
  std::vector<std::string> firmware_path;  ///< -L directories, searched before the built-in ones
  std::string boot_order{"cad"};
  bool boot_once{false};
  bool boot_menu{false};
  u32 boot_menu_timeout_ms{0};
  bool no_reboot{false};
  bool no_shutdown{false};
  bool start_paused{false};  ///< -S
  bool no_defaults{false};
  std::string vga{"std"};            ///< -vga
  bool graphics{true};               ///< false: -nographic
  std::vector<std::string> serials;  ///< chardev ids, in order; "" for none
  std::vector<std::string> parallels;
};

/// Everything of one part of the program that hangs off a machine (the chardevs, the drives, the
/// monitors).
class MachineService {
 public:
  virtual ~MachineService() = default;
  /// Called when the machine ends, youngest service first, while every object still stands: let go
  /// of them.
  virtual void shutdown() {}
  /// Called after that, youngest first, when all objects are gone while every service still stands:
  /// let go of those.
  virtual void objects_gone() {}
};

class Machine final : public Object {
 public:
  static constexpr std::string_view kName = "rhea-machine";
  Machine();
  ~Machine() override;

  MachineConfig config;
  InterruptHub interrupts;

  LockDomain& lock() { return lock_; }
  EventLoop& loop() { return loop_; }
  MemoryMap& map() { return map_; }
  Region& system_memory() { return system_memory_; }
  Region& system_io() { return system_io_; }
  AddressSpace& memory() { return memory_; }
  AddressSpace& io() { return io_; }
  Clock& virtual_clock() { return virtual_clock_; }
  Clock& host_clock() { return host_clock_; }
  Clock& realtime_clock() { return realtime_clock_; }

  /// "/machine", and below it "peripheral" (devices with an id), "peripheral-anon" and "unattached"
  /// (board's own).
  Object& container(std::string_view path);
  /// Adds a board's device under /machine/unattached/device[N] (or `name` under /machine), plugs it
  /// into `bus` (may be null) and realizes it.
  Result<Device*> add_device(std::unique_ptr<Object> device, Bus* bus, std::string_view name = {});
  /// What -device and device_add do: create, set, plug, realize; `bus` is a bus name or path, empty
  /// for any that fits.
  Result<Device*> plug(std::string_view type,
                       const std::vector<std::pair<std::string, Value>>& properties,
                       std::string_view id = {}, std::string_view bus = {});
  Result<> unplug(Device& device);
  /// The first bus of this kind with room, or by name or path; nullptr when absent.
  Bus* find_bus(std::string_view kind, std::string_view name_or_path = {});
  /// Defaults from -global driver.property=value, applied when an object of that type is made.
  void add_global(std::string type, std::string property, std::string value);
  /// create_object plus the globals.
  Result<std::unique_ptr<Object>> make(std::string_view type);
  /// Globals that named no type that was made; for a warning.
  std::vector<std::string> unused_globals() const;

  /// Made on first use, destroyed with the machine, youngest first.
  template <class T>
  T& service() {
    auto& slot = services_[std::type_index(typeid(T))];
    if (!slot) {
      slot = std::make_unique<T>(*this);
      service_order_.push_back(slot.get());
    }
    return static_cast<T&>(*slot);
  }

  // ---- Running
  // -------------------------------------------------------------------------------------------
  RunState run_state() const { return run_state_.load(std::memory_order_acquire); }
  bool running() const { return run_state() == RunState::Running; }
  /// An error while a snapshot's state takes the place of the machine's (RestoreVm): whoever else
  /// changes the machine asks first.
  Result<> may_change() const;
  /// Lets the vCPUs and the virtual clock go (`cont`).
  void resume();
  /// Stops them and waits until they have (`stop`). From a vCPU thread it only requests and
  /// returns.
  void pause(RunState why = RunState::Paused);
  /// Done on the main loop soon; from any thread. A vCPU that asks does not enter the guest before
  /// it is done.
  void request_reset(ShutdownCause cause, ResetKind kind = ResetKind::Warm);
  void request_shutdown(ShutdownCause cause);
  void request_powerdown();
  void request_pause(RunState why);
  /// Does now what was requested. A reset waits while a snapshot's state is loaded.
  void settle_requests();
  /// A reset that waited is for a machine that is no more: a snapshot has taken its place.
  void forget_reset();
  /// Resets everything now: devices in three phases, then whatever observers reset (the CPUs). Main
  /// thread, vCPUs stopped.
  void reset_now(ShutdownCause cause, ResetKind kind);
  /// Set when the process should end; run_main_loop returns then.
  std::optional<int> exit_code() const {
    const int code = exit_code_.load(std::memory_order_acquire);
    return code < 0 ? std::nullopt : std::optional(code);
  }
  /// From any thread; a vCPU that calls it does not enter the guest again.
  void exit(int code);
  /// Runs the main loop until exit().
  int run_main_loop();

  // Observers that name a device end when it is unrealized.
  void on_event(std::function<void(MachineEvent, ShutdownCause)> observer, Device* of = nullptr);
  void on_run_state(std::function<void(RunState)> observer, Device* of = nullptr);
  /// Called in reset_now after the devices' hold phase: CPUs, firmware loaders.
  void on_reset(std::function<void(ResetKind)> observer, Device* of = nullptr);
  void on_powerdown(std::function<void()> observer, Device* of = nullptr);
  /// Called once when the board and all devices are there, before the first reset (ACPI tables,
  /// fw_cfg files).
  void on_machine_ready(std::function<void()> observer, Device* of = nullptr);
  void machine_ready();

  // ---- vCPUs
  // ----------------------------------------------------------------------------------------------
  Vcpu& add_vcpu(VcpuRunner& runner);
  const std::vector<std::unique_ptr<Vcpu>>& vcpus() const { return vcpus_; }
  /// Ends all vCPU threads (before their runners go).
  void stop_vcpus();

 private:
  struct Requests;
  void request(const std::function<void(Requests&)>& note);
  void enter(RunState state);
  void shut_down(ShutdownCause cause);
  void quiesce();
  void for_each_top_device(const std::function<void(Device&)>& visitor);
  Result<Device*> attach_and_realize(Object& place, std::string name,
                                     std::unique_ptr<Object> object, Bus* bus);

  LockDomain lock_;
  EventLoop loop_;
  Clock virtual_clock_;
  Clock host_clock_;
  Clock realtime_clock_;
  MemoryMap map_;
  Region system_memory_;
  Region system_io_;
  AddressSpace memory_;
  AddressSpace io_;

  std::atomic<RunState> run_state_{RunState::Prelaunch};
  std::atomic<int> exit_code_{-1};
  std::unique_ptr<Requests> requests_;
  struct Global {
    std::string type, property, value;
    bool used{false};
  };
  std::vector<Global> globals_;
  Observers<MachineEvent, ShutdownCause> event_observers_;
  Observers<RunState> run_state_observers_;
  Observers<ResetKind> reset_observers_;
  Observers<> powerdown_observers_;
  Observers<> ready_observers_;
  std::vector<std::unique_ptr<Vcpu>> vcpus_;
  std::map<std::type_index, std::unique_ptr<MachineService>> services_;
  std::vector<MachineService*> service_order_;
  unsigned unattached_count_{0};
  unsigned anon_count_{0};
};

}  // namespace rhea
