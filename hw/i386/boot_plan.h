// SPDX-License-Identifier: GPL-2.0-or-later
// What -kernel, -initrd and -append come to: what goes where in memory before which option ROM
// starts it.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <string>
#include <string_view>
#include <vector>

namespace rhea::hw {

struct KernelRequest {
  std::string name;  ///< -kernel's file name
  std::vector<u8> kernel;
  std::string
      initrd;  ///< as -initrd says: a file, for Multiboot a list of files and their arguments
  std::string append;
  u64 low_ram{};  ///< bytes of RAM from address 0 on
};

/// A piece of memory.
struct BootPiece {
  u32 address{};
  u32 size{};              ///< what is beyond the data is zero
  std::vector<u8> data{};  ///< at most `size` bytes
};

/// The pieces are named after the fw_cfg items that carry them. Multiboot and PVH have no setup and
/// no command line piece; their initrd piece is the boot information.
struct BootPlan {
  std::string_view rom;  ///< "linuxboot", "multiboot" or "pvh"
  u32 entry{};
  BootPiece kernel{}, initrd{}, cmdline{}, setup{};
};

/// Finds out what kind of kernel it is. Errors name the option, the file and what is wrong with it.
Result<BootPlan> plan_boot(const KernelRequest& request);

bool is_linux(const KernelRequest& request);
/// Linux/x86 boot protocol 2.00 to 2.15.
Result<BootPlan> plan_linux(const KernelRequest& request);

bool is_multiboot(const KernelRequest& request);
Result<BootPlan> plan_multiboot(const KernelRequest& request);

bool is_pvh(const KernelRequest& request);
Result<BootPlan> plan_pvh(const KernelRequest& request);

/// What firmware keeps at the end of low RAM (ACPI tables; SeaBIOS takes 256 KiB, OVMF more).
inline constexpr u64 kFirmwareReserve = MiB;

}  // namespace rhea::hw
