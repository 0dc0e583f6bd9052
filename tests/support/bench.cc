// SPDX-License-Identifier: GPL-2.0-or-later
// The test machine.
#include "tests/support/bench.h"

#include "rhea/block/block_backend.h"
#include "rhea/softmmu/snapshot.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>

namespace rhea::test {
namespace {

constexpr u64 kElsewhere = u64{1} << 32;  ///< for before_step(): not a port or an address

/// Carries the bench's two buses.
class BenchBoard final : public Device {
 public:
  static constexpr std::string_view kName = "bench-board";
  static void describe(Schema<BenchBoard>& s) { s.board_only(); }
  Result<> realize() override {
    add_child("isa.0", create<IsaBus>());
    add_child("pci.0", create<PciBus>());
    return {};
  }
};

/// An image that is a vector.
class MemoryNode final : public BlockNode {
 public:
  MemoryNode(std::shared_ptr<std::vector<u8>> data, bool read_only)
      : data_(std::move(data)), read_only_(read_only) {}
  std::string_view format() const override { return "raw"; }
  const std::string& filename() const override { return name_; }
  u64 size() const override { return data_->size(); }
  bool read_only() const override { return read_only_; }
  Result<> read(u64 offset, std::span<u8> data) override {
    if (offset > data_->size() || data.size() > data_->size() - offset)
      return fail("read beyond the end");
    std::memcpy(data.data(), data_->data() + offset, data.size());
    return {};
  }
  Result<> write(u64 offset, std::span<const u8> data) override {
    if (read_only_) return fail("read-only");
    if (offset > data_->size() || data.size() > data_->size() - offset)
      return fail("write beyond the end");
    std::memcpy(data_->data() + offset, data.data(), data.size());
    return {};
  }
  Result<> flush() override { return {}; }

 private:
  std::shared_ptr<std::vector<u8>> data_;
  std::string name_{"memory"};
  bool read_only_;
};

const RegisterType<BenchBoard> board_registration;
const RegisterType<FakeChardev> chardev_registration;

}  // namespace

Bench::Bench(u64 ram)
    : machine_(std::make_unique<Machine>()),
      reloader_(*machine_, bench_mode(),
                {.saved = [this] { remember_lines(); },
                 .reset = [this] { lower_lines(); },
                 .loaded = [this] { check_lines(); }}) {
  Machine& m = *machine_;
  m.lock().lock();
  m.virtual_clock().set_manual(0);
  m.host_clock().set_manual(0);
  m.config.ram_size = ram;
  // Devices that are other programs are given it.
  if (!ram_.init_ram(nullptr, "pc.ram", ram, {.backing = RamBacking::Memfd}))
    throw std::runtime_error("no memory for the bench");
  m.system_memory().add(0, ram_);
  Device& board = **m.add_device(std::move(*create_object("bench-board")), nullptr, "board");
  isa_ = static_cast<IsaBus*>(board.child("isa.0"));
  pci_ = static_cast<PciBus*>(board.child("pci.0"));
  isa_->init(m.system_memory(), m.system_io());
  isa_->set_irqs([this](unsigned n) { return Irq::to<&Bench::set_irq>(*this, n); });
  pci_->init(
      m.system_memory(), m.system_io(), m.memory(),
      [](unsigned slot, unsigned pin) { return (slot + pin) & 3; },
      [this](unsigned link, bool level) { intx_level_[link & 3] = level; });
  m.interrupts.send_msi = [this](const MsiMessage& message) { messages_.push_back(message); };
  m.interrupts.gsi = [this](unsigned gsi) {
    return gsi < 16 ? Irq::to<&Bench::set_irq>(*this, gsi) : Irq();
  };
}

Bench::~Bench() {
  ram_.reset();
  machine_->lock().unlock();
  machine_.reset();
}

void Bench::set_irq(unsigned line, bool level) {
  if (level && !irq_level_[line]) ++irq_edges_[line];
  irq_level_[line] = level;
}

Result<Device*> Bench::try_add(std::string_view type, const Properties& properties,
                               std::string_view bus_name) {
  std::unique_ptr<Object> object = TRY(machine_->make(type));
  auto* device = dynamic_cast<Device*>(object.get());
  if (device == nullptr) return fail("'{}' is no device", type);
  Object& waiting = machine_->container("/machine/peripheral-anon");
  const std::string name = fmt::format("bench[{}]", added_++);
  waiting.add_child(name, std::move(object));
  if (on_add_) on_add_(*device);
  const auto drop = [&](Error error) -> Result<Device*> {
    if (device->parent_bus() != nullptr) device->parent_bus()->detach(*device);
    waiting.remove_child(*device);
    return std::unexpected(std::move(error));
  };
  for (const auto& [key, value] : properties)
    if (auto result = device->set(key, value); !result) return drop(std::move(result).error());
  if (!device->type().bus.empty()) {
    Bus* bus = machine_->find_bus(device->type().bus, bus_name);
    if (bus == nullptr) return drop(Error(fmt::format("no bus for '{}'", type)));
    if (auto result = bus->attach(*device); !result) return drop(std::move(result).error());
  }
  if (auto result = device->set_realized(true); !result) return drop(std::move(result).error());
  device->reset_tree(ResetKind::Cold);
  reloader_.device_added();
  return device;
}

Device& Bench::add(std::string_view type, const Properties& properties, std::string_view bus) {
  auto result = try_add(type, properties, bus);
  if (!result) throw std::runtime_error(result.error().message());
  return **result;
}

// A save, a reset and a load are nothing that anybody sees. Of a port that is written a whole block
// to, each of the first words and some later ones; of a test of very many steps, some.
void Bench::before_step(u64 place) {
  constexpr unsigned kWords = 4, kMost = 32, kSome = 1021;
  if (reloader_.mode() == BenchMode::Plain) return;
  repeats_ = place == last_place_ ? repeats_ + 1 : 0;
  last_place_ = place;
  if ((repeats_ >= kWords || steps_ >= kMost) && ++skipped_ % kSome != 0) return;
  ++steps_;
  reloader_.reload();
}

// What a device has to do before it is saved, it may do.
void Bench::remember_lines() {
  before_.irqs = irq_level_;
  before_.edges = irq_edges_;
  before_.links = intx_level_;
  before_.messages = messages_.size();
}

void Bench::check_lines() {
  irq_edges_ = before_.edges;
  if (irq_level_ != before_.irqs || intx_level_ != before_.links)
    throw std::runtime_error("RHEA_BENCH: a line is not repeated after a load");
  if (messages_.size() != before_.messages)
    throw std::runtime_error("RHEA_BENCH: a load sends messages");
}

u64 Bench::in(u16 port, unsigned size) {
  before_step(port);
  return machine_->io().load(port, size);
}

void Bench::out(u16 port, u64 value, unsigned size) {
  before_step(port);
  machine_->io().store(port, value, size);
}

u64 Bench::load(u64 address, unsigned size) {
  before_step(~address);
  return machine_->memory().load(address, size);
}

void Bench::store(u64 address, u64 value, unsigned size) {
  before_step(~address);
  machine_->memory().store(address, value, size);
}

u32 Bench::config_read(unsigned devfn, unsigned reg, unsigned size) {
  before_step(kElsewhere | devfn << 8 | reg);
  return pci_->config_read(devfn, reg, size);
}

void Bench::config_write(unsigned devfn, unsigned reg, u32 value, unsigned size) {
  before_step(kElsewhere | devfn << 8 | reg);
  pci_->config_write(devfn, reg, value, size);
}

std::vector<u8> Bench::read(u64 address, std::size_t length) {
  std::vector<u8> data(length);
  static_cast<void>(machine_->memory().read(address, data));
  return data;
}

void Bench::write(u64 address, std::span<const u8> data) {
  static_cast<void>(machine_->memory().write(address, data));
}

void Bench::advance(i64 ns) {
  before_step(kElsewhere);
  Clock& clock = machine_->virtual_clock();
  clock.advance_to(clock.now_ns() + ns);
}

bool Bench::run_until(const std::function<bool()>& done) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (!done() && std::chrono::steady_clock::now() < limit) machine_->loop().iterate(false);
  return done();
}

void Bench::reset(ResetKind kind) { machine_->reset_now(ShutdownCause::SubsystemReset, kind); }
std::vector<u8> Bench::save() { return save_machine(*machine_); }
Result<> Bench::load(std::span<const u8> stream) { return load_machine(*machine_, stream); }

FakeChardev& FakeChardev::make(Bench& bench, std::string id) {
  return bench.machine().container("/chardevs").add_child(std::move(id), create<FakeChardev>());
}

std::size_t FakeChardev::write(std::span<const u8> data) {
  data = data.first(std::min(data.size(), room));
  written.append(data.begin(), data.end());
  room -= data.size();
  return data.size();
}

void FakeChardev::make_room(std::size_t bytes) {
  room = bytes;
  if (front_end().can_send) front_end().can_send();
}

std::size_t FakeChardev::say(std::string_view text) {
  if (!attached() || !front_end().can_receive) return 0;
  const std::size_t count = std::min(front_end().can_receive(), text.size());
  if (count != 0) front_end().receive({reinterpret_cast<const u8*>(text.data()), count});
  return count;
}

std::shared_ptr<std::vector<u8>> make_fake_disk(Bench& bench, std::string id, u64 bytes,
                                                bool read_only) {
  auto data = std::make_shared<std::vector<u8>>(bytes);
  auto& backend =
      bench.machine().container("/drives").add_child(std::move(id), create<BlockBackend>());
  backend.insert(std::make_unique<MemoryNode>(data, read_only));
  return data;
}

}  // namespace rhea::test
