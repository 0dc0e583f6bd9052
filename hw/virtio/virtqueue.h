// SPDX-License-Identifier: GPL-2.0-or-later
// Virtqueues: rings in guest memory by which a driver hands buffers to its device and gets them
// back (OASIS Virtual I/O Device 1.2, 2.6 to 2.8), in the split and in the packed layout.
//
// What is in guest memory may be anything, and may change between two looks: everything is read
// once, and the copy is checked. What no driver may do breaks the queue: nothing is taken from it
// any more, and its host hears why. A walk never takes more steps than the ring or kMostSegments
// has.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/softmmu/dma.h"

#include <string_view>
#include <vector>

namespace rhea::hw {

/// What was negotiated that concerns rings.
struct RingRules {
  bool packed{false};           ///< VIRTIO_F_RING_PACKED
  bool indirect{false};         ///< VIRTIO_F_INDIRECT_DESC
  bool event_index{false};      ///< VIRTIO_F_EVENT_IDX
  bool in_order{false};         ///< VIRTIO_F_IN_ORDER
  bool notify_on_empty{false};  ///< VIRTIO_F_NOTIFY_ON_EMPTY, of legacy drivers
};

/// What a queue needs of the device that it belongs to, which outlives it.
class QueueHost {
 public:
  /// Descriptors that a device looks at, of all its queues together, before others have their turn.
  /// A driver may need as many of them for a buffer as it likes, so buffers are no measure of work.
  static constexpr u64 kTurn = 4096;

  virtual const DmaMaster& memory() const = 0;
  /// `queue` is broken; called once.
  virtual void queue_broken(u16 queue, std::string_view why) = 0;
  const RingRules& rules() const { return rules_; }

  void begin_turn() { turn_ = looked_at_; }
  bool turn_is_over() const { return looked_at_ - turn_ >= kTurn; }
  /// How many descriptors it ever looked at.
  u64 looked_at() const { return looked_at_; }
  /// Work that is as much as looking at so many.
  void add_work(u64 descriptors) { looked_at_ += descriptors; }

 protected:
  ~QueueHost() = default;
  RingRules rules_;

 private:
  u64 looked_at_{0}, turn_{0};
};

/// A chain of descriptors: what the device may read of it, and what it may write. Of one that is
/// used again the memory is kept. State: all of it, for devices that keep buffers.
struct VirtBuffer {
  u16 id{};     ///< of its head descriptor (split), or as the driver gave it (packed)
  u16 slots{};  ///< how many descriptors of the ring it takes up; 1 in a split ring
  ScatterList out, in;
  u64 out_bytes{}, in_bytes{};

  void clear();
};

enum class Popped : u8 {
  None,    ///< no buffer is there; the driver will notify when there is one
  One,     ///< one was taken
  Broken,  ///< the queue is broken
};

/// Where the rings of a queue are, and how far its device has come. All calls come under the
/// device's lock domain. State: complete.
class VirtQueue {
 public:
  static constexpr u16 kMostEntries = 1024;  ///< QEMU's limit
  /// Of one buffer, those of an indirect table among them.
  static constexpr unsigned kMostSegments = 1024;
  static constexpr u16 kNoVector = 0xffff;

  /// From the device's realize(). `entries` is how many a driver finds, a power of two.
  void init(QueueHost& host, u16 number, u16 entries);
  /// As after a reset of the device, or of the queue (2.6.1).
  void reset();

  u16 most_entries() const { return most_; }
  u16 entries() const { return entries_; }
  /// Whether `entries` can be: a power of two where the ring is split.
  bool accepts(u16 entries) const;
  void set_entries(u16 entries) { entries_ = entries; }
  bool enabled() const { return enabled_; }
  void enable() { enabled_ = true; }
  bool broken() const { return broken_; }
  /// Slots of buffers that were taken and not given back.
  u16 in_use() const { return in_use_; }

  // Addresses, as drivers of version 1 give them: the descriptors, what the driver writes, what the
  // device writes.
  enum class Area : u8 { Descriptors, Driver, Device };
  u64 address(Area area) const { return areas_[static_cast<std::size_t>(area)]; }
  void set_address(Area area, u64 address) { areas_[static_cast<std::size_t>(area)] = address; }
  /// As legacy drivers do: everything from there on, the device's part on a multiple of `align`.
  void set_legacy_address(u64 address, u64 align);

  u16 vector() const { return vector_; }
  void set_vector(u16 vector) { vector_ = vector; }

  /// Takes the next buffer. Nothing is taken, and nothing broken, while all entries are in use.
  Popped pop(VirtBuffer& buffer);
  /// The buffer taken last, of which nothing was used, will be the next again.
  void undo_pop(const VirtBuffer& buffer);
  /// Gives a buffer back, `written` bytes of whose `in` hold something. Under in-order they reach
  /// the driver in the order in which they were taken.
  void push(const VirtBuffer& buffer, u32 written);
  /// What is pushed between these the driver sees all at once.
  void begin_pushes() { together_ = true; }
  void end_pushes();
  /// Whether the driver wants to hear of what was pushed since this was last asked.
  bool wants_interrupt();
  /// Copies of a part of a buffer, `skip` bytes from its start. False, and the queue is broken,
  /// where the list is shorter or leads to where there is no memory.
  bool read(const VirtBuffer& buffer, u64 skip, std::span<u8> data);
  bool write(const VirtBuffer& buffer, u64 skip, std::span<const u8> data);

  /// A notification that nobody has looked at yet.
  bool kicked() const { return kicked_; }
  void set_kicked(bool on) { kicked_ = on; }

  static void describe(StateFields<VirtQueue>& s);
  /// After a load: whether the numbers can be those of a queue.
  Result<> check_loaded() const;

 private:
  struct Descriptor {
    u64 address{};
    u32 length{};
    u16 flags{};
    u16 last{};  ///< split: the next one's number; packed: the buffer's id (`flags` lies behind it)
  };
  /// A table of descriptors: the ring's, or an indirect one.
  struct Table {
    u64 address{};
    u32 entries{};
  };
  struct Finished {
    u16 id{}, slots{};
    u32 written{};
    bool done{};
    static void describe(StateFields<Finished>& s);
  };

  bool fail(std::string_view why);
  bool fetch(u64 address, auto& value);
  bool store(u64 address, auto value);
  bool fetch_descriptor(const Table& table, u32 number, Descriptor& descriptor);
  bool open_indirect(const Descriptor& descriptor, Table& table);
  bool add_segment(VirtBuffer& buffer, const Descriptor& descriptor, unsigned& segments);
  void take(const VirtBuffer& buffer);

  Popped pop_split(VirtBuffer& buffer);
  bool available_split(u16& ahead);
  bool follow_split(u16 head, VirtBuffer& buffer);
  void publish_split(const Finished& finished);
  void show_split();
  bool wants_interrupt_split();

  Popped pop_packed(VirtBuffer& buffer);
  bool available_packed(bool& there);
  bool follow_packed(VirtBuffer& buffer);
  bool follow_table(const Descriptor& descriptor, VirtBuffer& buffer, unsigned& segments);
  void publish_packed(const Finished& finished);
  void show_packed();
  bool wants_interrupt_packed();
  void advance(u16& position, bool& wrap, u16 slots) const;

  void publish(const Finished& finished);
  u16 entry_of(u16 position) const { return static_cast<u16>(position % entries_); }

  QueueHost* host_{};
  u16 number_{};
  u16 most_{};

  u16 entries_{};
  bool enabled_{false}, broken_{false}, kicked_{false};
  std::array<u64, 3> areas_{};
  u16 vector_{kNoVector};
  u16 next_available_{0}, next_used_{0};
  bool available_wrap_{true}, used_wrap_{true};  ///< of packed rings
  u16 in_use_{0};
  u32 untold_{0};                ///< slots given back since the driver was told
  std::vector<Finished> order_;  ///< in-order: those taken, oldest first
  // Only within a call of the device's:
  bool together_{false};
  u64 first_flags_at_{0};  ///< packed: of the first that is not shown yet; 0: there is none
  u16 first_flags_{0};
};

}  // namespace rhea::hw

namespace rhea {
template <>
struct StateCodec<hw::VirtBuffer> {
  static void save(const hw::VirtBuffer& buffer, StateWriter& out);
  static Result<> load(hw::VirtBuffer& buffer, StateReader& in, const StateField& field);
};
}  // namespace rhea
