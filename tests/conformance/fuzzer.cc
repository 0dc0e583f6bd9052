// SPDX-License-Identifier: GPL-2.0-or-later
// The random guest.
#include "tests/conformance/fuzzer.h"

#include "rhea/block/block_backend.h"

#include <algorithm>
#include <array>

namespace rhea::test {
namespace {

constexpr u64 kPages = 64;  // where random addresses lead, so that descriptors are found there

}  // namespace

Fuzzer::Fuzzer(Specimen& specimen, u64 seed)
    : specimen_(&specimen), machine_(&specimen.bench().machine()), random_(seed) {}

// Single bits, small numbers, lengths, addresses of memory, all ones, anything.
u64 Fuzzer::value() {
  const u64 r = random_();
  switch (random_() % 6) {
    case 0: return u64{1} << r % 64;
    case 1: return r % 16;
    case 2: return u64{1} << r % 17;
    case 3: return kPageSize * (1 + r % kPages) + (one_in(4) ? r % kPageSize : 0);
    case 4: return one_in(8) ? ~u64{0} : r % 256;
    default: return r;
  }
}

void Fuzzer::access(HangWatch& watch) {
  if (ranges_.empty()) return;
  const bool near = last_range_ < ranges_.size() && one_in(2);
  if (!near) last_range_ = random_() % ranges_.size();
  const AccessibleRange& range = ranges_[last_range_];
  const u64 length = range.last - range.first + 1;
  unsigned size = 1u << random_() % 4;
  if (!one_in(8)) size = std::clamp(size, range.min_size, range.max_size);
  u64 offset = near        ? last_offset_ + size * (random_() % 3) - size
               : one_in(2) ? random_() % length
                           : random_() % std::min<u64>(length, 256);
  if (!one_in(8)) offset &= ~u64{size - 1};
  offset %= length;
  last_offset_ = offset;
  const AddressSpace& space = range.io ? machine_->io() : machine_->memory();
  const bool write = one_in(2);
  const u64 data = write ? value() : 0;
  watch.begin(fmt::format("{}: {} of {} bytes at {} {:#x}, value {:#x}",
                          specimen_->device()->type().name, write ? "write" : "read", size,
                          range.io ? "port" : "address", range.first + offset, data));
  if (write)
    space.store(range.first + offset, data, size);
  else
    seen_.push_back(space.load(range.first + offset, size));
}

void Fuzzer::access_config(PciDevice& device) {
  const unsigned size = 1u << random_() % 3;
  const auto reg = static_cast<unsigned>(random_() % PciDevice::kConfigSize) & ~(size - 1);
  if (one_in(2))
    seen_.push_back(device.config_read(reg, size));
  else
    device.config_write(reg, static_cast<u32>(value()), size);
}

// A driver's rings and tables, as far as one can be without knowing them: other words each time.
void Fuzzer::change_memory() {
  std::array<u64, 32> words{};
  for (u64& word : words) word = value() | value() << 32;
  const u64 address =
      kPageSize * (1 + random_() % kPages) + (one_in(2) ? 0 : random_() % kPageSize);
  static_cast<void>(machine_->memory().write(
      address, {reinterpret_cast<const u8*>(words.data()), sizeof(words)}));
}

// Talks, stalls, takes a part, hangs up and comes again.
void Fuzzer::let_peers_speak() {
  for (const auto& child : machine_->container("/chardevs").children()) {
    auto* peer = dynamic_cast<FakeChardev*>(child.get());
    if (peer == nullptr) continue;
    const u64 what = random_() % 8;
    if (what < 4)
      seen_.push_back(peer->say(std::string(1 + random_() % 40, static_cast<char>(random_()))));
    else if (what == 4)
      peer->room = random_() % 3;
    else if (what == 5)
      peer->make_room(random_() % 64);
    else if (what == 6)
      peer->send_break();
    else
      peer->tell(one_in(2) ? ChardevEvent::Closed : ChardevEvent::Opened);
  }
}

// Requests are done by threads: whoever compares two machines waits for them.
void Fuzzer::finish_requests() {
  for (BlockBackend* drive : drives(*machine_)) drive->drain();
  machine_->loop().iterate(false);
}

void Fuzzer::step(HangWatch& watch) {
  auto* pci = dynamic_cast<PciDevice*>(specimen_->device());
  // Configuration writes move BARs and switch decoding off.
  if (pci != nullptr && one_in(32)) map_bars(*pci);
  if (ranges_.empty() || one_in(32)) ranges_ = accessible_ranges(*machine_, *specimen_->device());
  if (one_in(32))
    change_memory();
  else if (one_in(32))
    let_peers_speak();
  else if (one_in(24))
    specimen_->bench().advance(
        static_cast<i64>(random_() % (one_in(8) ? 2'000'000'000 : 2'000'000)));
  else if (pci != nullptr && one_in(24))
    access_config(*pci);
  else
    access(watch);
  if (one_in(16)) finish_requests();
  seen_.push_back(specimen_->line_bits());
}

void Fuzzer::run(unsigned steps, unsigned hang_seconds) {
  HangWatch watch(hang_seconds);
  if (auto* pci = dynamic_cast<PciDevice*>(specimen_->device()); pci != nullptr) map_bars(*pci);
  ranges_ = accessible_ranges(*machine_, *specimen_->device());
  for (unsigned i = 0; i < steps; ++i) step(watch);
  finish_requests();
}

}  // namespace rhea::test
