// SPDX-License-Identifier: GPL-2.0-or-later
// The machine for small guests.
#include "tests/accel/guest.h"

#include "accel/cpu_device.h"
#include "rhea/softmmu/vcpu.h"

#include <chrono>
#include <stdexcept>

namespace rhea::test {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr u16 kPorts = 0x500;
constexpr u64 kRegisters = 0xd0000;
constexpr u64 kOrderPort = 0x5f0 - kPorts;
constexpr u64 kNoOrder = 0xffffffff;
constexpr u64 kPageTables = 0x8000;
constexpr u32 kHandlers = 0x1200;

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

x86::Segment code_segment() {
  return {.selector = 8,
          .base = 0,
          .limit = 0xffffffff,
          .type = 11,
          .s = true,
          .present = true,
          .avl = false,
          .l = true,
          .db = false,
          .g = true,
          .unusable = false,
          .dpl = 0};
}
x86::Segment data_segment() {
  return {.selector = 16,
          .base = 0,
          .limit = 0xffffffff,
          .type = 3,
          .s = true,
          .present = true,
          .avl = false,
          .l = false,
          .db = true,
          .g = true,
          .unusable = false,
          .dpl = 0};
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Seen& s) {
  return out << fmt::format("{} {} {:#x} size {} value {:#x}", s.port ? "port" : "memory",
                            s.write ? "write" : "read", s.address, s.size, s.value);
}

Guest::Guest(const GuestOptions& options) {
  const DomainGuard guard(&machine_.lock());
  machine_.config.cpus = machine_.config.max_cpus = machine_.config.sockets = options.cpus;
  auto system = must(kvm::System::open());
  for (const int capability : options.hidden) system->hide(capability);
  vm_ = must(kvm::Vm::create(machine_, std::move(system), options.vm));
  must(ram_.init_ram(nullptr, "pc.ram", options.ram));
  machine_.system_memory().add(0, ram_);
  // Under no lock, so that a puppet that waits for orders keeps nobody else waiting.
  ports_.init_io(nullptr, "test-ports", 0x100, io<&Guest::read_port, &Guest::write_port>(), this);
  ports_.set_lock_domain(nullptr);
  machine_.system_io().add(kPorts, ports_);
  done_port_.init_io(nullptr, "test-done", 1,
                     RegionOps{.read = nullptr,
                               .write =
                                   [](void* self, Access&) {
                                     static_cast<Guest*>(self)->done_ = true;
                                     return MemResult::Ok;
                                   }},
                     this);
  machine_.system_io().add(0x600, done_port_);
  post_port_.init_io(
      nullptr, "test-post", 1,
      RegionOps{.read = nullptr,
                .write =
                    [](void* self, Access& a) {
                      static_cast<Guest*>(self)->note(port_write(0x80, a.size, a.value));
                      return MemResult::Ok;
                    }},
      this);
  machine_.system_io().add(0x80, post_port_);
  registers_.init_io(
      nullptr, "test-registers", 0x2000,
      io<&Guest::read_register, &Guest::write_register>({.min = 1, .max = 8, .unaligned = true}),
      this);
  machine_.system_memory().add(kRegisters, registers_, 1);
  machine_.on_event([this](MachineEvent event, ShutdownCause) {
    resets_ += event == MachineEvent::Reset ? 1 : 0;
  });
  must(vm_->board_ready());
  for (unsigned i = 0; i < options.cpus; ++i) plug_vcpu();
}

Guest::~Guest() {
  const DomainGuard guard(&machine_.lock());
  machine_.pause();
  machine_.stop_vcpus();
  vcpus_.clear();
  vm_.reset();
}

void Guest::plug_vcpu() {
  auto backend = must(vm_->create_vcpu(static_cast<unsigned>(vcpus_.size())));
  must(accel::add_cpu_device(machine_, *backend, static_cast<unsigned>(vcpus_.size()),
                             {.model = "qemu64", .fit = {}}));
  vcpus_.emplace_back(static_cast<kvm::KvmVcpu*>(backend.release()));
}

void Guest::unplug_last_vcpu() { vcpus_.pop_back(); }

void Guest::place(std::span<const u8> code) { std::ranges::copy(code, memory() + kCode); }

x86::CpuState Guest::blank_state(unsigned cpu) {
  x86::CpuState state = must([&]() -> Result<x86::CpuState> {
    x86::CpuState now;
    TRY(vcpu(cpu).get_state(now));
    return now;
  }());
  state.rip = kCode;
  state.gpr[x86::Rsp] = 0x7000;
  state.mp_state = x86::MpState::Runnable;
  return state;
}

void Guest::set_state(const x86::CpuState& state, unsigned cpu) {
  must(vcpu(cpu).set_state(state));
}

void Guest::prepare_real(std::span<const u8> code, unsigned cpu) {
  place(code);
  x86::CpuState state = blank_state(cpu);
  state.segment[x86::Cs].base = 0;
  state.segment[x86::Cs].selector = 0;
  set_state(state, cpu);
}

void Guest::prepare_puppet(unsigned cpu) {
  place(GUEST(puppet));
  for (u32 vector = 0; vector < 128; ++vector) {
    const u32 handler = kHandlers + vector * 16;  // offset, segment 0
    std::memcpy(memory() + vector * 4, &handler, sizeof handler);
  }
  x86::CpuState state = blank_state(cpu);
  for (x86::Segment& segment : state.segment) segment.base = segment.selector = 0;
  for (const unsigned segment : {x86::Ds, x86::Es, x86::Ss}) {
    state.segment[segment].limit = 0xffffffff;
    state.segment[segment].g = true;
  }
  state.gpr[x86::Rsp] = 0x7000 - 0x100 * cpu;
  set_state(state, cpu);
}

void Guest::prepare_long(std::span<const u8> code) {
  place(code);
  x86::CpuState state = blank_state(0);
  const u64 level3 = (kPageTables + 0x1000) | 7, level2 = (kPageTables + 0x2000) | 7,
            large_page = 0x87;
  std::memcpy(memory() + kPageTables, &level3, sizeof level3);
  std::memcpy(memory() + kPageTables + 0x1000, &level2, sizeof level2);
  std::memcpy(memory() + kPageTables + 0x2000, &large_page, sizeof large_page);
  state.cr0 = 0x80000031;
  state.cr3 = kPageTables;
  state.cr4 = 0x20;
  state.efer = 0x500;
  state.segment.fill(data_segment());
  state.segment[x86::Cs] = code_segment();
  set_state(state, 0);
}

void Guest::start() {
  const DomainGuard guard(&machine_.lock());
  for (std::size_t i = machine_.vcpus().size(); i < vcpus_.size(); ++i)
    machine_.add_vcpu(*vcpus_[i]);
  machine_.resume();
}

void Guest::pause() {
  const DomainGuard guard(&machine_.lock());
  machine_.pause();
}

void Guest::order(std::initializer_list<u32> words) {
  const std::lock_guard lock(mutex_);
  orders_.insert(orders_.end(), words);
  hungry_ = false;
  changed_.notify_all();
}

void Guest::order_and_wait(std::initializer_list<u32> words) {
  order(words);
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, Milliseconds(10000), [this] { return hungry_ && orders_.empty(); }))
    ADD_FAILURE() << "the guest does not take its orders";
}

bool Guest::wait_done(unsigned ms) {
  return wait([this] { return done_.load(); }, ms);
}

bool Guest::wait(const std::function<bool()>& condition, unsigned ms) {
  const auto end = std::chrono::steady_clock::now() + Milliseconds(ms);
  while (!condition() && std::chrono::steady_clock::now() < end) {
    {
      const DomainGuard guard(&machine_.lock());
      machine_.loop().iterate(false);
    }
    std::this_thread::sleep_for(Milliseconds(1));
  }
  return condition();
}

std::vector<Seen> Guest::log() {
  const std::lock_guard lock(mutex_);
  return log_;
}

void Guest::clear_log() {
  const std::lock_guard lock(mutex_);
  log_.clear();
}

std::vector<u64> Guest::written_to(u16 port) {
  std::vector<u64> values;
  for (const Seen& seen : log())
    if (seen.port && seen.write && seen.address == port) values.push_back(seen.value);
  return values;
}

void Guest::answer(std::initializer_list<u64> values) {
  const std::lock_guard lock(mutex_);
  answers_.insert(answers_.end(), values);
}

x86::CpuState Guest::state(unsigned cpu) {
  x86::CpuState state;
  must(vcpu(cpu).get_state(state));
  return state;
}

void Guest::note(const Seen& seen) {
  const std::lock_guard lock(mutex_);
  log_.push_back(seen);
}

u64 Guest::next_answer() {
  const std::lock_guard lock(mutex_);
  if (answers_.empty()) return 0;
  const u64 value = answers_.front();
  answers_.pop_front();
  return value;
}

u64 Guest::next_order() {
  std::unique_lock lock(mutex_);
  if (orders_.empty()) {
    hungry_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, Milliseconds(2));
    if (orders_.empty()) return kNoOrder;
  }
  const u32 word = orders_.front();
  orders_.pop_front();
  return word;
}

u64 Guest::read_port(u64 offset, unsigned size) {
  if (offset == kOrderPort) return next_order();
  const u64 value = next_answer() & all_ones(size);
  note(port_read(kPorts + offset, size, value));
  return value;
}
void Guest::write_port(u64 offset, u64 value, unsigned size) {
  note(port_write(kPorts + offset, size, value));
}
u64 Guest::read_register(u64 offset, unsigned size) {
  const u64 value = next_answer() & all_ones(size);
  note(mem_read(kRegisters + offset, size, value));
  return value;
}
void Guest::write_register(u64 offset, u64 value, unsigned size) {
  note(mem_write(kRegisters + offset, size, value));
}

}  // namespace rhea::test
