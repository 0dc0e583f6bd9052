// SPDX-License-Identifier: GPL-2.0-or-later
// The bench for any type.
#include "tests/conformance/fixture.h"

#include "hw/misc/peer_link.h"
#include "rhea/softmmu/snapshot.h"
#include "softmmu/device_threads.h"
#include "tests/conformance/vfio_peer.h"
#include "tests/conformance/virtio_guest.h"
#include "tests/support/environment.h"
#include "tests/support/fake_rng.h"

#include <algorithm>
#include <cstdlib>

namespace rhea::test {
namespace {

const RegisterType<FakeRng> rng_registration;

constexpr u64 kDiskBytes = 1440 * KiB;

// The processor models are one class under many names: one of them stands for all.
bool is_one_of_many(const std::string& name) {
  return name.ends_with("-x86_64-cpu") && name != "qemu64-x86_64-cpu";
}

bool is_device_for_bench(const TypeInfo& type) {
  return !type.is_abstract && type.is_a(Device::kName) && !type.name.starts_with("test-") &&
         type.name != "bench-board" && !is_one_of_many(type.name);
}

/// Other values of some of a type's switches and choices.
Properties unusual_properties(const TypeInfo& type, std::mt19937_64& random) {
  Properties found;
  for (const TypeInfo* t : type.lineage())
    for (const Property& p : t->properties) {
      const u64 r = random();
      if (!p.set || r % 2 == 0) continue;
      if (p.type == "bool")
        found.emplace_back(p.name, r / 2 % 2 == 0 ? "on" : "off");
      else if (!p.enum_values.empty())
        found.emplace_back(p.name, p.enum_values[r / 2 % p.enum_values.size()]);
    }
  return found;
}

// A type that stands on the bench by itself and provides a bus of the kind.
std::string find_provider(const std::string& kind) {
  for (const TypeInfo* type : all_types()) {
    if (!is_device_for_bench(*type) || type->bus == kind) continue;
    Bench bench;
    if (auto device = bench.try_add(type->name);
        device && bench.machine().find_bus(kind) != nullptr)
      return type->name;
  }
  return {};
}

}  // namespace

Specimen::Specimen(const TypeInfo& type, Given given, std::mt19937_64* unusual) {
  // No two machines have the same time on it: nothing that the guest sees may go by it.
  static i64 days = 0;
  bench_.machine().realtime_clock().set_manual(++days * 86'400 * kNsPerSecond);
  // How fast other programs answer is no matter of devices.
  auto& patience = bench_.machine().service<hw::PeerPatience>();
  patience.locked = patience.unlocked = std::chrono::minutes(1);
  if (unusual != nullptr) bench_.machine().service<DeviceThreads>().wanted = (*unusual)() % 2 != 0;
  mirror_region_.init_io(nullptr, "mirror", kMirrorBytes,
                         io<&Mirror::touch, &Mirror::touch>({.min = 1, .max = 8}), mirror_.get());
  bench_.machine().system_memory().add(kMirror, mirror_region_);
  empty_map_ = bench_.machine().map().flat_text();
  bench_.on_add([this, &type](Device& device) {
    if (&device.type() == &type) watch_outputs(device);
  });
  const auto place = [&]() -> Result<Device*> {
    TRY(ensure_bus(type.bus, unusual));
    if (given == Given::Everything) {
      links_ = TRY(link_properties(type));
      // Function 0 of slot 0 would have no number as a bus master.
      if (type.is_a("pci-device")) links_.emplace_back("addr", "3");
      if (unusual != nullptr) {
        Properties more = unusual_properties(type, *unusual);
        more.insert(more.end(), links_.begin(), links_.end());
        if (auto other = bench_.try_add(type.name, more)) return other;
      }
      if (auto usual = bench_.try_add(type.name, links_)) return usual;
    }
    if (auto plain = bench_.try_add(type.name)) return plain;
    // Some types cannot do without a back end or a number: give every link one.
    links_ = TRY(link_properties(type));
    return bench_.try_add(type.name, links_);
  };
  if (auto result = place())
    device_ = *result;
  else
    error_ = result.error().message();
  // Networks move while the machine runs. A process has longer to start while it does not.
  if (device_ != nullptr && !is_elsewhere()) bench_.machine().resume();
}

MemResult Specimen::Mirror::touch(Access& access) {
  ++touched;
  if (access.attrs.requester_id == 0) ++trespasses;
  access.value = 0;
  for (unsigned n = 0; n < access.size; ++n) {
    const u64 at = access.offset + n;
    const u64 byte = words[at / 4 % period] >> (8 * (at % 4)) & 0xff;
    access.value |= byte << (8 * n);
  }
  return MemResult::Ok;
}

void Specimen::watch_outputs(Device& device) {
  *outputs_ = 0;
  device.intercept_outputs([outputs = outputs_](unsigned pin, bool level) {
    const u64 bit = u64{1} << pin % 32;
    *outputs = level ? *outputs | bit : *outputs & ~bit;
  });
}

Result<> Specimen::ensure_bus(const std::string& kind, std::mt19937_64* unusual) {
  if (kind.empty() || bench_.machine().find_bus(kind) != nullptr) return {};
  static std::map<std::string, std::string> providers;
  auto [it, unknown] = providers.try_emplace(kind);
  if (unknown) it->second = find_provider(kind);
  if (it->second.empty()) return fail("no type provides a bus of kind {}", kind);
  if (unusual != nullptr &&
      bench_.try_add(it->second, unusual_properties(*find_type(it->second), *unusual)))
    return {};
  TRY(bench_.try_add(it->second));
  return {};
}

Result<Properties> Specimen::link_properties(const TypeInfo& type) {
  Properties links;
  for (const TypeInfo* t : type.lineage())
    for (const Property& p : t->properties) {
      const std::string id = fmt::format("fake{}", fakes_++);
      if (type.is_a("process-device") && (p.name == "script" || p.name == "program")) {
        ::setenv("PYTHONPATH", RHEA_SOURCE_ROOT "/hw/misc", 1);
        links.emplace_back(p.name, RHEA_SOURCE_ROOT "/examples/python-device/copier.py");
        continue;
      }
      if (type.is_a("vfio-user-pci") && p.name == "socket") {
        const auto peer = std::make_shared<VfioPeer>();
        links.emplace_back(p.name, peer->path());
        peers_.push_back(peer);
        continue;
      }
      if (p.name == "chassis_nr") {
        links.emplace_back(p.name, "1");
        continue;
      }
      // It has the guest do something after a load that the machine that was saved does not.
      if (p.name == "guest_announce") {
        links.emplace_back(p.name, "off");
        continue;
      }
      if (p.type == "link<block-backend>") {
        auto disk = make_moody_disk(bench_, id, kDiskBytes);
        disks_.emplace_back(find_drive(bench_.machine(), id), std::move(disk));
      } else if (p.type == "link<chardev>") {
        FakeChardev::make(bench_, id);
      } else if (p.type == "link<rng-backend>") {
        FakeRng::make(bench_.machine(), id);
      } else if (p.type == "link<netdev>") {
        net_peers_.emplace_back(bench_.machine(), id);
      } else {
        continue;
      }
      links.emplace_back(p.name, id);
    }
  return links;
}

bool Specimen::is_elsewhere() const {
  return device_->type().is_a("process-device") || device_->type().is_a("vfio-user-pci");
}

std::vector<u8> Specimen::save() {
  StateWriter out;
  save_object(*device_, out);
  return out.take();
}

Result<> Specimen::load(std::span<const u8> stream) {
  StateReader in(stream);
  return load_object(*device_, in);
}

std::string Specimen::lines() const {
  std::string high;
  for (unsigned line = 0; line < 16; ++line)
    if (bench_.irq(line)) high += fmt::format("IRQ{} ", line);
  for (unsigned link = 0; link < 4; ++link)
    if (bench_.intx(link)) high += fmt::format("INT{} ", static_cast<char>('A' + link));
  for (unsigned pin = 0; pin < 32; ++pin)
    if ((*outputs_ >> pin & 1) != 0) high += fmt::format("output {} ", pin);
  return high;
}

u64 Specimen::line_bits() const {
  u64 bits = *outputs_ << 20;
  for (unsigned line = 0; line < 16; ++line) bits |= u64{bench_.irq(line)} << line;
  for (unsigned link = 0; link < 4; ++link) bits |= u64{bench_.intx(link)} << (16 + link);
  return bits;
}

void Specimen::copy_peers(Specimen& other) {
  *mirror_ = *other.mirror_;
  good_episodes_ = other.good_episodes_;
  driver_ = other.driver_ == nullptr ? nullptr : other.driver_->for_copy(*this);
  for (Specimen* one : {this, &other})
    for (NetPeer& peer : one->net_peers_) peer.forget();
  for (std::size_t n = 0; n < disks_.size(); ++n) {
    disks_[n].second->bytes = other.disks_[n].second->bytes;
    disks_[n].first->set_error_policy(other.disks_[n].first->error_policy());
  }
  for (const auto& child : bench_.machine().container("/chardevs").children()) {
    auto* mine = dynamic_cast<FakeChardev*>(child.get());
    const auto* theirs = dynamic_cast<FakeChardev*>(
        other.bench_.machine().container("/chardevs").child(child->name()));
    if (mine != nullptr && theirs != nullptr) mine->room = theirs->room;
  }
  for (const auto& child : bench_.machine().container("/objects").children()) {
    auto* mine = dynamic_cast<FakeRng*>(child.get());
    const auto* theirs =
        dynamic_cast<FakeRng*>(other.bench_.machine().container("/objects").child(child->name()));
    if (mine == nullptr || theirs == nullptr) continue;
    mine->there = theirs->there;
    mine->last = theirs->last;
  }
}

std::vector<AccessibleRange> accessible_ranges(Machine& machine, const Device& device) {
  std::vector<AccessibleRange> own;
  std::vector<AccessibleRange> all;
  const RcuGuard guard;
  for (const AddressSpace* space : {&machine.memory(), &machine.io()})
    for (const FlatRange& range : space->view().ranges()) {
      const AccessibleRange found{.io = space == &machine.io(),
                                  .first = range.first,
                                  .last = range.last,
                                  .min_size = range.region->ops().valid.min,
                                  .max_size = range.region->ops().valid.max,
                                  .region = range.region,
                                  .offset = range.offset};
      if (range.region->owner() == &device) own.push_back(found);
      if (range.region->owner() != nullptr) all.push_back(found);
    }
  // A disk has no registers of its own: its controller's are the way to it.
  return own.empty() ? all : own;
}

void map_bars(PciDevice& device, bool master) {
  u32 memory = 0xe000'0000;
  u32 port = 0xc000;
  for (unsigned n = 0; n < 6; ++n) {
    const auto bar = device.bar_info(n);
    if (!bar) continue;
    u32& next = bar->kind == BarKind::Io ? port : memory;
    const auto size = static_cast<u32>(bar->size);
    next = (next + size - 1) / size * size;
    device.config_write(pci::kBar0 + 4 * n, next, 4);
    next += size;
  }
  u32 command = pci::kCommandIo | pci::kCommandMemory;
  if (master) command |= pci::kCommandMaster;
  device.config_write(pci::kCommand, command, 2);
}

namespace {

void random_config_access(PciDevice& device, std::mt19937_64& random) {
  const unsigned size = 1u << random() % 3;
  const auto reg = static_cast<unsigned>(random() % PciDevice::kConfigSize) & ~(size - 1);
  if (random() % 2 == 0)
    device.config_read(reg, size);
  else
    device.config_write(reg, static_cast<u32>(random()), size);
}

void random_register_access(Machine& machine, const AccessibleRange& range,
                            std::mt19937_64& random) {
  const unsigned size = 1u << random() % 4;
  // Registers crowd at the start of a range.
  const u64 length = range.last - range.first + 1;
  const u64 offset = random() % 2 == 0 ? random() % length : random() % std::min<u64>(length, 256);
  const AddressSpace& space = range.io ? machine.io() : machine.memory();
  if (random() % 2 == 0)
    space.load(range.first + offset, size);
  else
    space.store(range.first + offset, random() % 4 == 0 ? random() : random() % 256, size);
}

}  // namespace

unsigned random_accesses(Machine& machine, Device& device, u64 seed, unsigned count) {
  std::mt19937_64 random(seed);
  auto* pci = dynamic_cast<PciDevice*>(&device);
  if (pci != nullptr) map_bars(*pci);
  std::vector<AccessibleRange> ranges = accessible_ranges(machine, device);
  unsigned done = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (i % 32 == 31)
      machine.virtual_clock().advance_to(machine.virtual_clock().now_ns() +
                                         static_cast<i64>(random() % 2'000'000));
    if (i % 128 == 127) machine.loop().iterate(false);
    if (i % 64 == 63) {
      // Configuration writes move BARs and switch decoding off.
      if (pci != nullptr && random() % 4 == 0) map_bars(*pci);
      ranges = accessible_ranges(machine, device);
    }
    if (pci != nullptr && (ranges.empty() || random() % 16 == 0))
      random_config_access(*pci, random);
    else if (!ranges.empty())
      random_register_access(machine, ranges[random() % ranges.size()], random);
    else
      continue;
    ++done;
  }
  return done;
}

unsigned access_count(unsigned usual) {
  return static_cast<unsigned>(from_environment("RHEA_ACCESSES", usual));
}

std::vector<std::string> device_type_names() {
  const auto types = all_types();
  const auto is_from_plugin = [](const TypeInfo* type) { return !type->origin.empty(); };
  const bool plugins = std::ranges::any_of(types, is_from_plugin);
  std::vector<std::string> names;
  for (const TypeInfo* type : types)
    if (is_device_for_bench(*type) && (!plugins || is_from_plugin(type)))
      names.push_back(type->name);
  return names;
}

}  // namespace rhea::test
