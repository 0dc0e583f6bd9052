// SPDX-License-Identifier: GPL-2.0-or-later
// The machine for software processors' tests.
#include "tests/jit/jit_guest.h"

#include "accel/cpu_device.h"
#include "rhea/util/option.h"
#include "tests/support/environment.h"

#include <algorithm>
#include <thread>

namespace rhea::test {

JitGuest::JitGuest(unsigned cpus, Counting counting, const char* model) {
  const DomainGuard guard(&machine_.lock());
  machine_.config.cpus = machine_.config.max_cpus = machine_.config.sockets = cpus;
  machine_.service<accel::InstructionCount>().settings = counting;
  RHEA_ASSERT(find_option("cpu")->apply(machine_, model).has_value());
  vm_ = std::make_unique<jit::Vm>(machine_, from_environment("RHEA_TRANSLATE", 0) != 0);
  RHEA_ASSERT(ram_.init_ram(nullptr, "pc.ram", 2 * MiB).has_value());
  machine_.system_memory().add(0, ram_);
  ports_.init_io(nullptr, "test-ports", 2, io<&JitGuest::read, &JitGuest::write>(), this);
  ports_.set_lock_domain(nullptr);
  machine_.system_io().add(0x80, ports_);
  RHEA_ASSERT(vm_->board_ready().has_value());
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    auto made = vm_->create_vcpu(cpu);
    RHEA_ASSERT(made.has_value());
    RHEA_ASSERT(
        accel::add_cpu_device(machine_, **made, cpu, {.model = "qemu64", .fit = {}}).has_value());
    vcpus_.emplace_back(static_cast<jit::JitVcpu*>(made->release()));
  }
}

JitGuest::~JitGuest() {
  const DomainGuard guard(&machine_.lock());
  machine_.pause();
  machine_.stop_vcpus();
  vcpus_.clear();
  vm_.reset();
}

void JitGuest::load(std::initializer_list<u8> code, unsigned cpu) {
  std::ranges::copy(code, memory() + code_of(cpu));
  x86::CpuState state;
  RHEA_ASSERT(vcpu(cpu).get_state(state).has_value());
  state.rip = code_of(cpu);
  for (x86::Segment& segment : state.segment) segment.base = segment.selector = 0;
  state.gpr[x86::Rsp] = 0x8000 - 0x100 * cpu;
  state.mp_state = x86::MpState::Runnable;
  RHEA_ASSERT(vcpu(cpu).set_state(state).has_value());
}

void JitGuest::start() {
  const DomainGuard guard(&machine_.lock());
  for (auto& each : vcpus_) machine_.add_vcpu(*each);
  machine_.resume();
}

void JitGuest::pause() {
  const DomainGuard guard(&machine_.lock());
  machine_.pause();
}

void JitGuest::resume() {
  const DomainGuard guard(&machine_.lock());
  machine_.resume();
}

void JitGuest::write(u64 offset, u64 value, unsigned) {
  const std::lock_guard lock(mutex_);
  if (offset == 0)
    written_.push_back(static_cast<u8>(value));
  else
    ++done_;
  changed_.notify_all();
}

u64 JitGuest::read(u64, unsigned) { return 0; }

bool JitGuest::wait(const std::function<bool()>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(60), condition);
}

bool JitGuest::wait_done(unsigned processors) {
  return wait([&] { return done_ >= processors; });
}

bool JitGuest::wait_written(std::size_t count) {
  return wait([&] { return written_.size() >= count; });
}

bool JitGuest::wait_halted() {
  x86::CpuState state;
  for (unsigned attempt = 0; attempt < 10'000 && state.mp_state != x86::MpState::Halted;
       ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    pause();
    RHEA_ASSERT(vcpu().get_state(state).has_value());
    resume();
  }
  return state.mp_state == x86::MpState::Halted;
}

bool eventually(const std::function<bool()>& condition) {
  for (unsigned ms = 0; ms < 10'000 && !condition(); ++ms)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return condition();
}

std::vector<u8> JitGuest::written() {
  const std::lock_guard lock(mutex_);
  return written_;
}

std::size_t JitGuest::written_count() {
  const std::lock_guard lock(mutex_);
  return written_.size();
}

}  // namespace rhea::test
