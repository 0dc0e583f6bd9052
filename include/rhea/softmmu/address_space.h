// SPDX-License-Identifier: GPL-2.0-or-later
// Address spaces: memory as somebody sees it (the CPUs, the port space, a bus master), and its
// listeners.
#pragma once

#include "rhea/softmmu/flat_view.h"
#include "rhea/util/rcu.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rhea {

class AddressSpace;

/// Gets the minimal difference between one published view and the next, inside one begin/commit
/// pair: ranges that go (highest address first), then ranges that come and stay (lowest first).
/// Called under the machine's lock. The default of everything is to do nothing.
class MemoryListener {
 public:
  virtual ~MemoryListener() = default;
  virtual void begin() {}
  virtual void region_del(const FlatRange&) {}
  virtual void region_add(const FlatRange&) {}
  virtual void region_nop(const FlatRange&) {}
  virtual void commit() {}
  /// The clients that log a range that stayed: masks of DirtyClient bits.
  virtual void log_change(const FlatRange&, unsigned /*old_clients*/, unsigned /*new_clients*/) {}
  /// Bring the dirty bits of the range up to date (fetch them from the accelerator).
  virtual void log_sync(const FlatRange&) {}
  /// The bits of the part were taken: protect it again where the accelerator does that by hand.
  virtual void log_clear(const FlatRange&, u64 /*first*/, u64 /*last*/) {}
  virtual void eventfd_add(u64 /*address*/, const IoEventFd&) {}
  virtual void eventfd_del(u64 /*address*/, const IoEventFd&) {}
  virtual void coalesced_add(u64 /*address*/, u64 /*size*/) {}
  virtual void coalesced_del(u64 /*address*/, u64 /*size*/) {}
  /// Writes to coalesced ranges that have not reached their handlers must do so now.
  virtual void flush_coalesced() {}
};

/// Batches changes of the region graph; views are rendered and published when the outermost one
/// ends.
class Transaction {
 public:
  explicit Transaction(MemoryMap& map);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

 private:
  MemoryMap* map_;
};

/// All address spaces of a machine and the transactions over their graphs.
class MemoryMap {
 public:
  /// `default_domain` is the lock that handlers run under and that every change of the graph is
  /// made under; null: no lock at all, for tests with one thread.
  explicit MemoryMap(LockDomain* default_domain);
  ~MemoryMap();
  MemoryMap(const MemoryMap&) = delete;
  MemoryMap& operator=(const MemoryMap&) = delete;

  const std::vector<AddressSpace*>& spaces() const { return spaces_; }
  LockDomain* default_domain() const { return default_domain_; }
  /// The tree of regions of every space, as `info mtree` prints it.
  std::string tree_text() const;
  std::string flat_text() const;
  /// Every RAM block of this map's regions, shown at the moment or not, sorted by id.
  std::vector<std::shared_ptr<RamBlock>> ram_blocks() const;

 private:
  friend class Transaction;
  friend class AddressSpace;
  friend class Region;
  void begin() { ++depth_; }
  void end();
  void changed();
  void publish();

  LockDomain* default_domain_;
  unsigned depth_{0};
  bool pending_{false};
  bool publishing_{false};
  /// Of the latest view, of no other map's either: what was found under the same one still holds.
  std::atomic<u64> generation_{0};
  std::shared_ptr<MapLink> link_;
  std::vector<AddressSpace*> spaces_;
};

/// How a range of guest memory can be reached directly for a moment.
struct HostSpan {
  u8* host{};
  u64 length{};  ///< bytes from the asked address that are contiguous on the host
};

class AddressSpace {
 public:
  /// `root` must outlive the space. A port space covers 64 KiB with O(1) look-up.
  AddressSpace(MemoryMap& map, std::string name, Region& root, bool port_space = false);
  ~AddressSpace();
  AddressSpace(const AddressSpace&) = delete;
  AddressSpace& operator=(const AddressSpace&) = delete;

  const std::string& name() const { return name_; }
  Region& root() const { return *root_; }

  /// The current view; valid while the caller holds an RcuGuard.
  const FlatView& view() const { return *view_.load(std::memory_order_acquire); }

  /// Reads and writes of any length at any alignment. RAM is copied; other regions get accesses of
  /// their sizes. The whole range is attempted; the result is the worst one. Unassigned bytes read
  /// as all ones.
  MemResult read(u64 address, std::span<u8> data, MemAttrs attrs = {}) const;
  MemResult write(u64 address, std::span<const u8> data, MemAttrs attrs = {}) const;
  /// Fills with one byte.
  MemResult fill(u64 address, u8 value, u64 length, MemAttrs attrs = {}) const;
  /// Writes ROM too: for loaders, debuggers and firmware set-up.
  MemResult write_rom(u64 address, std::span<const u8> data) const;

  /// One access as a CPU or a register-wise master makes it: 1, 2, 4 or 8 bytes. Unassigned reads
  /// give all ones, unassigned writes go nowhere; a processor is not told, others may ask.
  u64 load(u64 address, unsigned size, MemAttrs attrs = {}, MemResult* result = nullptr) const;
  void store(u64 address, u64 value, unsigned size, MemAttrs attrs = {},
             MemResult* result = nullptr) const;

  /// Fixed-size, little-endian, with the result of the access.
  template <class T>
  Result<T> read_value(u64 address, MemAttrs attrs = {}) const {
    T value{};
    const auto status = read(address, {reinterpret_cast<u8*>(&value), sizeof(T)}, attrs);
    if (status != MemResult::Ok) return fail("cannot read guest memory at {:#x}", address);
    return value;
  }

  /// Direct host pointer to plain memory at `address` (for writing: not read-only), at most
  /// `length` bytes; nullopt when it is no plain memory. The caller holds an RcuGuard while it uses
  /// it and marks writes dirty through mark_dirty.
  std::optional<HostSpan> map_direct(u64 address, u64 length, bool write) const;
  void mark_dirty(u64 address, u64 length) const;

  /// Listeners get all present ranges at once when they join. Priority: lower ones are told of
  /// additions first.
  void add_listener(MemoryListener& listener, int priority = 0);
  void remove_listener(MemoryListener& listener);
  /// For devices that look at what coalesced writes left, without an access of the guest (a
  /// display's refresh).
  void flush_coalesced() const {
    for (const Listening& listening : listeners_) listening.listener->flush_coalesced();
  }
  /// Asks the listeners for the dirty bits of [first, last] (whole space by default).
  void sync_dirty(u64 first = 0, u64 last = ~u64{0});
  /// After sync: takes the dirty bits of a region's part for a client and tells the listeners to
  /// clear theirs.
  std::vector<u64> take_dirty(const Region& ram_region, DirtyClient client, u64 first_page,
                              u64 pages);

 private:
  friend class MemoryMap;
  struct Listening {
    MemoryListener* listener;
    int priority;
  };
  struct Resolved;
  struct Published;  // eventfds and coalesced ranges told to the listeners so far
  void publish();
  void tell_removals(const FlatView& old, const std::vector<FlatRange>& next,
                     const Published& published);
  void tell_additions(const FlatView& old, const FlatView& now, const Published& published);
  Resolved resolve(u64 address, bool write, MemAttrs attrs) const;
  MemResult access(u64 address, Access& access, bool write) const;
  MemResult access_halves(u64 address, Access& access, bool write) const;
  template <class Transfer>
  MemResult for_each_piece(u64 address, u64 length, MemAttrs attrs, Transfer& transfer) const;

  MemoryMap* map_;
  std::string name_;
  Region* root_;
  bool port_space_;
  std::atomic<const FlatView*> view_{};
  std::vector<Listening> listeners_;
  std::unique_ptr<Published> published_;
};

}  // namespace rhea
