// SPDX-License-Identifier: GPL-2.0-or-later
// The test machine: a board without a running CPU. Ports, memory, virtual time stepped by hand,
// interrupt probes, reset, save, load.
//
//   Bench bench;
//   Device& uart = bench.add("isa-serial", {{"iobase", "0x3f8"}, {"irq", "4"}});
//   bench.outb(0x3f8, 'x');
//   EXPECT_TRUE(bench.irq(4));
#pragma once

#include "rhea/chardev/chardev.h"
#include "rhea/hw/isa.h"
#include "rhea/hw/pci.h"
#include "rhea/softmmu/machine.h"
#include "tests/support/bench_mode.h"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rhea::test {

using Properties = std::vector<std::pair<std::string, std::string>>;

/// A machine with `ram` bytes at 0, an empty ISA bus and an empty PCI bus, every interrupt line
/// ending in a probe, its virtual clock manual at 0. The machine's lock is held for the bench's
/// life. With RHEA_BENCH more happens before each access and each move of time: bench_mode.h.
class Bench {
 public:
  explicit Bench(u64 ram = 16 * MiB);
  ~Bench();

  Machine& machine() { return *machine_; }
  IsaBus& isa() { return *isa_; }
  PciBus& pci() { return *pci_; }

  /// Creates, sets, plugs (on the first fitting bus) and realizes; resets the device; throws
  /// std::runtime_error on an error.
  Device& add(std::string_view type, const Properties& properties = {}, std::string_view bus = {});
  /// The same, giving the error.
  Result<Device*> try_add(std::string_view type, const Properties& properties = {},
                          std::string_view bus = {});
  /// Called with each device that is added from now on, before its properties are set.
  void on_add(std::function<void(Device&)> observer) { on_add_ = std::move(observer); }

  u8 inb(u16 port) { return static_cast<u8>(in(port, 1)); }
  u16 inw(u16 port) { return static_cast<u16>(in(port, 2)); }
  u32 inl(u16 port) { return static_cast<u32>(in(port, 4)); }
  void outb(u16 port, u8 value) { out(port, value, 1); }
  void outw(u16 port, u16 value) { out(port, value, 2); }
  void outl(u16 port, u32 value) { out(port, value, 4); }
  u64 in(u16 port, unsigned size);
  void out(u16 port, u64 value, unsigned size);
  u64 load(u64 address, unsigned size);
  void store(u64 address, u64 value, unsigned size);
  std::vector<u8> read(u64 address, std::size_t length);
  void write(u64 address, std::span<const u8> data);

  /// PCI configuration space of `devfn` (slot << 3 | function) on the bench's bus.
  u32 config_read(unsigned devfn, unsigned reg, unsigned size);
  void config_write(unsigned devfn, unsigned reg, u32 value, unsigned size);

  /// ISA interrupt lines (0..15): the level, and how many rising edges so far.
  bool irq(unsigned line) const { return irq_level_[line]; }
  /// Forgets the levels: whoever holds a line must say so again.
  void lower_lines() {
    irq_level_.fill(false);
    intx_level_.fill(false);
  }
  unsigned irq_edges(unsigned line) const { return irq_edges_[line]; }
  /// PCI interrupt links (0..3; pin A of slot n is on link (n + pin) & 3).
  bool intx(unsigned link) const { return intx_level_[link]; }
  std::vector<MsiMessage>& messages() { return messages_; }

  /// Moves virtual time; due timers fire on the way.
  void advance(i64 ns);
  /// Runs the main loop until `done` or two seconds of host time have passed; returns done(). For
  /// asynchronous block and chardev work.
  bool run_until(const std::function<bool()>& done);
  void reset(ResetKind kind = ResetKind::Warm);
  std::vector<u8> save();
  Result<> load(std::span<const u8> stream);

 private:
  void set_irq(unsigned line, bool level);
  void before_step(u64 place);
  void remember_lines();
  void check_lines();
  unsigned added_{0};
  std::function<void(Device&)> on_add_;
  std::unique_ptr<Machine> machine_;
  Reloader reloader_;
  u64 last_place_{0};
  unsigned repeats_{0}, steps_{0}, skipped_{0};
  Region ram_;
  IsaBus* isa_{};
  PciBus* pci_{};
  std::array<bool, 16> irq_level_{};
  std::array<unsigned, 16> irq_edges_{};
  std::array<bool, 4> intx_level_{};
  std::vector<MsiMessage> messages_;
  struct {
    std::array<bool, 16> irqs{};
    std::array<unsigned, 16> edges{};
    std::array<bool, 4> links{};
    std::size_t messages{};
  } before_;  ///< the reload
};

/// A chardev that remembers what is written and lets the test speak: bench.add("…", {{"chardev",
/// "fake0"}}) after FakeChardev::make(bench, "fake0").
class FakeChardev final : public Chardev {
 public:
  static constexpr std::string_view kName = "chardev-fake";
  static FakeChardev& make(Bench& bench, std::string id);
  std::size_t write(std::span<const u8> data) override;
  std::string filename() const override { return "fake"; }
  /// Delivers as much as the front end takes; returns how much.
  std::size_t say(std::string_view text);
  void send_break() override { tell(ChardevEvent::Break); }
  void tell(ChardevEvent event) { deliver(event); }
  /// Takes `bytes` more, and says that there is room.
  void make_room(std::size_t bytes);
  std::string written;
  std::size_t room{std::size_t{1} << 30};  ///< how much more it takes
};

/// A drive of `bytes` bytes kept in memory (zeroes), found by `id` in drive= properties; the vector
/// is its contents.
std::shared_ptr<std::vector<u8>> make_fake_disk(Bench& bench, std::string id, u64 bytes,
                                                bool read_only = false);

}  // namespace rhea::test
