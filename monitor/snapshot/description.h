// SPDX-License-Identifier: GPL-2.0-or-later
// What machine a snapshot is of, as far as its devices' state does not tell.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/softmmu/machine.h"

#include <string>
#include <vector>

namespace rhea::snapshot {

struct DriveDescription {
  std::string name;
  bool inserted{};
  u64 size{};       ///< bytes
  bool writable{};  ///< what the guest writes lies over the image (-snapshot)
};

struct Description {
  u32 cpus{};
  std::string cpu_model;
  std::vector<std::string> cpu_features;  ///< that guests find
  RunState state{};
  std::vector<DriveDescription> drives;

  void save(StateWriter& out) const;
  static Result<Description> load(StateReader& in);
};

Description describe(Machine& machine);
/// Whether a machine's disks may be saved with it: all that can be written are under -snapshot.
Result<> check_disks(Machine& machine);
/// Whether what was saved can go on here. The error names the first thing that is different.
Result<> check_fits(const Description& saved, const Description& here);

}  // namespace rhea::snapshot
