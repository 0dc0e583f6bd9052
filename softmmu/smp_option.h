// SPDX-License-Identifier: GPL-2.0-or-later
// -smp: how many processors, and how they lie in sockets.
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/keyval.h"

namespace rhea {

/// What all -smp options together say, and -machine's smp.*; 0: not said.
struct SmpRequest final : MachineService {
  explicit SmpRequest(Machine&) {}

  unsigned cpus{}, max_cpus{}, sockets{}, dies{}, clusters{}, cores{}, threads{};

  /// Later values win. Errors name the parameter.
  Result<> add(KeyValues values);
  /// Works out what was not said, checks the whole as QEMU 7.2 does and writes it into `config`.
  /// Boards before 6.2 make sockets rather than cores of what is left open.
  Result<> settle(MachineConfig& config, bool prefer_sockets) const;
};

}  // namespace rhea
