// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: what the page tables of the monitor's CPU map, and where guest memory lies on the host.
#include "accel/accelerator.h"
#include "monitor/guest_memory.h"
#include "monitor/hmp/command.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/rcu.h"
#include "target/x86/page_map.h"

#include <fcntl.h>

#include <array>

namespace rhea::hmp {
namespace {

// A guest that maps more is told of as far as this: 40 GiB in small pages, no end in large ones.
constexpr u64 kMostTables = 20'000;
// Text that a monitor's client is sent at once.
constexpr std::size_t kMostText = 8 * MiB;

x86::ReadPhysical reader(Machine& machine) {
  return [&machine](u64 address, std::span<u8> data) {
    return monitor::read_memory(machine, address, data);
  };
}

/// The state of the monitor's CPU; nothing is printed without one, as in QEMU.
Result<std::optional<x86::CpuState>> current_cpu(Context& context) {
  const auto& accel = context.machine.service<accel::AccelService>();
  if (context.view.cpu >= accel.vcpu_count()) {
    context.print("No CPU available\n");
    return std::nullopt;
  }
  x86::CpuState state = TRY(accel.cpu_state(context.view.cpu));
  if (x86::paging_enabled(state)) return state;
  context.print("PG disabled\n");
  return std::nullopt;
}

void note_end(Context& context, bool complete) {
  if (!complete) context.print("(there is more)\n");
}

std::string entry_flags(const x86::MappedPage& page) {
  struct Flag {
    unsigned bit;
    char letter;
  };
  // Of an entry (SDM vol. 3, table 4-19 and its kin); bit 7 of a small page's is PAT.
  constexpr std::array kFlags = {Flag{63, 'X'}, Flag{8, 'G'}, Flag{7, 'P'},
                                 Flag{6, 'D'},  Flag{5, 'A'}, Flag{4, 'C'},
                                 Flag{3, 'T'},  Flag{2, 'U'}, Flag{1, 'W'}};
  std::string text;
  for (const Flag& flag : kFlags) text += (page.entry >> flag.bit & 1) != 0 ? flag.letter : '-';
  return text;
}

Result<> tlb(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const auto state = TRY(current_cpu(context));
  if (!state) return {};
  note_end(context, x86::visit_mapped_pages(*state, reader(context.machine), kMostTables,
                                            [&context](const x86::MappedPage& page) {
                                              context.print("{:016x}: {:016x} {}\n", page.linear,
                                                            page.physical, entry_flags(page));
                                              return context.out.size() < kMostText;
                                            }));
  return {};
}

/// Joins neighbours of the same rights.
class Stretches {
 public:
  explicit Stretches(Context& context) : context_(context) {}
  ~Stretches() { flush(); }
  Stretches(const Stretches&) = delete;
  Stretches& operator=(const Stretches&) = delete;

  bool add(const x86::MappedPage& page) {
    if (size_ != 0 && page.linear == start_ + size_ && page.user == user_ &&
        page.writable == writable_) {
      size_ += page.size;
      return true;
    }
    flush();
    start_ = page.linear;
    size_ = page.size;
    user_ = page.user;
    writable_ = page.writable;
    return context_.out.size() < kMostText;
  }

 private:
  void flush() {
    if (size_ != 0)
      context_.print("{:016x}-{:016x} {:016x} {}r{}\n", start_, start_ + size_, size_,
                     user_ ? 'u' : '-', writable_ ? 'w' : '-');
    size_ = 0;
  }

  Context& context_;
  u64 start_{}, size_{};
  bool user_{}, writable_{};
};

Result<> mem(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const auto state = TRY(current_cpu(context));
  if (!state) return {};
  bool complete = false;
  {
    Stretches stretches(context);
    complete = x86::visit_mapped_pages(
        *state, reader(context.machine), kMostTables,
        [&stretches](const x86::MappedPage& page) { return stretches.add(page); });
  }
  note_end(context, complete);
  return {};
}

struct HostPlace {
  const u8* host{};
  std::string block;
};

Result<HostPlace> host_place(Machine& machine, u64 address) {
  const RcuGuard guard;
  const FlatRange* range = machine.memory().view().find(address);
  if (range == nullptr) return fail("No memory is mapped at address {:#x}", address);
  if (!range->region->backed_by_ram()) return fail("Memory at address {:#x} is not RAM", address);
  return HostPlace{.host = range->host(address), .block = range->region->name()};
}

Result<> gpa2hva(Context& context, Arguments& arguments) {
  const u64 address = TRY(arguments.number());
  TRY(arguments.end());
  const auto place = host_place(context.machine, address);
  if (!place) {
    context.print("{}\n", place.error().message());
    return {};
  }
  context.print("Host virtual address for {:#x} ({}) is {:#x}\n", address, place->block,
                reinterpret_cast<std::uintptr_t>(place->host));
  return {};
}

/// Where the host has a page of ours, from Linux's /proc/self/pagemap (needs CAP_SYS_ADMIN).
Result<u64> host_physical(const u8* host) {
  constexpr u64 kHere = u64{1} << 63, kFrame = (u64{1} << 55) - 1;
  const auto address = reinterpret_cast<std::uintptr_t>(host);
  const FileDescriptor map(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  u64 entry = 0;
  const auto place = static_cast<off_t>(address / kPageSize * sizeof entry);
  if (!map || ::pread(map.get(), &entry, sizeof entry, place) != sizeof entry)
    return fail("Cannot open /proc/self/pagemap");
  if ((entry & kHere) == 0) return fail("Page not present");
  if ((entry & kFrame) == 0) return fail("Page frame number is hidden from this user");
  return (entry & kFrame) * kPageSize | address % kPageSize;
}

Result<> gpa2hpa(Context& context, Arguments& arguments) {
  const u64 address = TRY(arguments.number());
  TRY(arguments.end());
  const auto place = host_place(context.machine, address);
  const auto physical = place ? host_physical(place->host) : std::unexpected(Error(place.error()));
  if (!physical) {
    context.print("{}\n", physical.error().message());
    return {};
  }
  context.print("Host physical address for {:#x} ({}) is {:#x}\n", address, place->block,
                *physical);
  return {};
}

const RegisterInfo infos[] = {
    RegisterInfo({"tlb", "", "show virtual to physical memory mappings", &tlb}),
    RegisterInfo({"mem", "", "show the active virtual memory mappings", &mem}),
};
const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"gpa2hva", "addr",
                        "print the host virtual address corresponding to a guest physical address",
                        &gpa2hva}),
    RegisterHmpCommand({"gpa2hpa", "addr",
                        "print the host physical address corresponding to a guest physical address",
                        &gpa2hpa}),
};

}  // namespace
}  // namespace rhea::hmp
