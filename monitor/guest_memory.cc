// SPDX-License-Identifier: GPL-2.0-or-later
// Guest memory as a person at a monitor reads it.
#include "monitor/guest_memory.h"

#include "accel/accelerator.h"

#include <algorithm>
#include <vector>

namespace rhea::monitor {

// All pages are looked up in one go: to be asked, a processor leaves the guest.
std::size_t read_virtual(Machine& machine, unsigned cpu, u64 address, std::span<u8> data) {
  auto& accel = machine.service<accel::AccelService>();
  if (cpu >= accel.vcpu_count()) return 0;
  std::vector<u64> pages;
  machine.vcpus()[cpu]->run_on([&] {
    for (u64 at = address; at - address < data.size(); at += kPageSize - at % kPageSize) {
      const auto physical = accel.vcpu(cpu).translate(GuestVirt(at));
      if (!physical) return;
      pages.push_back(physical->value);
    }
  });
  std::size_t done = 0;
  for (const u64 page : pages) {
    const std::size_t in_page =
        std::min<std::size_t>(data.size() - done, kPageSize - (address + done) % kPageSize);
    read_physical(machine, page, data.subspan(done, in_page));
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
