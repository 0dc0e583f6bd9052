// SPDX-License-Identifier: GPL-2.0-or-later
// A software processor: its whole state, and the accesses to memory that its instructions make.
#pragma once

#include "target/x86/bus.h"
#include "target/x86/cpu_state.h"
#include "target/x86/cpuid.h"
#include "target/x86/debug_stops.h"
#include "target/x86/fault.h"
#include "target/x86/flags.h"
#include "target/x86/fpu.h"
#include "target/x86/insn.h"
#include "target/x86/tlb_sets.h"
#include "target/x86/translated.h"

#include <atomic>
#include <cstring>
#include <map>
#include <optional>

namespace rhea::x86 {

/// How the processor interprets code and addresses now; follows from CR0.PE, EFLAGS.VM, EFER.LMA
/// and CS.L.
enum class Mode : u8 { Real, Virtual8086, Protected, Compatibility, Long };

/// A segment register with its hidden part. `attributes` are bits 8..23 of a descriptor's second
/// dword: type, S, DPL, P, AVL, L, D/B, G (bits 8..11 are zero: they are the limit's).
struct SegmentRegister {
  u16 selector{};
  u16 attributes{};
  u32 limit{};  ///< in bytes, granularity applied
  u64 base{};
  bool unusable{};
  // Follow from the attributes; see refresh().
  bool readable{}, writable{}, expand_down{};
  bool flat{};  ///< data from 0 to 4 GiB that may be read and written
  /// Accesses below need no other check: 0, or, unless it expands down, one more than the limit.
  u64 read_end{}, write_end{};

  unsigned type() const { return attributes & 0xf; }
  bool s() const { return (attributes & 0x10) != 0; }
  unsigned dpl() const { return attributes >> 5 & 3; }
  bool present() const { return (attributes & 0x80) != 0; }
  bool l() const { return (attributes & 0x2000) != 0; }
  bool db() const { return (attributes & 0x4000) != 0; }
  bool g() const { return (attributes & 0x8000) != 0; }
  bool is_code() const { return (attributes & 0x18) == 0x18; }
  bool conforming() const { return (attributes & 0x1c) == 0x1c; }
  /// To be called whenever the attributes change.
  void refresh() {
    const bool usable = !unusable && present() && s();
    readable = usable && (!is_code() || (attributes & 2) != 0);
    writable = usable && !is_code() && (attributes & 2) != 0;
    expand_down = s() && (attributes & 0xc) == 4;
    flat = readable && writable && !expand_down && base == 0 && limit == 0xffff'ffff;
    const u64 end = expand_down ? 0 : u64{limit} + 1;
    read_end = readable ? end : 0;
    write_end = writable ? end : 0;
  }
  Segment to_state() const;
  static SegmentRegister from_state(const Segment& segment);
};

/// Why the run loop must look around before the next instruction; see Cpu::attention.
enum class Attention : u32 {
  Interrupt = 1 << 0,  ///< the local APIC or the 8259s have something
  Nmi = 1 << 1,
  Smi = 1 << 2,
  Init = 1 << 3,
  Sipi = 1 << 4,
  FlushTlb = 1 << 5,     ///< the memory map or what is logged has changed
  Exit = 1 << 6,         ///< leave run()
  Gate = 1 << 7,         ///< somebody wants to be alone
  Injected = 1 << 8,     ///< Cpu::injected has an event for deliver_injected
  Forget = 1 << 9,       ///< what it has decoded: others need the room
  DropWrites = 1 << 10,  ///< TLB entries to write: somebody is to be told of stores
  Code = 1 << 11,        ///< somebody has stored to code
};

enum class Activity : u8 { Running, Halted, Shutdown, WaitForSipi };

/// Accesses to debug registers' addresses and to the memory of all modes go through here. Not
/// thread-safe but for `attention`.
struct Cpu {
  explicit Cpu(Bus& bus, const CpuModel& model);

  // ---- Registers. gpr[kRip] is RIP: of the next instruction while one executes.
  std::array<u64, 18> gpr{};
  /// Of the tables for `privilege`, near the registers for who addresses both by one.
  TlbView view;
  TlbView system_view;         ///< for the processor's own accesses, as supervisor
  Translated translated;       ///< what translated code keeps, near the registers
  Flags flags;                 ///< status flags
  u64 eflags{eflags::kFixed};  ///< all other flags; the status bits in it mean nothing
  std::array<SegmentRegister, 6> seg{};
  SegmentRegister ldtr, tr;
  DescriptorTable gdtr, idtr;
  u64 cr0{}, cr2{}, cr3{}, cr4{}, efer{};
  std::array<u64, 4> pdpte{};  ///< PAE paging's, loaded with CR3
  std::array<u64, 4> dr{};
  u64 dr6{dr6::kReset}, dr7{0x400};
  u64 xcr0{1};
  u32 pkru{}, pkrs{};  ///< rights of protection keys: user pages', supervisor pages'
  u32 mxcsr{kMxcsrReset};
  X87 x87;
  std::array<VectorRegister, 16> ymm{};
  /// Model-specific registers that are plain storage, by index; the others have members or belong
  /// to the bus.
  std::map<u32, u64> msrs;
  u64 tsc_offset{}, tsc_aux{};
  u64 star{}, lstar{}, cstar{}, sfmask{}, kernel_gs_base{};
  u64 sysenter_cs{}, sysenter_esp{}, sysenter_eip{};
  u64 misc_enable{1};
  u64 smbase{0x30000};

  // ---- What follows from the registers; update_mode() and set_cpl() keep it.
  Mode mode{Mode::Real};
  u8 cpl{};
  u8 code_bits{16};  ///< default operand and address size of the code segment: 16, 32, 64
  Privilege privilege{Privilege::Supervisor};
  u64 rip_mask{0xffff'ffff};

  // ---- Where it stands.
  u64 insn_rip{};  ///< RIP of the instruction that executes
  bool smm{}, nmi_blocked{}, in_nmi_before_smm{};
  u8 nmis{};           ///< that wait
  bool shadow{};       ///< the last instruction was STI or loaded SS: interrupts wait one more
  bool shadow_next{};  ///< set by such an instruction; becomes `shadow` when it has completed
  Activity activity{Activity::Running};
  /// What cast the shadow loaded SS: debug traps wait for the next instruction, too (STI holds
  /// none).
  bool traps_held{};
  u64 pending_db{};  ///< DR6 bits of data breakpoints and traps that the instruction met
  /// Whether the instruction ends in a single-step trap: EFLAGS.TF before it, except after those
  /// few that change this.
  bool traced{};
  /// Events that are still to be delivered (deliver_injected): of a loaded state, or such as fault
  /// time and again on their way.
  Events injected;
  unsigned pauses{};  ///< PAUSE instructions so far; see there
  /// Set by whatever makes the rest of the decoded block doubtful (a store to code, a flush): the
  /// run loop stops behind the current instruction.
  bool leave_block{};
  /// Written by any thread: bits of Attention.
  std::atomic<u32> attention{0};

  // ---- A debugger's, outside the guest. See set_debug_stops() in system/debug.h.
  DebugStops stops;  ///< `code` in order
  bool has_debug_stops{};
  /// Pages with code breakpoints, the guest's too, as a set of their numbers modulo 64.
  u64 stop_pages{};
  /// A watched access of the current instruction.
  std::optional<DebugStop> stopped;

  u64 random_numbers{};  ///< drawn so far, where they are made of a seed

  Bus* bus;
  const CpuModel* model;
  TlbSets tlb;
  /// Clears bit 20 of physical addresses while A20M# is asserted.
  u64 a20_mask{~u64{0}};
  /// The x87 state on its way between `x87` and the host's registers: an XSAVE area.
  alignas(64) std::array<u8, 576> x87_image{};

  // ---- Registers, by size. Byte registers as in Operand::reg.
  template <class T>
  T reg(unsigned n) const {
    if constexpr (sizeof(T) == 1)
      return reinterpret_cast<const u8*>(gpr.data())[(n & 15) * 8 + (n >> 4)];
    else
      return static_cast<T>(gpr[n]);
  }
  /// A 32-bit write clears the upper half, smaller ones keep the rest.
  template <class T>
  void set_reg(unsigned n, T value) {
    if constexpr (sizeof(T) == 1)
      reinterpret_cast<u8*>(gpr.data())[(n & 15) * 8 + (n >> 4)] = value;
    else if constexpr (sizeof(T) == 2)
      std::memcpy(&gpr[n], &value, 2);
    else
      gpr[n] = value;
  }
  u64 rip() const { return gpr[kRip]; }
  void set_rip(u64 value) { gpr[kRip] = value; }
  u64 rflags() const { return (eflags & ~eflags::kStatus) | flags.value() | eflags::kFixed; }
  void set_rflags(u64 value);  ///< all bits, unchecked; updates what depends on them
  bool eflag(u64 bit) const { return (eflags & bit) != 0; }
  unsigned iopl() const { return static_cast<unsigned>(eflags >> 12 & 3); }
  bool long_mode() const { return mode == Mode::Long; }
  bool lma() const { return (efer & efer::kLma) != 0; }
  bool protected_mode() const { return (cr0 & cr0::kPe) != 0; }
  bool paging() const { return (cr0 & cr0::kPg) != 0; }
  bool has(Feature feature) const { return model->has(feature); }

  /// After CR0, CR4, EFER, EFLAGS.VM, EFLAGS.AC, CS or CPL have changed.
  void update_mode();
  void set_cpl(unsigned level) {
    cpl = static_cast<u8>(level);
    update_mode();
  }
  // ---- TLBs. Each ends the block that runs.
  /// Everything may be different: the memory map, what control registers say of all paging.
  void flush_tlb();
  /// CR3 has been loaded; `keep`: with bit 63.
  void load_space(bool keep);
  /// Entries are void, of other address spaces as well, and with `global` those of global pages.
  void invalidate_tlb(bool global);
  /// INVLPG.
  void flush_tlb_page(u64 linear);
  /// Rights of protection keys have changed: translations and code stay.
  void flush_tlb_data();
  /// The page's accesses are to be seen, each one.
  void watch_linear_page(u64 linear);
  /// After a change that may have moved the TLBs, such as what a walk meets: reads go by the views.
  void update_views();
  /// The running address space.
  SpaceRoot space() const;
  /// What code that was found by its linear address was found under; see CodeEpochs.
  u64 code_epoch() const { return tlb.epochs().now; }

  // ---- Addresses.
  bool canonical(u64 address) const {
    const unsigned unused = (cr4 & cr4::kLa57) != 0 ? 7 : 16;
    return static_cast<u64>(static_cast<i64>(address << unused) >> unused) == address;
  }
  static u64 size_mask(unsigned bytes) { return bytes >= 8 ? ~u64{0} : (u64{1} << 8 * bytes) - 1; }
  /// Offset of the memory operand within its segment.
  u64 effective_address(const Insn& insn) const {
    const u64 sum = gpr[insn.base] + (gpr[insn.index] << insn.scale) +
                    static_cast<u64>(static_cast<i64>(insn.disp));
    return sum & size_mask(insn.address_size);
  }
  /// Segment and limit checks (#GP, #SS); in long mode just the base of FS and GS: whether the sum
  /// is canonical is checked where no TLB entry is found.
  u64 linear(unsigned segment, u64 offset, unsigned size, bool write) const {
    const SegmentRegister& s = seg[segment];
    if (mode == Mode::Long) return segment >= Fs ? offset + s.base : offset;
    const bool allowed = write ? s.writable : s.readable;
    if (!allowed || s.expand_down || offset > s.limit || size - 1 > s.limit - offset) [[unlikely]]
      check_segment(segment, offset, size, write);
    return (s.base + offset) & 0xffff'ffff;
  }

  // ---- Memory operands: within a segment, with the current privilege. Any alignment.
  template <class T>
  T read(unsigned segment, u64 offset) {
    const u64 at = linear(segment, offset, sizeof(T), false);
    T value;
    if (const u8* host = view.find_read(at, sizeof(T))) [[likely]]
      std::memcpy(&value, host, sizeof value);
    else
      read_slow(at, &value, sizeof value, segment, privilege);
    return value;
  }
  template <class T>
  void write(unsigned segment, u64 offset, T value) {
    const u64 at = linear(segment, offset, sizeof(T), true);
    if (u8* host = view.find_write(at, sizeof(T))) [[likely]]
      std::memcpy(host, &value, sizeof value);
    else
      write_slow(at, &value, sizeof value, segment, privilege);
  }
  /// Any number of bytes up to a page.
  void read_bytes(unsigned segment, u64 offset, void* to, unsigned size);
  void write_bytes(unsigned segment, u64 offset, const void* from, unsigned size);
  /// Reads, and writes what `change` makes of it, both checked as a write; atomic on memory when
  /// `locked`. `change` may be called more than once. Returns the old value.
  template <class T, class Change>
  T modify(unsigned segment, u64 offset, bool locked, Change change) {
    const u64 at = linear(segment, offset, sizeof(T), true);
    if (u8* host = view.find_write(at, sizeof(T));
        host != nullptr && !(locked && splits_line(at, sizeof(T)))) [[likely]]
      return modify_host<T>(host, locked, change);
    struct Context {
      Change* change;
      bool locked;
      T old;
    } context{&change, locked, {}};
    modify_slow(
        at, sizeof(T), segment, locked,
        [](void* opaque, u8* host) {
          auto& c = *static_cast<Context*>(opaque);
          c.old = modify_host<T>(host, c.locked, *c.change);
        },
        &context);
    return context.old;
  }
  /// Raises what a write of `size` bytes there would raise; nothing is written.
  void probe_write(unsigned segment, u64 offset, unsigned size);
  /// The fault of an access that has found no TLB entry, as a value. None where there is none, or
  /// where only making the access tells (segments, alignment checks).
  std::optional<Fault> foresee(unsigned segment, u64 offset, unsigned size, bool write);

  // ---- The processor's own accesses (descriptor tables, TSS): linear, as supervisor.
  template <class T>
  T read_system(u64 linear) {
    T value;
    if (const u8* host = system_view.find_read(linear, sizeof(T))) [[likely]]
      std::memcpy(&value, host, sizeof value);
    else
      read_slow(linear, &value, sizeof value, kNoSegment, Privilege::Supervisor);
    return value;
  }
  template <class T>
  void write_system(u64 linear, T value) {
    if (u8* host = system_view.find_write(linear, sizeof(T))) [[likely]]
      std::memcpy(host, &value, sizeof value);
    else
      write_slow(linear, &value, sizeof value, kNoSegment, Privilege::Supervisor);
  }
  /// Physical memory, as the page walker and SMM need it.
  template <class T>
  T read_physical(u64 address) {
    const HostPage page = bus->page(address & ~u64{0xfff});
    if (page.read == nullptr) return static_cast<T>(bus->read(address, sizeof(T)));
    T value;
    std::memcpy(&value, page.read + (address & 0xfff), sizeof value);
    return value;
  }
  template <class T>
  void write_physical(u64 address, T value) {
    bus->write(address, value, sizeof(T));
  }

  /// Of the tables for any privilege.
  const TlbView& view_of(Privilege as) const { return as == privilege ? view : tlb.view(as); }
  // ---- With a privilege of the caller's choice; `segment` says which fault a linear address that
  // is not canonical raises.
  void read_slow(u64 linear, void* to, unsigned size, unsigned segment, Privilege as);
  void write_slow(u64 linear, const void* from, unsigned size, unsigned segment, Privilege as);
  /// Raises #GP or #SS, or returns when the access is allowed after all.
  void check_segment(unsigned segment, u64 offset, unsigned size, bool write) const;

  // ---- Stack: SS with the stack's address size.
  unsigned stack_address_size() const { return long_mode() ? 8 : seg[Ss].db() ? 4 : 2; }
  /// Writes at SP minus `size` and moves SP; a fault leaves SP as it was.
  template <class T>
  void push(T value) {
    const unsigned width = stack_address_size();
    const u64 sp = (gpr[Rsp] - sizeof(T)) & size_mask(width);
    write<T>(Ss, sp, value);
    set_sp(sp, width);
  }
  template <class T>
  T pop() {
    const unsigned width = stack_address_size();
    const T value = read<T>(Ss, gpr[Rsp] & size_mask(width));
    set_sp((gpr[Rsp] + sizeof(T)) & size_mask(width), width);
    return value;
  }
  /// By operand size: 2, 4 or 8 bytes.
  void push_sized(u64 value, unsigned size) {
    if (size == 8)
      push<u64>(value);
    else if (size == 4)
      push<u32>(static_cast<u32>(value));
    else
      push<u16>(static_cast<u16>(value));
  }
  u64 pop_sized(unsigned size) {
    return size == 8 ? pop<u64>() : size == 4 ? pop<u32>() : pop<u16>();
  }
  void set_sp(u64 sp, unsigned width) {
    if (width == 2)
      set_reg<u16>(Rsp, static_cast<u16>(sp));
    else
      gpr[Rsp] = width == 4 ? sp & 0xffff'ffff : sp;
  }

  // ---- Control flow: near branches check the target and set RIP.
  /// Truncates to the operand size; #GP(0) beyond the code segment's limit or not canonical.
  void branch_to(u64 target, unsigned operand_size);

  // ---- State exchange.
  void save(CpuState& state) const;
  void load(const CpuState& state);
  /// Power-up or INIT (SDM vol. 3, table 10-1).
  void reset(bool init);
  /// SIPI: leaves WaitForSipi and starts in real mode at `vector` * 4096.
  void start_up(u8 vector);

  void need_attention(Attention what) {
    attention.fetch_or(static_cast<u32>(what), std::memory_order_seq_cst);
  }
  bool wants(Attention what) const {
    return (attention.load(std::memory_order_acquire) & static_cast<u32>(what)) != 0;
  }
  void clear_attention(Attention what) {
    attention.fetch_and(~static_cast<u32>(what), std::memory_order_acq_rel);
  }

 private:
  /// Whether a cache line ends within an access. Locked ones of that kind are not left to the
  /// host's processor: kernels punish them with pauses (split_lock_mitigate) or with SIGBUS.
  static bool splits_line(u64 at, unsigned size) { return (at & 63) + size > 64; }
  template <class T, class Change>
  static T modify_host(u8* host, bool locked, Change& change) {
    T old;
    std::memcpy(&old, host, sizeof old);
    if (!locked) {
      const T made = change(old);
      std::memcpy(host, &made, sizeof made);
      return old;
    }
    while (!compare_exchange(host, old, change(old))) {
    }
    return old;
  }
  /// One LOCK CMPXCHG of the host's, within a line: on failure `expected` becomes what is there.
  template <class T>
  // NOLINTNEXTLINE(readability-non-const-parameter): the instruction writes there
  static bool compare_exchange(u8* host, T& expected, T wanted) {
    bool done = false;
    if constexpr (sizeof(T) == 16) {
      auto low = static_cast<u64>(expected), high = static_cast<u64>(expected >> 64);
      asm volatile("lock cmpxchg16b %1"
                   : "=@ccz"(done), "+m"(*reinterpret_cast<u8(*)[16]>(host)), "+a"(low), "+d"(high)
                   : "b"(static_cast<u64>(wanted)), "c"(static_cast<u64>(wanted >> 64))
                   : "memory");
      expected = static_cast<T>(high) << 64 | low;
    } else {
      asm volatile("lock cmpxchg %3, %1"
                   : "=@ccz"(done), "+m"(*reinterpret_cast<u8(*)[sizeof(T)]>(host)), "+a"(expected)
                   : "r"(wanted)
                   : "memory");
    }
    return done;
  }

  void modify_slow(u64 linear, unsigned size, unsigned segment, bool locked,
                   void (*change)(void*, u8*), void* context);
  struct Piece;
  OrFault<Piece> locate(u64 linear, bool write, unsigned segment, Privilege as);
  void attach(Piece& piece, Privilege as);
};

}  // namespace rhea::x86
