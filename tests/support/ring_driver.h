// SPDX-License-Identifier: GPL-2.0-or-later
// The drivers' half of virtqueues, split and packed: as much of it as tests need, and what no
// driver should do.
#pragma once

#include "rhea/softmmu/address_space.h"

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace rhea::test {

/// A part of a buffer.
struct Piece {
  u64 address{};
  u32 length{};
  bool write{false};  ///< by the device
};

struct UsedBuffer {
  u16 id{};
  u32 written{};
  friend bool operator==(const UsedBuffer&, const UsedBuffer&) = default;
};

/// Where a ring's parts lie, and how many entries it has.
struct RingPlace {
  u64 descriptors{0x1'0000}, driver{0x1'4000}, device{0x1'8000};
  u16 entries{8};
};

/// One at a time. Memory is the driver's own: nothing is freed, descriptors are used in turn.
class RingDriver {
 public:
  RingDriver(AddressSpace& memory, const RingPlace& place) : memory_(&memory), place_(place) {}
  virtual ~RingDriver() = default;

  const RingPlace& place() const { return place_; }
  /// As far as this one, with a copy of the memory.
  virtual std::unique_ptr<RingDriver> clone(AddressSpace& memory) const = 0;
  /// Makes a buffer of direct descriptors available; its id.
  virtual u16 add(const std::vector<Piece>& pieces) = 0;
  /// The same by an indirect table at `table`.
  virtual u16 add_indirect(const std::vector<Piece>& pieces, u64 table) = 0;
  /// The next buffer that the device has given back.
  virtual std::optional<UsedBuffer> take_used() = 0;
  /// No interrupts at all, or again.
  virtual void want_interrupts(bool on) = 0;
  /// Under event index: an interrupt once `more` further buffers of one descriptor were used.
  virtual void want_interrupt_after(u16 more) = 0;
  /// Under event index: whether the device asks to hear of the next buffer.
  virtual bool device_asks_for_next() const = 0;

  u64 load(u64 address, unsigned size) const { return memory_->load(address, size); }
  void store(u64 address, u64 value, unsigned size) { memory_->store(address, value, size); }

 protected:
  template <class Driver>
  static std::unique_ptr<RingDriver> clone_of(const Driver& driver, AddressSpace& memory) {
    auto copy = std::make_unique<Driver>(driver);
    copy->memory_ = &memory;
    return copy;
  }
  /// A descriptor of split rings, or of their tables.
  void put_split(u64 at, const Piece& piece, u16 flags, u16 next);
  void put_packed(u64 at, const Piece& piece, u16 id, u16 flags);
  AddressSpace* memory_;
  RingPlace place_;
};

class SplitDriver final : public RingDriver {
 public:
  using RingDriver::RingDriver;
  std::unique_ptr<RingDriver> clone(AddressSpace& memory) const override {
    return clone_of(*this, memory);
  }
  u16 add(const std::vector<Piece>& pieces) override;
  u16 add_indirect(const std::vector<Piece>& pieces, u64 table) override;
  /// Direct pieces, then a table.
  u16 add_mixed(const std::vector<Piece>& direct, const std::vector<Piece>& pieces, u64 table);
  std::optional<UsedBuffer> take_used() override;
  void want_interrupts(bool on) override { store(place_.driver, on ? 0 : 1, 2); }
  void want_interrupt_after(u16 more) override;
  bool device_asks_for_next() const override;

  // Piece by piece.
  void put(u16 number, const Piece& piece, u16 flags, u16 next) {
    put_split(place_.descriptors + 16 * u64{number}, piece, flags, next);
  }
  void make_available(u16 head);
  void set_available_index(u16 index) { store(place_.driver + 2, index, 2); }
  void put_table(const std::vector<Piece>& pieces, u64 table);

 private:
  u16 free_{0}, available_{0}, seen_{0};
};

class PackedDriver final : public RingDriver {
 public:
  using RingDriver::RingDriver;
  std::unique_ptr<RingDriver> clone(AddressSpace& memory) const override {
    return clone_of(*this, memory);
  }
  u16 add(const std::vector<Piece>& pieces) override;
  u16 add_indirect(const std::vector<Piece>& pieces, u64 table) override;
  std::optional<UsedBuffer> take_used() override;
  void want_interrupts(bool on) override { store(place_.driver + 2, on ? 0 : 1, 2); }
  void want_interrupt_after(u16 more) override;
  bool device_asks_for_next() const override;

  /// A descriptor at the next place, with flags besides those that make it available.
  void put(const Piece& piece, u16 id, u16 flags);
  void put_table(const std::vector<Piece>& pieces, u64 table);

 private:
  u16 next_id_{0}, free_{0}, seen_{0};
  bool wrap_{true}, seen_wrap_{true};
  std::vector<u16> slots_ = std::vector<u16>(0x10000);  ///< by id
};

}  // namespace rhea::test
