// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/scsi/scsi_task.h"

#include "hw/scsi/big_endian.h"

#include <algorithm>

namespace rhea::hw {

u64 ScsiTask::field(std::size_t at, unsigned size) const { return get_be(cdb, at, size); }

void ScsiTask::reply(std::span<const u8> data, u64 allocated) {
  if (allocated > in_bytes) return overrun();
  const auto shown = data.first(std::min<u64>(data.size(), allocated));
  if (!shown.empty() && !give(0, shown)) return fail();
  succeed(shown.size());
}

bool ScsiTask::fetch_parameters(std::span<u8> parameters) {
  if (parameters.size() > out_bytes) {
    overrun();
    return false;
  }
  if (parameters.empty() || fetch(0, parameters)) return true;
  fail();
  return false;
}

}  // namespace rhea::hw
