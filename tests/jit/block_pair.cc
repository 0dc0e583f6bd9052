// SPDX-License-Identifier: GPL-2.0-or-later
// Keeping two guests in step.
#include "tests/jit/block_pair.h"

#include "target/x86/comparing.h"
#include "target/x86/interp/step.h"

#include <fmt/format.h>

#include <algorithm>

namespace rhea::test {
namespace {

constexpr std::size_t kMostExecuted = 80, kMostLookedAt = 200;

}  // namespace

BlockPair::BlockPair() : reference_(false), translated_(true) { x86::comparing::host_flags = true; }

// Where memory is looked at, too: a loop that changes nothing else comes by often.
bool BlockPair::same_state() {
  return x86::same_registers(reference_.cpu(), translated_.cpu()) &&
         reference_.device_trace() == translated_.device_trace() &&
         x86::differences(x86::ArchState::of(reference_.cpu()),
                          x86::ArchState::of(translated_.cpu()))
             .empty() &&
         (!strict_ || memory_difference().empty());
}

std::string BlockPair::memory_difference() {
  const auto first = [](const u8* a, const u8* b, u64 size) {
    return std::memcmp(a, b, size) == 0 ? size : u64(std::mismatch(a, a + size, b).first - a);
  };
  const auto text = [](const char* where, u64 at, const u8* a, const u8* b) {
    return fmt::format("{} {:#x}: {:#x} {:#x}\n", where, at, a[at], b[at]);
  };
  if (const u64 at = first(reference_.memory(), translated_.memory(), BlockGuest::kMemory);
      at < BlockGuest::kMemory)
    return text("memory at", at, reference_.memory(), translated_.memory());
  if (const u64 at = first(reference_.overlay(), translated_.overlay(), BlockGuest::kOverlayBytes);
      at < BlockGuest::kOverlayBytes)
    return text("overlay at", at, reference_.overlay(), translated_.overlay());
  if (reference_.device_trace() != translated_.device_trace())
    return "devices were not accessed alike\n";
  return {};
}

// Whether the reference is about to execute one, or is in the middle of it.
bool BlockPair::at_repeated_string() {
  const u64 linear = x86::linear_rip(reference_.cpu());
  bool repeated = false;
  for (u64 n = 0; n < x86::kLongestInsn; ++n) {
    const auto at = reference_.physical(linear + n);
    if (!at || *at >= BlockGuest::kMemory) return false;
    const u8 byte = reference_.memory()[*at];
    const bool string =
        (byte >= 0xa4 && byte <= 0xaf && (byte & 0xfe) != 0xa8) || (byte >= 0x6c && byte <= 0x6f);
    if (string) return repeated;
    constexpr std::array<u8, 8> kPrefixes{0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67};
    repeated |= byte == 0xf2 || byte == 0xf3;
    const bool rex = reference_.code_bits() == 64 && (byte & 0xf0) == 0x40;
    if (byte != 0xf2 && byte != 0xf3 && !rex &&
        std::ranges::find(kPrefixes, byte) == kPrefixes.end())
      return false;
  }
  return false;
}

// The instruction that the reference is about to execute.
void BlockPair::note() {
  if (!strict_) return;
  if (executed_.size() == kMostExecuted) return;
  x86::Cpu& cpu = reference_.cpu();
  const u64 linear = x86::linear_rip(cpu);
  Executed& made = executed_.emplace_back(
      Executed{.rip = cpu.rip(), .linear = linear, .bits = reference_.code_bits(), .bytes = {}});
  for (unsigned n = 0; n < made.bytes.size(); ++n)
    if (const auto at = reference_.physical(linear + n); at && *at < BlockGuest::kMemory)
      made.bytes[n] = reference_.memory()[*at];
}

std::string BlockPair::report(const std::string& nearest) const {
  std::string text = before_ + "executed (interpreter):\n";
  for (const Executed& each : executed_)
    text += x86::disassemble(each.bytes, GuestVirt(each.rip), each.bits, 1);
  return text + "register, interpreter's, translator's:\n" + nearest;
}

std::optional<std::string> BlockPair::follow(unsigned rounds, bool linked) {
  executed_.clear();
  if (strict_) before_ = x86::format_core_registers(translated_.save());
  blocks_ += translated_.run(rounds, linked ? BlockGuest::How::Linked : BlockGuest::How::Blocks);
  std::string nearest;
  std::size_t least = ~std::size_t{0};
  for (unsigned step = 0; step < kMostSteps; ++step, ++instructions_) {
    if (same_state()) return std::nullopt;
    if (strict_ && (step < kMostLookedAt || reference_.cpu().rip() == translated_.cpu().rip())) {
      std::string found = x86::differences(x86::ArchState::of(reference_.cpu()),
                                           x86::ArchState::of(translated_.cpu())) +
                          memory_difference();
      if (found.size() < least) {
        least = found.size();
        nearest = report(found + fmt::format("stopped at {:#x}\n", translated_.cpu().rip()));
      }
    }
    note();
    reference_.run(1, BlockGuest::How::Singly);
  }
  // Element by element that would take too long.
  abandoned_ = at_repeated_string();
  if (abandoned_) return std::nullopt;
  return nearest + " ";
}

// What happens to a processor from outside between two blocks, to both alike.
void BlockPair::happen(bool interrupts) {
  const auto both = [this](auto&& action) {
    action(reference_);
    action(translated_);
  };
  const u64 code = BlockGuest::kCodeStart + below(BlockGuest::kCodeSize - 8);
  const u64 value = random_();
  const u64 page = 0x14 + below(512 - 0x14), frame = BlockGuest::kDataStart + (below(16) << 12);
  switch (interrupts ? 0 : below(24)) {
    case 0: return both([&](BlockGuest& g) { g.interrupt(static_cast<u8>(value | 0x20)); });
    case 1: return one_in(4) ? both([&](BlockGuest& g) { g.nmi(); }) : static_cast<void>(0);
    case 2:
      return both([&](BlockGuest& g) {
        g.write_by_device(code, {reinterpret_cast<const u8*>(&value), 1 + value % 4});
      });
    case 3:
      return both(
          [&](BlockGuest& g) { g.write_by_other_processor(code, value >> 8, 1U << value % 3); });
    case 4:
      return both([&](BlockGuest& g) { g.map(static_cast<unsigned>(page), frame, value & 7); });
    default: return;
  }
}

void BlockPair::allow_interrupts() {
  for (BlockGuest* const guest : {&reference_, &translated_})
    guest->cpu().set_rflags(guest->cpu().rflags() | x86::eflags::kIf);
}

std::optional<std::string> BlockPair::go_on() {
  reference_.disturb();
  translated_.disturb();
  const bool linked = one_in(2), interrupts = one_in(8);
  for (unsigned stop = 0; stop < kStops; ++stop) {
    if (auto found = follow(linked ? 1 + static_cast<unsigned>(below(20)) : 1, linked))
      return fmt::format("{}at stop {}{}\n", *found, stop, linked ? ", linked" : "");
    if (abandoned_) return std::nullopt;
    if (translated_.cpu().activity != x86::Activity::Running) break;
    // Unmasked, too, or only the first would be taken.
    if (interrupts) allow_interrupts();
    happen(interrupts);
  }
  if (std::string found = memory_difference(); !found.empty()) return found;
  return std::nullopt;
}

std::optional<std::string> BlockPair::run(const BlockRun& how) {
  strict_ = how.strict;
  seeds_.push_back(how.seed);
  random_.seed(~how.seed);
  for (BlockGuest* guest : {&reference_, &translated_}) {
    guest->leave_out(how.left_out);
    guest->start(how.seed);
  }
  when_started_(translated_);
  abandoned_ = false;
  for (unsigned n = 0; n < kRuns && !abandoned_; ++n)
    if (auto found = go_on()) return fmt::format("{}in run {} of seed {}\n", *found, n, how.seed);
  return std::nullopt;
}

namespace {

/// By a pair that has run nothing else.
std::optional<std::string> alone(const BlockRun& how) { return BlockPair().run(how); }

/// Instructions become NOPs as long as something differs: halves first, then smaller pieces.
std::string shortest(u64 seed, std::string found, std::size_t pieces) {
  std::vector<bool> left_out(pieces);
  for (std::size_t size = pieces / 2; size > 0; size /= 2)
    for (std::size_t at = 0; at < pieces; at += size) {
      std::vector<bool> more = left_out;
      std::fill(more.begin() + static_cast<std::ptrdiff_t>(at),
                more.begin() + static_cast<std::ptrdiff_t>(std::min(at + size, pieces)), true);
      auto still = alone({.seed = seed, .strict = true, .left_out = more});
      if (!still) continue;
      found = *still;
      left_out = more;
    }
  return found;
}

/// By a pair that has run the same before it.
std::optional<std::string> behind_others(const std::vector<u64>& seeds) {
  BlockPair pair;
  std::optional<std::string> found;
  for (const u64 seed : seeds) found = pair.run({.seed = seed, .strict = seed == seeds.back()});
  return found;
}

}  // namespace

std::string run_blocks(BlockPair& pair, u64 seed) {
  const auto quick = pair.run({.seed = seed});
  if (!quick) return {};
  if (const auto strict = alone({.seed = seed, .strict = true}))
    return shortest(seed, *strict, pair.pieces());
  // Only memory differed, because two rounds of a loop had been taken for one.
  if (alone({.seed = seed})) return {};
  const auto behind = behind_others(pair.seeds());
  return behind ? *behind + "but only after the seeds before it\n" : "";
}

}  // namespace rhea::test
