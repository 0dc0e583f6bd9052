// SPDX-License-Identifier: GPL-2.0-or-later
// Bus-master access: a device's own view of memory.
#pragma once

#include "rhea/softmmu/address_space.h"

#include <span>
#include <vector>

namespace rhea {

class Device;

struct DmaSegment {
  u64 address{};
  u64 length{};
};

/// How a device masters the bus. Disabled (PCI command register bit 2 clear), every transfer fails.
/// Transfers aimed at registers of the device itself are refused with MemResult::Reentrant.
class DmaMaster {
 public:
  void init(Device& owner, AddressSpace& space, u16 requester_id = 0);
  void set_enabled(bool enabled) { enabled_.store(enabled, std::memory_order_relaxed); }
  bool enabled() const { return enabled_.load(std::memory_order_relaxed); }
  AddressSpace& space() const { return *space_; }

  MemResult read(u64 address, std::span<u8> data) const;
  MemResult write(u64 address, std::span<const u8> data) const;
  template <class T>
  MemResult read_value(u64 address, T& value) const {
    return read(address, {reinterpret_cast<u8*>(&value), sizeof(T)});
  }
  template <class T>
  MemResult write_value(u64 address, const T& value) const {
    return write(address, {reinterpret_cast<const u8*>(&value), sizeof(T)});
  }

 private:
  Device* owner_{};
  AddressSpace* space_{};
  u16 requester_id_{};
  std::atomic<bool> enabled_{true};
};

/// A list of guest memory segments, read or filled from front to back.
class ScatterList {
 public:
  void add(u64 address, u64 length) {
    if (length != 0) segments_.push_back({address, length});
  }
  void clear() { segments_.clear(); }
  u64 size() const;
  const std::vector<DmaSegment>& segments() const { return segments_; }
  /// Copies data.size() bytes beginning `skip` bytes into the list; fails if the list is shorter.
  MemResult to_guest(const DmaMaster& master, u64 skip, std::span<const u8> data) const;
  MemResult from_guest(const DmaMaster& master, u64 skip, std::span<u8> data) const;

 private:
  std::vector<DmaSegment> segments_;
};

}  // namespace rhea
