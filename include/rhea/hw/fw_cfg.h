// SPDX-License-Identifier: GPL-2.0-or-later
// fw_cfg as boards and devices fill it (spec: QEMU's docs/specs/fw_cfg).
#pragma once

#include "rhea/hw/isa.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace rhea {

namespace fw_cfg_key {
inline constexpr u16 kSignature = 0x00, kId = 0x01, kUuid = 0x02, kRamSize = 0x03,
                     kNographic = 0x04, kNbCpus = 0x05, kMachineId = 0x06, kKernelAddr = 0x07,
                     kKernelSize = 0x08, kKernelCmdline = 0x09, kInitrdAddr = 0x0a,
                     kInitrdSize = 0x0b, kBootDevice = 0x0c, kNuma = 0x0d, kBootMenu = 0x0e,
                     kMaxCpus = 0x0f, kKernelEntry = 0x10, kKernelData = 0x11, kInitrdData = 0x12,
                     kCmdlineAddr = 0x13, kCmdlineSize = 0x14, kCmdlineData = 0x15,
                     kSetupAddr = 0x16, kSetupSize = 0x17, kSetupData = 0x18, kFileDir = 0x19,
                     kFileFirst = 0x20, kAcpiTables = 0x8000, kSmbiosEntries = 0x8001,
                     kIrq0Override = 0x8002, kE820Table = 0x8003, kHpet = 0x8004;
}  // namespace fw_cfg_key

/// The device "fw_cfg_io"; other parts find it with FwCfg::of(machine).
class FwCfg : public IsaDevice {
 public:
  static constexpr std::string_view kName = "fw_cfg";
  using Extendable = FwCfg;
  /// nullptr on boards without one.
  static FwCfg* of(Machine& machine);

  virtual void add_bytes(u16 key, std::vector<u8> data) = 0;
  virtual void add_number(u16 key, u64 value, unsigned bytes) = 0;
  /// A named file, read-only for the guest; `selected` is called each time the guest selects it
  /// (may replace the contents with replace_file).
  virtual void add_file(std::string name, std::vector<u8> data,
                        std::function<void()> selected = nullptr) = 0;
  /// A file the guest may write (fw_cfg DMA); `written` gets the new contents.
  virtual void add_writable_file(std::string name, std::vector<u8> data,
                                 std::function<void(std::span<const u8>)> written) = 0;
  /// Whether there is a file of this name, and whether one more has room.
  virtual bool has_file(std::string_view name) const = 0;
  virtual bool has_room() const = 0;
  static constexpr std::size_t kLongestName = 55;
  virtual void replace_file(std::string_view name, std::vector<u8> data) = 0;
};

}  // namespace rhea
