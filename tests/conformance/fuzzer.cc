// SPDX-License-Identifier: GPL-2.0-or-later
// The random guest.
#include "tests/conformance/fuzzer.h"

#include "rhea/block/block_backend.h"
#include "tests/conformance/guarded_heap.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace rhea::test {
namespace {

using What = Happening::What;

// A guest may have a device ask for as much as it has memory, at most.
constexpr std::size_t kMostAtOnce = 16 * MiB;
constexpr u64 kPages = 64;  // where random addresses lead, so that descriptors are found there

/// The function of PCI that the device is, or is plugged into.
PciDevice* pci_way_to(Device* device) {
  auto* const itself = dynamic_cast<PciDevice*>(device);
  if (itself != nullptr || device->parent_bus() == nullptr) return itself;
  return dynamic_cast<PciDevice*>(device->parent_bus()->parent());
}

/// Where a capability is in configuration space; 0: there is none.
unsigned capability(PciDevice& device, u8 id) {
  unsigned at = device.config_read(pci::kCapabilities, 1);
  for (unsigned n = 0; at >= 0x40 && n < 48; ++n) {
    if (device.config_read(at, 1) == id) return at;
    at = device.config_read(at + 1, 1);
  }
  return 0;
}

constexpr u8 kMsi = 0x05, kMsix = 0x11;

}  // namespace

Fuzzer::Fuzzer(Specimen& specimen, u64 seed, const Options& options)
    : specimen_(&specimen),
      machine_(&specimen.bench().machine()),
      pci_(pci_way_to(specimen.device())),
      options_(options),
      known_(&known_registers(specimen.device()->type())),
      random_(seed),
      around_(specimen, random_) {
  auto& driver = specimen.driver();
  if (driver == nullptr) driver = std::make_shared<VirtioGuest>(specimen);
  if (driver->is_there() && options.changes_memory) virtio_ = driver.get();
  has_messages_ = pci_ != nullptr && (capability(*pci_, kMsi) | capability(*pci_, kMsix)) != 0;
}

Fuzzer::Fuzzer(Specimen& specimen, u64 seed) : Fuzzer(specimen, seed, Options{}) {}

// Single bits, small numbers, lengths, addresses of memory and of its own registers, all ones,
// anything.
u64 Fuzzer::value(unsigned size) { return value_of_kind(random_(), size); }

u64 Fuzzer::value_of_kind(u64 kind, unsigned size) {
  const u64 r = random_();
  switch (kind % 6) {
    case 0: return u64{1} << r % (8 * size);
    case 1: return r % 16;
    case 2: return u64{1} << r % 17;
    case 3: return address();
    case 4: return one_in(4) ? u64{one_in(2)} - 1 : r % 256;
    default: return one_in(4) ? address() : r;
  }
}

// Of memory, mostly where a page begins, of the mirror, now and then of the device's own registers.
u64 Fuzzer::address() {
  const u64 r = random_();
  if (one_in(2))
    return Specimen::kMirror + (one_in(2) ? 0 : r % (Specimen::kMirrorBytes / 2) & ~63u);
  if (one_in(8) && !targets_.empty()) return targets_[r % targets_.size()].address;
  return kPageSize * (1 + r % kPages) + (one_in(4) ? r % kPageSize : 0);
}

// Fields one by one, and bits that others do not have. Half of what goes to a register without
// fields is of one kind, another one in each episode: what takes an address shall get some.
u64 Fuzzer::value_for(const Target& target) {
  if (target.known == nullptr || one_in(3)) return value(target.size);
  const KnownRegister& known = *target.known;
  const u64 mask = known.writable != 0 ? known.writable : ~u64{0};
  if (known.fields.empty()) {
    const u64 habit = (known.offset + 1) * 0x9e37'79b9'7f4a'7c15 * (episode_.habits | 1) >> 40;
    return (one_in(3) ? value(target.size) : value_of_kind(habit, target.size)) & mask;
  }
  u64 bits = one_in(2) ? last_value_ & mask : 0;
  for (unsigned n = 0; n < 2; ++n) {
    const u64 field = known.fields[random_() % known.fields.size()];
    bits = (bits & ~field) | (one_in(2) ? field : random_() & field);
  }
  return bits;
}

void Fuzzer::begin(const Happening& happening) {
  last_ = happening;
  watch_->begin(happening);
}

// Where its registers are now. Where they were may be memory.
void Fuzzer::look_around() {
  ranges_ = accessible_ranges(*machine_, *specimen_->device());
  const auto has_last = [this](const AccessibleRange& range) {
    return range.io == last_target_.io && range.first <= last_target_.address &&
           last_target_.address <= range.last;
  };
  if (std::ranges::none_of(ranges_, has_last)) last_target_ = {};
  targets_.clear();
  for (const AccessibleRange& range : ranges_)
    for (const KnownRegister& known : *known_) {
      if (range.region->name() != known.region || known.offset < range.offset) continue;
      const u64 address = range.first + (known.offset - range.offset);
      if (address > range.last) continue;
      targets_.push_back({.io = range.io, .address = address, .size = known.size, .known = &known});
    }
}

// Those in which the device had work are done again, others left for new ones.
void Fuzzer::begin_episode() {
  constexpr std::size_t kMostGood = 16;
  auto& good = specimen_->good_episodes();
  const u64 touched = specimen_->mirror().touched;
  if (touched != touched_at_begin_ && !episode_.registers.empty()) {
    if (good.size() == kMostGood) good.erase(good.begin() + random_() % kMostGood);
    good.push_back(episode_);
  }
  touched_at_begin_ = touched;
  drives_ = virtio_ != nullptr && one_in(2);
  if (drives_) {
    if (pci_ != nullptr) map_device();
    begin({.what = What::Driver});
    virtio_->reset(random_);
    // What its back end kept comes to nobody now, but sooner or later.
    if (options_.compares) settle();
    begin({.what = What::Driver});
    virtio_->start(random_);
  }
  if (!good.empty() && one_in(2)) {
    episode_ = good[random_() % good.size()];
    return;
  }
  episode_ = {.registers = {}, .habits = random_()};
  const std::size_t count = one_in(4) ? known_->size() : 2 + random_() % 6;
  for (std::size_t n = 0; n < count && !known_->empty(); ++n)
    episode_.registers.push_back(random_() % known_->size());
}

// One of the episode's registers, where it is now.
Fuzzer::Target Fuzzer::favourite() {
  const KnownRegister* wanted =
      &(*known_)[episode_.registers[random_() % episode_.registers.size()]];
  const auto found = std::ranges::find(targets_, wanted, &Target::known);
  return found == targets_.end() ? any_target() : *found;
}

Fuzzer::Target Fuzzer::any_target() {
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
  return {.io = range.io, .address = range.first + offset, .size = size};
}

Fuzzer::Target Fuzzer::choose_target() {
  if (episode_.registers.empty() || one_in(5)) return any_target();
  return one_in(4) && last_target_.size != 0 ? last_target_ : favourite();
}

void Fuzzer::access() {
  if (ranges_.empty()) return;
  const Target target = choose_target();
  // The mirror counts who comes: a BAR was there a moment ago.
  if (!target.io && target.address - Specimen::kMirror < Specimen::kMirrorBytes) return;
  last_target_ = target;
  ++accesses_;
  const AddressSpace& space = target.io ? machine_->io() : machine_->memory();
  const bool write = one_in(2);
  const u64 data = !write ? 0 : one_in(8) ? last_value_ : value_for(target);
  begin({.what = write ? What::Write : What::Read,
         .io = target.io,
         .size = target.size,
         .address = target.address,
         .value = data});
  if (write) {
    last_value_ = data;
    space.store(target.address, data, target.size);
  } else {
    saw(space.load(target.address, target.size));
  }
}

// As firmware and drivers do: BARs get addresses, interrupts are lines or messages.
void Fuzzer::map_device() {
  map_bars(*pci_, options_.masters_bus);
  if (has_messages_) choose_messages();
  look_around();
}

void Fuzzer::choose_messages() {
  constexpr u32 kMessages = 0xfee0'0000, kEnableMsi = 1, kEnableMsix = 0x8000, kMaskAll = 0x4000;
  const u64 choice = random_() % 4;
  if (const unsigned at = capability(*pci_, kMsi); at != 0) {
    pci_->config_write(at + 4, kMessages, 4);
    pci_->config_write(at + 2, choice == 0 ? kEnableMsi : 0, 2);
  }
  const unsigned at = capability(*pci_, kMsix);
  if (at == 0) return;
  const u32 place = pci_->config_read(at + 4, 4);
  const auto bar = pci_->bar_info(place & 7);
  const u64 entries = (pci_->config_read(at + 2, 2) & 0x7ff) + 1;
  for (u64 n = 0; bar && n < std::min<u64>(entries, 8); ++n) {
    const u64 entry = bar->address + (place & ~u32{7}) + 16 * n;
    machine_->memory().store(entry, kMessages, 8);
    machine_->memory().store(entry + 8, 0x40 + n, 4);
    machine_->memory().store(entry + 12, one_in(8), 4);
  }
  pci_->config_write(at + 2, choice < 2 ? kEnableMsix | (one_in(8) ? kMaskAll : 0) : 0, 2);
}

// Its driver asks for something; registers are left to it.
void Fuzzer::drive() {
  ++accesses_;
  begin({.what = What::Driver});
  saw(virtio_->use(random_));
}

void Fuzzer::access_config(PciDevice& device) {
  ++accesses_;
  const unsigned size = 1u << random_() % 3;
  const auto reg = static_cast<unsigned>(random_() % PciDevice::kConfigSize) & ~(size - 1);
  if (one_in(2)) {
    begin({.what = What::ConfigRead, .address = reg});
    saw(device.config_read(reg, size));
    return;
  }
  auto data = static_cast<u32>(value(4));
  if (!options_.masters_bus && (reg & ~3u) == pci::kCommand) return;
  begin({.what = What::ConfigWrite, .address = reg, .value = data});
  device.config_write(reg, data, size);
  look_around();
}

// A driver's rings and tables, as far as one can be without knowing them: other words each time, or
// few that come again and again, among them the address of where they stand.
void Fuzzer::change_memory(u64 number) {
  std::array<u32, 1024> words{};
  const u64 page = kPageSize * number;
  const bool own_address = one_in(2);
  const std::size_t period = std::size_t{1} << random_() % 6;
  for (std::size_t n = 0; n < words.size(); ++n)
    words[n] = n >= period                ? words[n - period]
               : own_address && one_in(4) ? static_cast<u32>(page)
                                          : static_cast<u32>(value(4));
  const std::size_t count = one_in(2) ? words.size() : 64;
  const u64 address = page + (one_in(4) ? random_() % kPageSize : 0);
  begin({.what = What::Memory, .address = address});
  static_cast<void>(
      machine_->memory().write(address, {reinterpret_cast<const u8*>(words.data()), 4 * count}));
}

u32 Fuzzer::mirror_word() {
  const auto r = static_cast<u32>(random_());
  switch (r >> 30) {
    case 0: return static_cast<u32>(Specimen::kMirror);
    case 1: return r % 16;
    case 2: return r % 256;
    default: return static_cast<u32>(value(4));
  }
}

// Words that keep the device busy are changed a little, others thrown away.
void Fuzzer::change_mirror() {
  Specimen::Mirror& mirror = specimen_->mirror();
  const u64 touched = mirror.touched - touched_before_;
  if (touched >= best_.touched) {
    best_ = mirror;
    best_.touched = touched;
  }
  const bool anew = one_in(4);
  if (!anew) mirror.words = best_.words;
  mirror.period = anew ? 1u << random_() % 4 : best_.period;
  const unsigned changes = anew ? 8 : 1 + random_() % 2;
  for (unsigned n = 0; n < changes; ++n)
    mirror.words[anew ? n : random_() % mirror.period] = mirror_word();
  touched_before_ = mirror.touched;
  begin({.what = What::Memory, .address = Specimen::kMirror});
}

void Fuzzer::advance() {
  const u64 ns = random_() % (one_in(8) ? 2'000'000'000 : 2'000'000);
  begin({.what = What::Time, .value = ns});
  specimen_->bench().advance(static_cast<i64>(ns));
}

void Fuzzer::change_surroundings() {
  begin({.what = What::Peer});
  saw(around_.change());
}

void Fuzzer::settle() {
  if (!options_.finishes || !around_.has_network()) return;
  begin({.what = What::Work});
  saw(around_.settle());
}

void Fuzzer::finish_requests() {
  begin({.what = What::Work});
  around_.finish_requests();
}

// In the midst of what it does.
void Fuzzer::reset_or_save() {
  if (one_in(2)) {
    begin({.what = What::Save});
    const bool running = machine_->running();
    if (running) machine_->pause();
    specimen_->save();
    if (running) machine_->resume();
    return;
  }
  begin({.what = What::Reset});
  specimen_->bench().reset(one_in(2) ? ResetKind::Cold : ResetKind::Warm);
  look_around();
}

void Fuzzer::step() {
  // Configuration writes move BARs and switch decoding off.
  const bool maps = pci_ != nullptr && one_in(32);
  if (maps) map_device();
  if (maps || ranges_.empty() || one_in(32)) look_around();
  if (one_in(64)) begin_episode();
  if (one_in(16) && options_.changes_memory)
    one_in(2) ? change_memory(1 + random_() % kPages) : change_mirror();
  else if (one_in(32) && options_.peers_speak)
    change_surroundings();
  else if (one_in(24) && options_.moves_time)
    advance();
  else if (one_in(1000) && options_.resets)
    reset_or_save();
  else if (virtio_ != nullptr && (drives_ ? !one_in(64) : one_in(16)))
    drive();
  else if (pci_ != nullptr && (one_in(24) || ranges_.empty()))
    access_config(*pci_);
  else
    access();
  const bool finishes = one_in(8) && options_.finishes;
  if (finishes) finish_requests();
  if (finishes || options_.compares) settle();
  // Another program's lines change when it gets round to it.
  if (!specimen_->is_elsewhere()) saw(specimen_->line_bits());
}

void Fuzzer::run(unsigned steps) {
  if (specimen_->is_elsewhere()) steps = std::min(steps, 50 + steps / 100);
  const guarded_heap::Limit limit(kMostAtOnce);
  Watch watch(specimen_->device()->type().name, hang_seconds());
  watch_ = &watch;
  if (pci_ != nullptr) map_device();
  look_around();
  touched_before_ = touched_at_begin_ = specimen_->mirror().touched;
  begin_episode();
  for (u64 page = 1; page <= kPages && options_.changes_memory; ++page) change_memory(page);
  try {
    for (unsigned i = 0; i < steps; ++i) step();
    if (options_.peers_speak) around_.calm_down();
    if (options_.finishes) finish_requests();
    settle();
  } catch (const std::exception& thrown) {
    throw std::runtime_error(fmt::format("{}: throws: {}", Watch::now(), thrown.what()));
  }
  watch_ = nullptr;
}

}  // namespace rhea::test
