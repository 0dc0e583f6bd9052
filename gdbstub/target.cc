// SPDX-License-Identifier: GPL-2.0-or-later
// The machine as a debugger sees it: registers and memory.
#include "gdbstub/target.h"

#include "accel/accelerator.h"
#include "softmmu/standstill.h"

#include <algorithm>

namespace rhea::gdbstub {
namespace {

constexpr u32 kTscMsr = 0x10, kTscAdjustMsr = 0x3b;
constexpr MemAttrs kDebug{.requester_id = 0, .secure = false, .debug = true, .user = false};

accel::VcpuBackend& backend(Machine& machine, unsigned cpu) {
  return machine.service<accel::AccelService>().vcpu(cpu);
}

}  // namespace

Result<> Target::may_change() const {
  TRY(machine_->may_change());
  return machine_->service<Standstill>().need_none();
}

Target::~Target() { let_go(); }

void Target::let_go() {
  release();
  remove_all();
}

void Target::choose(Layout layout) {
  layout_ = layout;
  registers_ = Registers(
      layout, cpus() == 0 ? accel::XsaveOffsets{} : backend(*machine_, 0).xsave_offsets());
}

Result<x86::CpuState> Target::state(unsigned cpu) const {
  return machine_->service<accel::AccelService>().cpu_state(cpu);
}

Result<> Target::set_state(unsigned cpu, x86::CpuState state) const {
  std::erase_if(state.msrs, [](const x86::Msr& msr) {
    return msr.index == kTscMsr || msr.index == kTscAdjustMsr;
  });
  Result<> result;
  machine_->vcpus()[cpu]->run_on([&] { result = backend(*machine_, cpu).set_state(state); });
  return result;
}

std::optional<u64> Target::translate(unsigned cpu, u64 address) const {
  std::optional<GuestPhys> found;
  machine_->vcpus()[cpu]->run_on(
      [&] { found = backend(*machine_, cpu).translate(GuestVirt(address)); });
  return found ? std::optional(found->value) : std::nullopt;
}

template <class Translate>
std::size_t Target::read_pieces(u64 address, std::span<u8> to, const Translate& where) const {
  std::size_t done = 0;
  while (done < to.size()) {
    const u64 at = address + done;
    const std::optional<u64> from = where(at);
    const std::size_t piece = std::min<std::size_t>(to.size() - done, kPageSize - at % kPageSize);
    if (!from || machine_->memory().read(*from, to.subspan(done, piece), kDebug) != MemResult::Ok)
      break;
    done += piece;
  }
  return done;
}

std::size_t Target::read_linear(unsigned cpu, u64 address, std::span<u8> to) const {
  return read_pieces(address, to, [&](u64 at) { return translate(cpu, at); });
}

std::size_t Target::read(unsigned cpu, u64 address, std::span<u8> to) const {
  if (!physical) return read_linear(cpu, address, to);
  return read_pieces(address, to, [](u64 at) { return std::optional(at); });
}

bool Target::write(unsigned cpu, u64 address, std::span<const u8> from) const {
  while (!from.empty()) {
    const auto to = physical ? std::optional(address) : translate(cpu, address);
    if (!to) return false;
    const std::size_t piece = std::min<std::size_t>(from.size(), kPageSize - address % kPageSize);
    const auto bytes = from.first(piece);
    // A breakpoint in firmware is one in ROM.
    if (machine_->memory().write_rom(*to, bytes) != MemResult::Ok &&
        machine_->memory().write(*to, bytes, kDebug) != MemResult::Ok)
      return false;
    from = from.subspan(piece);
    address += piece;
  }
  return true;
}

}  // namespace rhea::gdbstub
