// SPDX-License-Identifier: GPL-2.0-or-later
// A machine with next to nothing in it, that runs a small guest on KVM and writes down what the
// guest does.
//
//   Guest guest;
//   guest.start_real(GUEST(ports));
//   ASSERT_TRUE(guest.wait_done());
//   EXPECT_EQ(guest.log()[0], (Seen{.port = true, .write = true, .address = 0x500, .size = 1,
//   .value = 0x11}));
#pragma once

#include "accel/kvm/vcpu.h"
#include "accel/kvm/vm.h"
#include "rhea/softmmu/machine.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <ostream>
#include <vector>

namespace rhea::test {

/// One access that reached the machine's ports (0x80, 0x500..0x5ff) or registers
/// (0xd0000..0xd1fff).
struct Seen {
  bool port{}, write{};
  u64 address{};
  unsigned size{};
  u64 value{};
  friend bool operator==(const Seen&, const Seen&) = default;
};
std::ostream& operator<<(std::ostream& out, const Seen& seen);

/// Port writes and such, shorter to say.
inline Seen port_write(u64 address, unsigned size, u64 value) {
  return {true, true, address, size, value};
}
inline Seen port_read(u64 address, unsigned size, u64 value) {
  return {true, false, address, size, value};
}
inline Seen mem_write(u64 address, unsigned size, u64 value) {
  return {false, true, address, size, value};
}
inline Seen mem_read(u64 address, unsigned size, u64 value) {
  return {false, false, address, size, value};
}

/// The code of guests/NAME.asm.
#define GUEST(name) std::span<const u8>(guest_##name, guest_##name##_end)
extern "C" {
extern const u8 guest_exits[], guest_exits_end[], guest_loop[], guest_loop_end[], guest_mmio[],
    guest_mmio_end[];
extern const u8 guest_mmio64[], guest_mmio64_end[], guest_pic[], guest_pic_end[], guest_ports[],
    guest_ports_end[];
extern const u8 guest_puppet[], guest_puppet_end[], guest_triple_fault[], guest_triple_fault_end[];
}

struct GuestOptions {
  kvm::VmOptions vm;
  std::vector<int> hidden;  ///< capabilities that the host's KVM is to lack
  unsigned cpus{1};
  u64 ram{2 * MiB};
};

class Guest {
 public:
  static constexpr u64 kCode = 0x1000;

  explicit Guest(const GuestOptions& options = {});
  ~Guest();

  Machine& machine() { return machine_; }
  kvm::Vm& vm() { return *vm_; }
  kvm::KvmVcpu& vcpu(unsigned index = 0) { return *vcpus_[index]; }
  Region& ram() { return ram_; }
  u8* memory() { return ram_.host(); }
  template <class T>
  T peek(u64 address) const {
    T value;
    std::memcpy(&value, ram_.host() + address, sizeof value);
    return value;
  }
  /// Removes the vCPU (its thread, its object) and makes it anew.
  void unplug_last_vcpu();
  void plug_vcpu();

  /// Puts the code at kCode and lets the boot processor begin there, in real mode or in 64-bit mode
  /// with memory mapped one to one; or makes it a puppet, in real mode with segments of 4 GiB and
  /// interrupt vectors.
  void prepare_real(std::span<const u8> code, unsigned cpu = 0);
  void prepare_puppet(unsigned cpu = 0);
  void prepare_long(std::span<const u8> code);
  void start();
  void start_real(std::span<const u8> code) {
    prepare_real(code);
    start();
  }
  /// A puppet that waits for orders.
  void start_puppet() {
    prepare_puppet();
    start();
  }
  void pause();
  /// What a puppet reads at port 0x5f0, in order; all ones while there is nothing.
  void order(std::initializer_list<u32> words);
  /// Orders, and waits until the puppet has taken them all and asks for more.
  void order_and_wait(std::initializer_list<u32> words);

  /// Whether the guest has written to port 0x600 within the time.
  bool wait_done(unsigned ms = 10000);
  /// Runs the main loop until `condition` or the time is over; returns condition().
  bool wait(const std::function<bool()>& condition, unsigned ms = 10000);

  /// The accesses so far but for those to 0x5f0 and 0x600.
  std::vector<Seen> log();
  void clear_log();
  /// What the guest has written to a port so far.
  std::vector<u64> written_to(u16 port);
  /// What the next reads of ports 0x500.. and registers give; 0 when it is empty. Not for 0x5f0.
  void answer(std::initializer_list<u64> values);

  x86::CpuState state(unsigned cpu = 0);
  unsigned resets() const { return resets_; }

 private:
  u64 read_port(u64 offset, unsigned size);
  void write_port(u64 offset, u64 value, unsigned size);
  u64 read_register(u64 offset, unsigned size);
  void write_register(u64 offset, u64 value, unsigned size);
  u64 next_answer();
  u64 next_order();
  void note(const Seen& seen);
  void place(std::span<const u8> code);
  x86::CpuState blank_state(unsigned cpu);
  void set_state(const x86::CpuState& state, unsigned cpu);

  Machine machine_;
  Region ram_, ports_, done_port_, post_port_, registers_;
  std::unique_ptr<kvm::Vm> vm_;
  std::vector<std::unique_ptr<kvm::KvmVcpu>> vcpus_;
  unsigned resets_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Seen> log_;
  std::deque<u64> answers_;
  std::deque<u32> orders_;
  bool hungry_{false};
  std::atomic<bool> done_{false};
};

/// For fixtures: skips where there is no KVM, saying why.
#define SKIP_WITHOUT_KVM() \
  if (auto system = kvm::System::open(); !system) GTEST_SKIP() << system.error().message()

}  // namespace rhea::test
