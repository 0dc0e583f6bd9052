// SPDX-License-Identifier: GPL-2.0-or-later
// -kernel, -initrd and -append on a PC.
#pragma once

#include "hw/i386/boot_plan.h"
#include "rhea/hw/fw_cfg.h"

namespace rhea::hw {

struct KernelOptions {
  std::string kernel, initrd, append;
  bool option_rom{true};  ///< that starts it; some firmware does without
};

/// A board's properties for them.
template <class Self>
void declare_kernel(Schema<Self>& s, KernelOptions Self::* options) {
  const auto text = [&](std::string_view name, std::string KernelOptions::* member) {
    return s.computed(
        name, "str", [=](const Self& self) { return Value(self.*options.*member); },
        [=](Self& self, const Value& value) -> Result<> {
          self.*options.*member = to_text(value);
          return {};
        });
  };
  text("kernel", &KernelOptions::kernel).help("as -kernel");
  text("initrd", &KernelOptions::initrd).help("as -initrd");
  text("append", &KernelOptions::append).help("as -append");
}

/// Loads what the options name; firmware gets it by fw_cfg and boots it before all else. Nothing
/// happens without a kernel.
Result<> add_kernel(Machine& machine, FwCfg& fw_cfg, const KernelOptions& options, u64 low_ram);

}  // namespace rhea::hw
