// SPDX-License-Identifier: GPL-2.0-or-later
// What a debugger reads and writes: registers, memory, breakpoints.
#include "gdbstub/hex.h"
#include "gdbstub/session.h"

#include <algorithm>
#include <cerrno>

namespace rhea::gdbstub {
namespace {

/// Of memory in one packet. As hexadecimal digits they fit into one of PacketReader::kLimit.
constexpr u64 kMaxBytes = PacketReader::kLimit / 2 - 64;

}  // namespace

ReadLinear Session::linear_reader() const {
  return [this](u64 address, std::span<u8> to) {
    return target_.read_linear(cpu_, address, to) == to.size();
  };
}

void Session::change(const std::function<bool(x86::CpuState&, const ReadLinear&)>& edit) {
  if (!target_.may_change()) return error(EBUSY);
  auto state = target_.state(cpu_);
  if (!state) return error(EFAULT);
  ok_or_error(edit(*state, linear_reader()) && target_.set_state(cpu_, *state).has_value());
}

void Session::read_registers(Request) {
  const auto state = target_.state(cpu_);
  if (!state) return error(EFAULT);
  reply(to_hex(target_.registers().read_all(*state)));
}

void Session::write_registers(Request request) {
  const auto bytes = from_hex(request.rest());
  if (!bytes) return error(EINVAL);
  change([&](x86::CpuState& state, const ReadLinear& memory) {
    return target_.registers().write_all(state, *bytes, memory);
  });
}

void Session::read_register(Request request) {
  const auto number = request.number();
  if (!number || !request.at_end() || *number >= target_.registers().count()) return error(EINVAL);
  const auto state = target_.state(cpu_);
  if (!state) return error(EFAULT);
  reply(to_hex(target_.registers().read(*state, *number)));
}

void Session::write_register(Request request) {
  const auto number = request.number();
  if (!number || !request.skip("=") || *number >= target_.registers().count()) return error(EINVAL);
  const auto bytes = from_hex(request.rest());
  if (!bytes) return error(EINVAL);
  change([&](x86::CpuState& state, const ReadLinear& memory) {
    return target_.registers().write(state, *number, *bytes, memory);
  });
}

// As much as there is: gdb asks again for the rest, and hears of the first byte that is nowhere.
void Session::read_memory(Request request) {
  const auto range = request.pair(',');
  if (!range || !request.at_end()) return error(EINVAL);
  std::vector<u8> bytes(std::min(range->second, kMaxBytes));
  const std::size_t got = target_.read(cpu_, range->first, bytes);
  if (got == 0 && !bytes.empty()) return error(EFAULT);
  reply(to_hex(std::span(bytes).first(got)));
}

void Session::write_memory_hex(Request request) {
  if (!target_.may_change()) return error(EBUSY);
  const auto range = request.pair(',');
  if (!range || !request.skip(":")) return error(EINVAL);
  const auto bytes = from_hex(request.rest());
  if (!bytes || bytes->size() != range->second) return error(EINVAL);
  if (!target_.write(cpu_, range->first, *bytes)) return error(EFAULT);
  reply("OK");
}

void Session::write_memory_binary(Request request) {
  if (!target_.may_change()) return error(EBUSY);
  const auto range = request.pair(',');
  if (!range || !request.skip(":") || request.rest().size() != range->second) return error(EINVAL);
  const std::span<const u8> bytes(reinterpret_cast<const u8*>(request.rest().data()),
                                  request.rest().size());
  if (!target_.write(cpu_, range->first, bytes)) return error(EFAULT);
  reply("OK");
}

std::optional<Point> Session::point(Request& request) const {
  const auto kind = request.number();
  if (!kind || *kind >= kPointKinds || !request.skip(",")) return std::nullopt;
  const auto range = request.pair(',');
  if (!range) return std::nullopt;
  const auto as = static_cast<PointKind>(*kind);
  // For code the second number is a kind of breakpoint instruction.
  return Point{
      .kind = as, .address = range->first, .length = as <= PointKind::Hardware ? 1 : range->second};
}

void Session::insert_point(Request request) {
  const auto wanted = point(request);
  ok_or_error(wanted && target_.insert(*wanted, cpu_).has_value());
}

void Session::remove_point(Request request) {
  const auto wanted = point(request);
  ok_or_error(wanted && target_.remove(*wanted, cpu_).has_value());
}

}  // namespace rhea::gdbstub
