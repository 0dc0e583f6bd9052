// SPDX-License-Identifier: GPL-2.0-or-later
// Guest memory as a person at a monitor reads it.
#include "monitor/guest_memory.h"

#include "accel/accelerator.h"

#include <algorithm>

namespace rhea::monitor {

std::size_t read_virtual(Machine& machine, unsigned cpu, u64 address, std::span<u8> data) {
  auto& accel = machine.service<accel::AccelService>();
  if (cpu >= accel.vcpu_count()) return 0;
  std::size_t done = 0;
  while (done < data.size()) {
    const u64 at = address + done;
    std::optional<GuestPhys> physical;
    machine.vcpus()[cpu]->run_on([&] { physical = accel.vcpu(cpu).translate(GuestVirt(at)); });
    if (!physical) break;
    const std::size_t in_page =
        std::min<std::size_t>(data.size() - done, kPageSize - at % kPageSize);
    read_physical(machine, physical->value, data.subspan(done, in_page));
    done += in_page;
  }
  return done;
}

bool read_memory(Machine& machine, u64 address, std::span<u8> data) {
  constexpr MemAttrs kLook{.requester_id = 0, .secure = false, .debug = true, .user = false};
  return machine.memory().read(address, data, kLook) == MemResult::Ok;
}

// Where nothing is mapped, all ones are what a CPU would read as well.
std::size_t read_physical(Machine& machine, u64 address, std::span<u8> data) {
  read_memory(machine, address, data);
  return data.size();
}

}  // namespace rhea::monitor
