// SPDX-License-Identifier: GPL-2.0-or-later
// What declared registers cost: accesses to the same device with handlers written by hand and with
// a table, through the region's function pointers, in nanoseconds.
#include "rhea/softmmu/registers.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

namespace rhea {
namespace {

constexpr std::array<u64, 8> kOffsets = {0x00, 0x04, 0x08, 0x20, 0x24, 0x80, 0x88, 0x98};

struct Registers {
  u32 liveness{}, factorial{}, status{}, events{};
  u64 source{}, destination{}, command{};
};

trace::Event<u64, u64> by_hand_access{"bench_by_hand", "offset {:#x} value {:#x}"};

/// As one writes it by hand, with a trace event or without.
template <bool Traced>
class ByHand final : public Device {
 public:
  static constexpr std::string_view kName = "bench-by-hand";
  static RegionOps ops() { return io<&ByHand::read, &ByHand::write>({.min = 4, .max = 8}); }
  void* self() { return this; }

 private:
  u64 read(u64 offset, unsigned size) {
    if (Traced) by_hand_access(offset, 0);
    if (offset < 0x80 && size != 4) return all_ones(size);
    switch (offset) {
      case 0x00: return 0x0100'00ed;
      case 0x04: return r_.liveness;
      case 0x08: return r_.factorial;
      case 0x20: return r_.status;
      case 0x24: return r_.events;
      case 0x80: return r_.source;
      case 0x88: return r_.destination;
      case 0x98: return r_.command;
      default: return all_ones(size);
    }
  }
  void write(u64 offset, u64 value, unsigned size) {
    if (Traced) by_hand_access(offset, value);
    if (offset < 0x80 && size != 4) return;
    const auto word = static_cast<u32>(value);
    switch (offset) {
      case 0x04: r_.liveness = ~word; break;
      case 0x08: r_.factorial = word; break;
      case 0x20: r_.status = (r_.status & ~0x80u) | (word & 0x80); break;
      case 0x24: r_.events &= ~word; break;
      case 0x80: r_.source = value; break;
      case 0x88: r_.destination = value; break;
      case 0x98: r_.command = value; break;
      default: log_guest("bench", "write of {:#x} to nothing at {:#x}", value, offset);
    }
  }
  Registers r_;
};

/// The same in a table.
class Declared final : public Device {
 public:
  static constexpr std::string_view kName = "bench-declared";
  static RegionOps ops() {
    const auto table = [](auto reg) {
      return reg.bank({.size = 256, .sizes = {.min = 4, .max = 8}, .reach = Reach::FromStart},
                      reg("IDENTIFICATION", 0x00, 4).constant(0x0100'00ed),
                      reg("LIVENESS", 0x04, &Declared::liveness_).write_by(&Declared::invert),
                      reg("FACTORIAL", 0x08, &Declared::factorial_),
                      reg("STATUS", 0x20, &Declared::status_).writable(0x80),
                      reg("EVENTS", 0x24, &Declared::events_).write_1_clears(~u32{0}),
                      reg("SOURCE", 0x80, &Declared::source_),
                      reg("DESTINATION", 0x88, &Declared::destination_),
                      reg("COMMAND", 0x98, &Declared::command_));
    };
    return detail::kRegisterCode<Declared, std::remove_const_t<decltype(table)>>.ops;
  }
  void* self() { return this; }

 private:
  void invert(u32 value) { liveness_ = ~value; }
  u32 liveness_{}, factorial_{}, status_{}, events_{};
  u64 source_{}, destination_{}, command_{};
};

volatile u64 sink;

template <class D>
double measure(bool write) {
  D device;
  // The compiler must not see what is behind the pointers.
  const RegionOps volatile_ops = device.ops();
  MemResult (*volatile handler)(void*, Access&) = write ? volatile_ops.write : volatile_ops.read;
  constexpr unsigned kRounds = 4'000'000;
  Access access{.offset = 0, .size = 4};
  const auto start = std::chrono::steady_clock::now();
  u64 sum = 0;
  for (unsigned i = 0; i < kRounds; ++i) {
    access.offset = kOffsets[i % kOffsets.size()];
    access.value = i;
    static_cast<void>(handler(device.self(), access));
    sum += access.value;
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  sink = sum;
  return took.count() / kRounds;
}

template <class D>
double best(bool write) {
  double least = measure<D>(write);
  for (unsigned i = 0; i < 20; ++i) least = std::min(least, measure<D>(write));
  return least;
}

}  // namespace
}  // namespace rhea

int main() {
  using namespace rhea;
  for (const bool write : {false, true})
    fmt::print("{}: by hand {:.2f} ns, by hand with a trace event {:.2f} ns, declared {:.2f} ns\n",
               write ? "write" : "read", best<ByHand<false>>(write), best<ByHand<true>>(write),
               best<Declared>(write));
}
