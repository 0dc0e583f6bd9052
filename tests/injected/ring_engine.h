// SPDX-License-Identifier: GPL-2.0-or-later
// A PCI device as its author might have written it, right but for one bug of bugs.h.
#pragma once

#include "rhea/chardev/chardev.h"
#include "rhea/hw/pci.h"
#include "rhea/softmmu/deferred.h"
#include "tests/injected/bugs.h"

#include <memory>
#include <vector>

namespace injected {

using namespace rhea;

/// Made up: copies what a ring of descriptors in memory names into its buffer and back, has a table
/// behind an index, a timer, a serial line and a window that can be switched on.
class RingEngine : public PciDevice {
 public:
  static constexpr std::string_view kName = "injected-ring-engine";
  using Extendable = RingEngine;
  static constexpr PciIdentity kPci{
      .vendor = 0x1b36, .device = 0x7e58, .klass = 0xff0000, .interrupt_pin = 1};
  static void describe(Schema<RingEngine>& s);
  static constexpr u32 kFifoBytes = 16, kBufferBytes = 512, kMostWaiting = 64;

 protected:
  explicit RingEngine(Bug bug);
  Result<> realize() override;
  void unrealize() override;
  void reset(ResetKind kind) override;
  Result<> post_load(unsigned version) override;

  // What a bug may leave out of the state, or name twice.
  u32 ring_base_{}, ring_size_{}, index_{};
  bool pending_{};
  std::vector<u8> buffer_;
  Timer timer_;
  std::optional<std::string> file_;

 private:
  enum Register : u64;
  struct Descriptor {
    u32 address, length, flags, next;
  };
  bool has(Bug bug) const { return bug == bug_; }
  u64 read(u64 offset, unsigned size);
  void write(u64 offset, u64 value, unsigned size);
  u64 read_window(u64, unsigned) { return scratch(); }
  void write_window(u64, u64 value, unsigned) { scratch() = static_cast<u32>(value); }
  void write_control(u32 value);
  void write_index(u32 value);
  void write_period(u32 value);
  u32 table_entry(u32 index);
  u32& scratch();
  u64 now_us() const;
  void work();
  bool serve(u64 at, Descriptor& descriptor);
  bool copy(const Descriptor& descriptor);
  void tick();
  void arm();
  void update();
  Result<> attach_line();
  std::size_t can_receive() const;
  void receive(std::span<const u8> data);
  u32 take();
  void send(u8 byte);
  void flush();

  const Bug bug_;
  u32 entries_{};
  Chardev* chardev_{};
  Region bar_, registers_, window_, port_;
  IrqOutput alarm_;
  Deferred later_;
  u32 control_{}, status_{}, head_{}, period_{}, scratch_{}, fifo_level_{};
  u32 option_;
  u64 since_{};
  std::vector<u32> table_;
  std::vector<u8> fifo_, waiting_;
  inline static u32 scratch_of_all = 0;
};

}  // namespace injected
