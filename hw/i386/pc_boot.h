// SPDX-License-Identifier: GPL-2.0-or-later
// How a PC's firmware learns what to boot: -boot and bootindex=, by CMOS and fw_cfg.
#pragma once

#include "hw/rtc/mc146818.h"
#include "rhea/hw/fw_cfg.h"
#include "rhea/softmmu/machine.h"

#include <string>
#include <string_view>

namespace rhea::hw {

/// Lives as long as the board; main thread.
class PcBoot {
 public:
  PcBoot(Machine& machine, FwCfg& fw_cfg, Mc146818& rtc)
      : machine_(&machine), fw_cfg_(&fw_cfg), rtc_(&rtc) {}
  PcBoot(const PcBoot&) = delete;
  PcBoot& operator=(const PcBoot&) = delete;

  /// Fills CMOS and fw_cfg, and from now on keeps them up to date at each reset. Errors name -boot.
  Result<> set_up(bool check_floppy_signature);

 private:
  Result<> set_order(std::string_view order);
  void machine_reset();

  Machine* machine_;
  FwCfg* fw_cfg_;
  Mc146818* rtc_;
  bool check_floppy_signature_{true};
  std::string usual_order_;  ///< to be restored at the second reset; empty: it is there already
  unsigned resets_{0};
};

}  // namespace rhea::hw
