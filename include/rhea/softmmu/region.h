// SPDX-License-Identifier: GPL-2.0-or-later
// Memory regions: the graph from which a machine's memory map is made.
//
// A region is a member of the device that owns it. It becomes a container, RAM, ROM, ROM device,
// MMIO, alias or IOMMU by one of the init_ functions, and visible by being added to a container at
// an offset, with a priority that counts among the regions of that container only; the higher one
// wins where two overlap. An address space renders the graph below its root into a FlatView. The
// model is QEMU's, which fits the PC's chipset: PAM, SMRAM, VGA and PCI windows are aliases with
// priorities.
//
// Threads: the graph changes only under the machine's lock, between Transaction begin and end (each
// change made outside one is a transaction of its own); everything else sees published flat views.
#pragma once

#include "rhea/qom/member.h"
#include "rhea/softmmu/access.h"
#include "rhea/softmmu/ram_block.h"
#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <atomic>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace rhea {

class Device;
class LockDomain;
class MemoryMap;
struct MapLink;

/// Access sizes, in bytes: what the hardware accepts, and what the handler implements. The core
/// splits and merges between the two. An access outside `valid` reads all ones and writes nothing.
struct AccessSizes {
  u8 min{1};
  u8 max{4};
  bool unaligned{false};
};

/// Handlers of an MMIO or port region. Build it with io<&Self::read, &Self::write>().
struct RegionOps {
  MemResult (*read)(void* opaque, Access& access){};
  MemResult (*write)(void* opaque, Access& access){};
  AccessSizes valid{.min = 1, .max = 8};
  AccessSizes impl{.min = 1, .max = 8};
};

/// RegionOps whose handlers are member functions of a `Handler`.
template <class Handler>
struct IoOps : RegionOps {};

namespace detail {

/// What a member function looks like as a handler.
template <class F>
struct IoMethod {
  static constexpr bool kReads = false, kWrites = false;
};
template <class C>
struct IoMethod<u64 (C::*)(u64, unsigned)> {
  using Class = C;
  static constexpr bool kReads = true, kWrites = false;
};
template <class C>
struct IoMethod<u64 (C::*)(u64, unsigned) const> : IoMethod<u64 (C::*)(u64, unsigned)> {};
template <class C>
struct IoMethod<void (C::*)(u64, u64, unsigned)> {
  using Class = C;
  static constexpr bool kReads = false, kWrites = true;
};
template <class C>
struct IoMethod<void (C::*)(u64, u64, unsigned) const> : IoMethod<void (C::*)(u64, u64, unsigned)> {
};
template <class C>
struct IoMethod<MemResult (C::*)(Access&)> {
  using Class = C;
  static constexpr bool kReads = true, kWrites = true;
};
template <class C>
struct IoMethod<MemResult (C::*)(Access&) const> : IoMethod<MemResult (C::*)(Access&)> {};

template <class Handler, auto Method>
MemResult call_io(void* opaque, Access& a) {
  using M = IoMethod<decltype(Method)>;
  auto& handler = *static_cast<Handler*>(opaque);
  if constexpr (M::kReads && M::kWrites) return (handler.*Method)(a);
  if constexpr (M::kReads && !M::kWrites) a.value = (handler.*Method)(a.offset, a.size);
  if constexpr (!M::kReads && M::kWrites) (handler.*Method)(a.offset, a.value, a.size);
  return MemResult::Ok;
}

/// Of two classes the one that derives from the other.
template <class A, class B>
using MoreDerived = std::conditional_t<std::is_base_of_v<A, B>, B, A>;

template <auto Read, auto Write>
constexpr auto io_ops(AccessSizes valid, AccessSizes impl) {
  using R = IoMethod<decltype(Read)>;
  using W = IoMethod<decltype(Write)>;
  static_assert(
      R::kReads,
      "a handler of reads is `u64 f(u64 offset, unsigned size)` or `MemResult f(Access&)`");
  static_assert(W::kWrites,
                "a handler of writes is `void f(u64 offset, u64 value, unsigned size)` or "
                "`MemResult f(Access&)`");
  if constexpr (R::kReads && W::kWrites) {
    using Handler = MoreDerived<typename R::Class, typename W::Class>;
    return IoOps<Handler>{{.read = &call_io<Handler, Read>,
                           .write = &call_io<Handler, Write>,
                           .valid = valid,
                           .impl = impl}};
  } else {
    return RegionOps{};
  }
}

}  // namespace detail

/// Handlers from member functions: `u64 read(u64 offset, unsigned size)` and
/// `void write(u64 offset, u64 value, unsigned size)`, or `MemResult f(Access&)` for those that
/// look at attributes or refuse. `valid` defaults to 1..4 bytes, `impl` to the same as valid.
template <auto Read, auto Write>
constexpr auto io(AccessSizes valid = {.min = 1, .max = 4},
                  AccessSizes impl = {.min = 0, .max = 0}) {
  return detail::io_ops<Read, Write>(valid, impl.min == 0 ? valid : impl);
}

enum class RegionKind : u8 { None, Container, Ram, Rom, RomDevice, Mmio, Alias, Iommu };

/// What an IOMMU region makes of an address.
struct IommuTranslation {
  class AddressSpace* target{};
  u64 address{};  ///< translated start, aligned down with mask
  u64 mask{};     ///< low bits passed through (page size - 1)
  bool readable{false};
  bool writable{false};
};
/// Called inside an RcuGuard from any thread: it must not wait for a lock domain.
using IommuTranslate = IommuTranslation (*)(void* opaque, u64 offset, bool write, MemAttrs attrs);

/// An eventfd the accelerator signals by itself instead of leaving the guest: a write of `size`
/// bytes at `offset` (matching `value` if `match`) does nothing but signal. size 0: any size.
struct IoEventFd {
  u64 offset{};
  u8 size{};
  bool match{false};
  u64 value{};
  int fd{-1};
  friend bool operator==(const IoEventFd&, const IoEventFd&) = default;
};

struct CoalescedRange {
  u64 offset{};
  u64 size{};
  friend bool operator==(const CoalescedRange&, const CoalescedRange&) = default;
};

class Region : public ObjectMember {
 public:
  Region() = default;
  /// Leaves its container; sub-regions still in it are taken out.
  ~Region() override;

  /// Sizes are in bytes, 1 to 2^64 (kWholeSpace). The owner may be null for regions of the machine
  /// itself. A region must be uninitialised, or have left its container (reset()), before it is
  /// initialised again.
  static constexpr u128 kWholeSpace = static_cast<u128>(1) << 64;
  void init_container(Device* owner, std::string name, u128 size);
  /// RAM with a block of its own, whose id is `name`, behind the owner's path when that is in a
  /// machine
  /// ("/machine/peripheral/video0/vga.vram").
  Result<> init_ram(Device* owner, std::string name, u64 size, const RamOptions& options = {});
  /// RAM in a block that somebody else keeps alive.
  void init_ram_shared(Device* owner, std::string name, std::shared_ptr<RamBlock> block);
  /// Like RAM for the host, read-only for the guest: writes are dropped.
  Result<> init_rom(Device* owner, std::string name, u64 size);
  /// Reads come from memory, writes go to the handlers; set_romd_mode(false) sends reads there as
  /// well.
  Result<> init_rom_device(Device* owner, std::string name, u64 size, const RegionOps& ops,
                           void* opaque);
  void init_io(Device* owner, std::string name, u64 size, const RegionOps& ops, void* opaque);
  template <class Self>
  void init_io(Self& owner, std::string name, u64 size, const RegionOps& ops) {
    init_io(&owner, std::move(name), size, ops, &owner);
  }
  template <class Self, class Handler>
  void init_io(Self& owner, std::string name, u64 size, const IoOps<Handler>& ops) {
    init_io(&owner, std::move(name), size, ops, &owner);
  }
  /// `handler` is whose member functions io<…>() names.
  template <class Handler, class Given>
  void init_io(Device* owner, std::string name, u64 size, const IoOps<Handler>& ops,
               Given* handler) {
    init_io(owner, std::move(name), size, static_cast<const RegionOps&>(ops),
            handler_of<Handler>(handler));
  }
  template <class Handler, class Given>
  Result<> init_rom_device(Device* owner, std::string name, u64 size, const IoOps<Handler>& ops,
                           Given* handler) {
    return init_rom_device(owner, std::move(name), size, static_cast<const RegionOps&>(ops),
                           handler_of<Handler>(handler));
  }
  /// A window of `size` bytes onto `target` from `offset`.
  void init_alias(Device* owner, std::string name, Region& target, u64 offset, u128 size);
  void init_iommu(Device* owner, std::string name, u128 size, IommuTranslate translate,
                  void* opaque);
  /// Back to uninitialised.
  void reset();

  /// Puts `child` (initialised, in no container) into this container.
  void add(u64 offset, Region& child, int priority = 0);
  void remove(Region& child);

  void set_enabled(bool enabled);
  void set_address(u64 offset);  ///< moves within the container
  void set_priority(int priority);
  void set_size(u128 size);  ///< not for RAM
  void set_alias_offset(u64 offset);
  void set_readonly(bool readonly);  ///< RAM and aliases: the guest's writes are dropped
  void set_romd_mode(bool romd);
  /// Starts or stops logging writes below this region (RAM or alias to it) for `client`.
  void set_log(DirtyClient client, bool on);
  void add_eventfd(const IoEventFd& eventfd);
  void remove_eventfd(const IoEventFd& eventfd);
  /// Writes to the range may reach the handler late, in order, before any other exit of the vCPU's
  /// is handled.
  void set_coalesced(u64 offset, u64 size);
  void clear_coalesced();
  /// Handlers run under this lock domain instead of the machine's; null: under none. A device's own
  /// (Device::set_lock_domain) is that of all its regions without asking. Such handlers must not
  /// wait for the machine's lock, since whoever destroys the region waits for them with that lock
  /// held; what they need it for they post (rhea/softmmu/posted.h). See docs/threads.md.
  void set_lock_domain(LockDomain* domain);
  LockDomain* lock_domain() const;

  bool initialised() const { return kind_ != RegionKind::None; }
  RegionKind kind() const { return kind_; }
  const std::string& name() const { return name_; }
  u128 size() const { return size_; }
  u64 address() const { return address_; }
  int priority() const { return priority_; }
  bool enabled() const { return enabled_; }
  bool readonly() const { return readonly_; }
  bool romd_mode() const { return romd_; }
  Device* owner() const { return owner_; }
  Region* container() const { return container_; }
  Region* alias_target() const { return alias_; }
  u64 alias_offset() const { return alias_offset_; }
  const std::vector<Region*>& children() const { return children_; }  ///< highest priority first
  const RegionOps& ops() const { return ops_; }
  void* opaque() const { return opaque_; }
  const std::vector<IoEventFd>& eventfds() const { return eventfds_; }
  const std::vector<CoalescedRange>& coalesced() const { return coalesced_; }
  unsigned log_clients() const { return log_clients_; }  ///< bit per DirtyClient
  IommuTranslation translate(u64 offset, bool write, MemAttrs attrs) const {
    return iommu_(opaque_, offset, write, attrs);
  }

  /// RAM, ROM, ROM device: the block; null otherwise.
  const std::shared_ptr<RamBlock>& ram() const { return ram_; }
  u8* host() const { return ram_ ? ram_->host() : nullptr; }
  bool backed_by_ram() const { return ram_ != nullptr; }

  /// One access of any size in `valid`, adapted to what the handler implements; offset within the
  /// region. Takes the lock domain; refused while this thread is inside a handler or a transfer of
  /// the owner's. Thread-safe; the caller keeps the region alive.
  MemResult dispatch(Access& access, bool write) const;

 protected:
  void end() override { reset(); }

 private:
  friend class AddressSpace;
  friend class RegionPin;
  template <class Handler, class Given>
  static void* handler_of(Given* handler) {
    static_assert(std::is_base_of_v<Handler, Given>,
                  "the handlers are member functions of another class: name the object that has "
                  "them behind the io<…>()");
    return static_cast<Handler*>(handler);
  }
  void init(RegionKind kind, Device* owner, std::string name, u128 size);
  void changed();
  void connect(const std::shared_ptr<MapLink>& link);
  void adopt_ram(std::shared_ptr<RamBlock> block);
  void enlist_ram();
  void insert_child(Region& child);
  void detach();
  void await_readers();
  void update_logging(DirtyClient client, unsigned depth);
  bool logged_from_above(DirtyClient client, unsigned depth) const;
  MemResult dispatch_split(Access& access, bool write) const;
  bool signal_eventfd(const Access& access) const;

  RegionKind kind_{RegionKind::None};
  bool enabled_{true};
  bool readonly_{false};
  bool romd_{true};
  bool own_domain_{false};
  bool ever_visible_{false};  ///< some published view has named it since init
  unsigned log_clients_{0};
  int priority_{0};
  u64 address_{0};
  u128 size_{0};
  u64 alias_offset_{0};
  Region* alias_{};
  Region* container_{};
  std::shared_ptr<MapLink>
      link_;  ///< set on the roots of address spaces, inherited through add() and aliases
  Device* owner_{};
  LockDomain* domain_{};
  void* opaque_{};
  IommuTranslate iommu_{};
  RegionOps ops_{};
  std::string name_;
  std::shared_ptr<RamBlock> ram_;
  std::vector<Region*> children_;
  std::vector<Region*> aliases_;  ///< aliases that show this region; cut off when it goes
  std::vector<IoEventFd> eventfds_;
  std::vector<CoalescedRange> coalesced_;
  mutable std::atomic<u32> pins_{0};  ///< accesses under way in a domain other than the machine's
};

}  // namespace rhea
